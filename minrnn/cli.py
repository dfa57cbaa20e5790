"""The command line. Flags are made from the config dataclasses."""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import tyro
from rich.console import Console

from minrnn import bench, checkpoint, corpora, publish, runs, uploads
from minrnn.config import Sampling
from minrnn.errors import CheckpointError, MinrnnError
from minrnn.generate import stream
from minrnn.progress import show
from minrnn.results.command import repetition_command, results_command, study_command
from minrnn.text import CharVocab, fold
from minrnn.trainflags import parse


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; errors a person can mend are one line on stderr and exit status 1."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        usage = f"usage: python -m minrnn {{{'|'.join(COMMANDS)}}} [flags]; --help explains each"
        Console(stderr=True, soft_wrap=True).print(usage, markup=False, highlight=False)
        raise SystemExit(0 if words and words[0] in ("-h", "--help") else 2)
    try:
        COMMANDS[words[0]](words[1:])
    except MinrnnError as error:
        Console(stderr=True, soft_wrap=True).print(
            f"error: {error}", style="red", markup=False, highlight=False
        )
        raise SystemExit(1) from None


def _train(words: list[str]) -> None:
    spec, out, resume = parse(words)
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    show(runs.execute(spec, out, resume=resume, should_stop=lambda: stopped), spec.train, out)


@dataclasses.dataclass(frozen=True)
class EvalFlags:
    """Score a checkpoint on a corpus.

    Attributes:
        checkpoint: a folder, user/repo or user/repo@revision.
        corpus: a corpus's name, or a file.
        split: val, or train to score the training split, too.
        json: print one JSON object.
    """

    checkpoint: tyro.conf.Positional[str]
    corpus: str = "tinyshakespeare"
    split: str = "val"
    json: bool = False


def _eval(words: list[str]) -> None:
    flags = tyro.cli(EvalFlags, args=words, prog="python -m minrnn eval")
    if flags.split not in ("val", "train"):
        raise CheckpointError(f"split is {flags.split!r}; choose val or train.")
    model = checkpoint.load(flags.checkpoint).model
    corpus = corpora.load(flags.corpus)
    unknown = set(corpus.text) - set(model.config.vocab)
    if unknown:
        raise CheckpointError(
            f"{corpus.name} has {len(unknown)} characters that the model does not know, such as {min(unknown)!r}; "
            "fine-tune it on that text first."
        )
    _print(checkpoint.score(model, corpus, train_split=flags.split == "train"), flags.json)


@dataclasses.dataclass(frozen=True)
class SampleFlags(Sampling):
    """Let a checkpoint continue a prompt.

    Attributes:
        checkpoint: a folder, user/repo or user/repo@revision.
        prompt: characters the model does not know are folded or dropped; empty starts from a newline.
        json: print one JSON object.
        max_new_tokens: characters to write.
        temperature: divides the logits; 0 always takes the likeliest character.
        top_k: keep the k likeliest characters only; 0 is off.
        top_p: keep the likeliest characters that together reach this probability; 1 is off.
        seed: the same seed gives the same text.
    """

    checkpoint: tyro.conf.Positional[str] = dataclasses.field(kw_only=True)
    prompt: str = ""
    json: bool = False


def _sample(words: list[str]) -> None:
    torch.set_num_threads(1)  # a step is too small to share
    flags = tyro.cli(SampleFlags, args=words, prog="python -m minrnn sample")
    model = checkpoint.load(flags.checkpoint).model
    folded = fold(flags.prompt, CharVocab(model.config.vocab))
    if folded.note:
        Console(stderr=True).print(folded.note, markup=False)
    text: list[str] = []
    for chunk in stream(model, folded.text, flags):
        text.append(chunk.text)
        if not flags.json:
            print(chunk.text, end="", flush=True)
    if not flags.json:
        print()
        return
    figures = {
        name: getattr(chunk, name) for name in ("tokens_per_s", "ttft_s", "state_bytes", "finish_reason")
    }
    _print({"text": "".join(text), **figures}, True)


def _bench(words: list[str]) -> None:
    for line in bench.run(tyro.cli(bench.Bench, args=words, prog="python -m minrnn bench")):
        print(line, flush=True)


def _publish(words: list[str]) -> None:
    for line in publish.run(publish.parse(words)):
        print(line, flush=True)


@dataclasses.dataclass(frozen=True)
class BundleFlags:
    """Make a finished run's model the bundled one of its preset.

    Attributes:
        run: the run's folder.
    """

    run: tyro.conf.Positional[Path]


def _bundle(words: list[str]) -> None:
    flags = tyro.cli(BundleFlags, args=words, prog="python -m minrnn bundle")
    print(uploads.bundle(flags.run / runs.MODEL))


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "train": _train,
    "eval": _eval,
    "sample": _sample,
    "bench": _bench,
    "bundle": _bundle,
    "results": results_command,
    "study": study_command,
    "repetition": repetition_command,
    "publish": _publish,
}


def _print(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(values, ensure_ascii=False))
        return
    width = max(map(len, values))
    for name, value in values.items():
        print(f"{name:{width}}  {value:.4f}" if isinstance(value, float) else f"{name:{width}}  {value}")
