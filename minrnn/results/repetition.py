"""Does a model end up repeating itself? The share of strings it has written before.

The replication reports that its recurrent models "end up repeating the same sequence". It always took the
likeliest character; a deterministic rule over a state that forgets must run into a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minrnn.config import Sampling
from minrnn.errors import ConfigError
from minrnn.generate import stream
from minrnn.models import LanguageModel
from minrnn.results.tables import NOT_YET, table
from minrnn.settings import MAX_NEW_TOKENS
from minrnn.text import CharVocab, fold

LENGTH = 20
CHARS = 2_000
PROMPT = "ROMEO:\n"
GREEDY = 0.0


@dataclass(frozen=True)
class Repetition:
    """How much of what a model wrote it had written before.

    Attributes:
        temperature: 0 always takes the likeliest character.
        share: of the strings of LENGTH characters, those that stand earlier in the text; 0 to 1.
        text: what it wrote.
    """

    temperature: float
    share: float
    text: str


def repeated_share(text: str, length: int = LENGTH) -> float:
    """The share of a text's strings of `length` characters that stand earlier in it.

    Args:
        text: at least `length` characters.
        length: at least 1.

    Returns:
        0 where all differ, towards 1 for a loop.

    Raises:
        ConfigError: if the text is shorter than one string.
    """
    total = len(text) - length + 1
    if length < 1 or total < 1:
        raise ConfigError(
            f"a text of {len(text)} characters holds no string of {length}; give a longer text or a length within it."
        )
    return 1 - len({text[start : start + length] for start in range(total)}) / total


def measure(
    model: LanguageModel, temperatures: Sequence[float] = (GREEDY, 0.8), chars: int = CHARS, seed: int = 0
) -> list[Repetition]:
    """Let a model write at every temperature, and count.

    Args:
        model: in evaluation mode.
        temperatures: 0 is greedy.
        chars: how much it writes, the prompt not counted.
        seed: of the draws.

    Raises:
        ConfigError: if `chars` or a temperature is out of range.
    """
    if not LENGTH <= chars <= MAX_NEW_TOKENS:
        raise ConfigError(
            f"chars is {chars:,}; it must lie between {LENGTH}, the length of a string that is counted, and "
            f"{MAX_NEW_TOKENS:,}."
        )
    prompt = fold(PROMPT, CharVocab(model.config.vocab)).text
    measured = []
    for temperature in temperatures:
        sampling = Sampling(max_new_tokens=chars, temperature=temperature, seed=seed)
        text = "".join(chunk.text for chunk in stream(model, prompt, sampling))
        measured.append(Repetition(temperature, repeated_share(text), text))
    return measured


def shares_table(rows: Sequence[tuple[str, Sequence[Repetition]]]) -> str:
    """The shares of several models as a Markdown table: name, then a column a temperature."""
    if not rows:
        return NOT_YET
    heads = ["greedy" if r.temperature == GREEDY else f"temperature {r.temperature:g}" for r in rows[0][1]]
    lines = [[f"`{name}`", *(f"{r.share:.1%}" for r in measured)] for name, measured in rows]
    return table(["", *heads], lines, range(1, 1 + len(heads)))
