"""`python -m minrnn read`: how likely each character of a text is for some models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from minrnn import checkpoint, files
from minrnn.cli import terminal
from minrnn.errors import MinrnnError
from minrnn.inside.reading import Reading, read


@dataclass(frozen=True)
class ReadFlags:
    """Show how likely each character of a text is for each of some checkpoints.

    Attributes:
        checkpoints: folders, user/repo or user/repo@revision.
        text: a file in UTF-8, of up to 5,000 characters. Characters that a model does not know are replaced by
            similar ones or left out; `read` says what it read in the place of each.
        learn: the rate at which a copy learns each 64 characters after they were scored; 0 only reads.
        top: how many of the likeliest characters to list in the JSON, 0 to 20.
        json: print one JSON object: for each checkpoint the figures of every character.
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]]
    text: Path
    learn: float = 0.0
    top: int = 0
    json: bool = False


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if no checkpoint is named, one or the text cannot be read, or a value is out of range.
    """
    flags = tyro.cli(ReadFlags, args=words, prog="python -m minrnn read")
    if not flags.checkpoints:
        raise MinrnnError("no checkpoint is named; name at least one, such as checkpoints/base/lstm.")
    reading = Reading(_text(flags.text), flags.learn, flags.top)
    found = {ref: read(checkpoint.load(ref).model, reading) for ref in flags.checkpoints}
    if flags.json:
        terminal.figures(found, True)
    else:
        terminal.figures({ref: model["bits_per_char"] for ref, model in found.items()}, False)


def _text(path: Path) -> str:
    """The file's text as it stands, line ends included.

    Raises:
        MinrnnError: if it cannot be read as UTF-8.
    """
    try:
        return files.expanded(str(path)).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise MinrnnError(f"{path} cannot be read as a text in UTF-8: {error}.") from None
