"""Characters and ids: the vocabulary of a model, and what to do with characters outside it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from minrnn.errors import ConfigError
from minrnn.settings import MAX_VOCAB


def _code_points(text: str) -> npt.NDArray[np.uint32]:
    """(T,) the Unicode code point of every character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


class CharVocab:
    """The characters a model knows; the id of a character is its index in `chars`.

    Args:
        chars: the characters in the order of their ids, each once.

    Raises:
        ConfigError: if `chars` is empty, names a character twice or is longer than MAX_VOCAB.
    """

    def __init__(self, chars: str) -> None:
        _check_chars(chars)
        self.chars = chars
        self._codes = _code_points(chars)
        # One entry a code point, and a last one that stands for everything above.
        self._ids = np.full(int(self._codes.max()) + 2, -1, dtype=np.int64)
        self._ids[self._codes] = np.arange(len(chars))

    @classmethod
    def of(cls, text: str) -> "CharVocab":
        """The distinct characters of `text`, sorted. Raises ConfigError as the class does."""
        return cls("".join(sorted(set(text))))

    def grow(self, text: str) -> "CharVocab":
        """This vocabulary with the new characters of `text`, sorted, after the old ones."""
        return CharVocab(self.chars + "".join(sorted(set(text) - set(self.chars))))

    def encode(self, text: str) -> Tensor:
        """The ids of `text`.

        Returns:
            (T,) int64, on the CPU.

        Raises:
            ValueError: if a character is not in the vocabulary; `fold` the text first.
        """
        ids = self._ids[np.minimum(_code_points(text), len(self._ids) - 1)]
        if ids.size and ids.min() < 0:
            at = int((ids < 0).argmax())
            raise ValueError(
                f"Character {text[at]!r} at position {at:,} is not among the {len(self)} "
                "characters of this vocabulary; fold the text or grow the vocabulary first."
            )
        return torch.from_numpy(ids)

    def decode(self, ids: Tensor | Iterable[int]) -> str:
        """The text of `ids`, a tensor of any shape or any iterable of ints.

        Raises:
            ValueError: if an id is not in 0 .. len - 1.
        """
        listed = ids.reshape(-1).tolist() if isinstance(ids, Tensor) else list(ids)
        array = np.asarray(listed, dtype=np.int64)
        if array.size and (array.min() < 0 or array.max() >= len(self)):
            wrong = int(array.min() if array.min() < 0 else array.max())
            raise ValueError(f"Id {wrong} is not in 0 .. {len(self) - 1}, the ids in use.")
        return self._codes[array].tobytes().decode("utf-32-le", "surrogatepass")

    def __len__(self) -> int:
        return len(self.chars)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CharVocab) and self.chars == other.chars

    def __hash__(self) -> int:
        return hash(self.chars)

    def __repr__(self) -> str:
        return f"CharVocab({self.chars!r})"


def _check_chars(chars: str) -> None:
    if not chars:
        raise ConfigError("The vocabulary is empty; give a text with at least one character.")
    if len(set(chars)) < len(chars):
        (char, count), *_ = Counter(chars).most_common(1)
        raise ConfigError(
            f"The vocabulary names {char!r} {count} times; every character must stand in it once."
        )
    if half := next((char for char in chars if "\ud800" <= char <= "\udfff"), None):
        raise ConfigError(
            f"The vocabulary holds {half!r}, half a surrogate pair; give a text in valid Unicode."
        )
    if len(chars) > MAX_VOCAB:
        raise ConfigError(
            f"The vocabulary has {len(chars):,} characters and the limit is {MAX_VOCAB:,}; "
            "use a text with fewer distinct characters."
        )


@dataclass(frozen=True)
class Folded:
    """A text that a vocabulary can encode, and what it cost to make it so."""

    text: str
    """The text with every character in the vocabulary."""
    folded: int
    """Characters replaced by similar ones."""
    dropped: int
    """Characters left out."""

    @property
    def note(self) -> str:
        """A sentence for the reader; empty if nothing was changed."""
        if not self.folded and not self.dropped:
            return ""
        parts = [f"{self.folded:,} replaced by a similar one"] if self.folded else []
        parts += [f"{self.dropped:,} left out"] if self.dropped else []
        return f"Characters this model does not know: {', '.join(parts)}."


# What NFKD leaves alone, spelled as a typewriter would. A tab is one space.
_SPELLINGS = str.maketrans(
    {"\t": " ", "\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
    | dict.fromkeys("‘’‚‛′‹›`´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−⁃", "-")
    | {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ł": "l", "Ł": "L"}
    | {"ı": "i", "ħ": "h", "Ħ": "H", "×": "x", "÷": "/", "⁄": "/", "•": "-", "¿": "?", "¡": "!"}
)
# Second choices: tiny Shakespeare, for one, has no double quotes.
_FALLBACKS = str.maketrans({'"': "'"})
_MOST_ACCENTS = 3
"""No character of Unicode is a letter with more accents."""


def _candidates(char: str) -> Iterator[str]:
    """Spellings of `char`, the closest first."""
    marked = unicodedata.normalize("NFKD", char)
    plain = "".join(c for c in marked if not unicodedata.combining(c))
    yield marked
    for spelled in (plain, plain.translate(_SPELLINGS)):
        yield from (spelled, spelled.translate(_FALLBACKS), spelled.lower())


def _similar(char: str, known: set[str]) -> str | None:
    """The closest spelling of `char` within `known`; None if nothing is similar."""
    if unicodedata.combining(char):
        return ""  # an accent typed after its letter: the letter stays
    return next((c for c in _candidates(char) if c and known.issuperset(c)), None)


def _composed(text: str, known: set[str]) -> str:
    """The text with a letter and its foreign accents joined to one character, if that character is known."""
    accents = "".join(char for char in set(text) - known if unicodedata.combining(char))
    if not accents:
        return text
    return re.sub(
        f".[{re.escape(accents)}]+", lambda found: _composed_letter(found[0], known), text, flags=re.S
    )


def _composed_letter(letter: str, known: set[str]) -> str:
    """A letter joined with as many of its accents as a known character has; further accents stay separate."""
    for end in range(min(len(letter), 1 + _MOST_ACCENTS), 1, -1):
        if (joined := unicodedata.normalize("NFC", letter[:end])) in known:
            return joined + letter[end:]
    return letter


def fold(text: str, vocab: CharVocab) -> Folded:
    """Make `text` fit `vocab`: é becomes e, “ becomes ", and characters without a similar one are dropped.

    A letter with its accent as a character of its own becomes the accented letter, where the vocabulary has that.
    """
    known = set(vocab.chars)
    crlf = text.count("\r\n") if "\r" not in known else 0
    text = text.replace("\r\n", "\n") if crlf else text
    text = _composed(text, known)
    foreign = {char: count for char, count in Counter(text).items() if char not in known}
    similar = {char: _similar(char, known) for char in foreign}
    dropped = sum(n for char, n in foreign.items() if similar[char] is None)
    clean = text.translate({ord(char): spelling or "" for char, spelling in similar.items()})
    lost_newlines = crlf if "\n" not in known else 0
    return Folded(clean, sum(foreign.values()) - dropped + crlf - lost_newlines, dropped)
