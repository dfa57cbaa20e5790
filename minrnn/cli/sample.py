"""`python -m minrnn sample`: let a checkpoint continue a prompt."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import torch
import tyro

from minrnn.cli import terminal
from minrnn.cli.eval import together
from minrnn.config import Sampling
from minrnn.generate import stream
from minrnn.text import CharVocab, fold


@dataclass(frozen=True)
class SampleFlags:
    """Let a checkpoint continue a prompt; several write one text together, drawn from the mean of their probabilities.

    Attributes:
        checkpoints: folders, user/repo or user/repo@revision.
        prompt: characters the model does not know are folded or dropped; empty starts from a newline.
        json: print one JSON object.
        sampling: how characters are drawn, and how many.
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]]
    prompt: str = ""
    json: bool = False
    sampling: Sampling = field(default_factory=Sampling)


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if the checkpoint cannot be read, or a value is out of range.
    """
    torch.set_num_threads(1)  # a step is too small to share
    flags = tyro.cli(
        SampleFlags, args=words, prog="python -m minrnn sample", config=(tyro.conf.OmitArgPrefixes,)
    )
    model = together(flags.checkpoints)
    folded = fold(flags.prompt, CharVocab(model.config.vocab))
    if folded.note:
        terminal.say(folded.note, error=True)
    text: list[str] = []
    for chunk in stream(model, folded.text, flags.sampling):
        text.append(chunk.text)
        if not flags.json:
            _put(chunk.text)
    if not flags.json:
        _put("\n")
        return
    figures = {
        name: getattr(chunk, name) for name in ("tokens_per_s", "ttft_s", "state_bytes", "finish_reason")
    }
    terminal.figures({"text": "".join(text), **figures}, True)


def _put(text: str) -> None:
    """Print a few characters at once; the command ends quietly where nobody reads them any more."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), end="", flush=True)
    except BrokenPipeError:
        terminal.silence(sys.stdout)
        raise SystemExit(0) from None
