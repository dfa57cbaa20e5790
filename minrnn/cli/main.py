"""`python -m minrnn COMMAND`: finds the command's file and runs it.

The table holds names, so that a command imports what it needs and no more: a training should not wait for the
Hub's client. (tyro's SubcommandApp needs all commands imported to register them.)
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from minrnn.cli import companions, terminal
from minrnn.errors import MinrnnError

COMMANDS = {
    "train": "train a model, or go on with a run",
    "eval": "score a checkpoint on a text",
    "sample": "let a checkpoint continue a prompt",
    "read": "show how likely each character of a text is for some checkpoints",
    "bench": "measure speed and memory on this machine",
    "bundle": "make a finished run's model the bundled one of its preset",
    "results": "print the table of results, or renew it in the README",
    "study": "run the studies of the documents, and renew their tables",
    "inside": "measure what the bundled models remember, and renew docs/inside.md",
    "repetition": "measure how much of what models write they have written before",
    "publish": "publish models, the Space or a run to the Hugging Face Hub",
}
"""Each command is the module of its name in this folder."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; errors a person can mend are one line on stderr and exit status 1."""
    words = list(sys.argv[1:] if argv is None else argv)
    terminal.prepare()
    try:
        if not words or words[0] not in COMMANDS:
            asked = bool(words) and words[0] in ("-h", "--help")
            terminal.say(_usage(), error=not asked)
            raise SystemExit(0 if asked else 2)
        with companions.started(words[1:] if words[0] == "train" else ()):
            importlib.import_module(f"minrnn.cli.{words[0]}").main(words[1:])
    except MinrnnError as error:
        terminal.say(f"error: {error}", style="red", error=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        if not terminal.is_closed(sys.stdout):
            raise
        raise SystemExit(0) from None  # whoever read the output has had enough


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {about}" for name, about in COMMANDS.items()]
    return "\n".join(["usage: python -m minrnn COMMAND [flags]; COMMAND --help explains the flags", *lines])
