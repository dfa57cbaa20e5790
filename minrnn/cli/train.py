"""`python -m minrnn train`: make a run's folder and train what it says, or go on with one.

Flags are the fields of shape, options and recipe. Their defaults are those of a preset, a checkpoint or a run,
which the command line itself names; so it is read twice: first for those names alone, then for everything.
"""

from __future__ import annotations

import argparse
import dataclasses
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

from minrnn import checkpoint, corpora, data, device, files, presets
from minrnn.cli.progress import show
from minrnn.config import MixerOptions, ModelConfig, TrainConfig
from minrnn.corpora import OWN, Corpus
from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.models import mixer_class
from minrnn.ranks import ALONE, Ranks, joined
from minrnn.runs import folder, process, teachers
from minrnn.runs.checks import check_machine, check_trainable
from minrnn.runs.follower import follow
from minrnn.runs.lock import held
from minrnn.runs.spec import RunSpec, check_resumable, fine_tune, from_preset

DEFAULT_PRESET, DEFAULT_MODEL = presets.FIRST_PRESET, presets.FIRST_MODELS[0]


@dataclass(frozen=True)
class Shape(ModelConfig):
    """The shape. Changed from nothing only: a checkpoint keeps its own, but for dropout."""

    mixer: tyro.conf.Suppress[str] = ""
    vocab: tyro.conf.Suppress[str] = ""
    options: tyro.conf.Suppress[MixerOptions | None] = None


@dataclass(frozen=True)
class TrainFlags:
    """Train a model. Ctrl+C ends a run after the current iter with everything saved; a second one ends it at once.
    On several machines or GPUs: torchrun --nproc_per_node=N -m minrnn train, with the same flags.

    Attributes:
        out: the run's folder.
        processes: how many share the work on this machine's CPU; it must divide the batch.
        run: train what this folder says, from the beginning or from its last save; no other flag goes with it.
        resume: go on with the run in --out; a budget given here replaces the run's.
        preset: where unnamed flags come from.
        model: which of the preset's models.
        corpus: a named text, a task, or a file in UTF-8, which is copied into the run's folder.
        init: checkpoint to start from: a folder or a Hub repo; its shape is kept.
        teacher: checkpoints that teach the model, folders or Hub repos: the mean of their probabilities is
            --teacher-share of its target.
    """

    out: Path | None
    processes: int
    run: Path | None
    resume: bool
    preset: str
    model: str
    corpus: str
    init: str | None
    teacher: tuple[str, ...]
    shape: Shape
    options: MixerOptions
    recipe: TrainConfig = field(default_factory=TrainConfig)


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: for values out of range, an unknown preset or model, and whatever the training raises.
        SystemExit: for unknown flags, or --help.
    """
    device.keep_freed_memory()
    with joined() as ranks:
        if not ranks.leads:
            _train_along(ranks)
            return
        out = prepared(words, ranks)
        spec = folder.read_spec(out)
        with _stop_on_signals() as asked:
            show(folder.execute(out, should_stop=asked, ranks=ranks), spec.train, out)


def _train_along(ranks: Ranks) -> None:
    """Be one of the other processes. What goes wrong in the training goes wrong in rank 0, too, which says so."""
    with _stop_on_signals() as asked:
        try:
            follow(ranks, should_stop=asked)
        except MinrnnError:
            raise SystemExit(1) from None


def prepared(words: list[str], ranks: Ranks = ALONE) -> Path:
    """The folder of the run that the words ask for, ready to be trained by these processes.

    Raises:
        MinrnnError: if it cannot be trained, as far as that is known before; then nothing is made or changed.
    """
    named = _named(words)
    if named.run is not None:
        if _beside_run(words):
            raise ConfigError(
                "--run takes everything from the folder; use --out DIR --resume to change its budget."
            )
        folder.read_spec(out := Path(named.run))
        process.forget_old_stop(out)
        return out
    spec, out, text = parse(words)
    if named.resume:
        check_machine(spec.train, ranks)
        _change(out, spec)
    else:
        source = data.load(spec.corpus) if text is None else text
        check_trainable(spec, source, ranks)
        teachers.check(spec, source)
        folder.create(out, spec, None if text is None else text.text)
    return out


def _change(out: Path, spec: RunSpec) -> None:
    """Let the folder say what the run trains from now on. Nobody may be training in it."""
    with held(out):
        check_resumable(before := folder.read_spec(out), spec)
        folder.forget_stop(out)
        if spec != before:
            try:
                folder.change(out, spec)
            except OSError as error:
                raise CheckpointError(f"{out} cannot be written ({error}); free some space.") from error


def parse(words: list[str]) -> tuple[RunSpec, Path, Corpus | None]:
    """Read the command line.

    Returns:
        What to train, the run's folder, and the text of a file that --corpus names.

    Raises:
        MinrnnError: for values out of range, an unknown preset or model, or a checkpoint that cannot be read.
        SystemExit: for unknown flags, or --help.
    """
    named = _named(words)
    start = _start(named)
    flags = tyro.cli(
        TrainFlags,
        args=words,
        default=_defaults(start),
        prog="python -m minrnn train",
        config=(tyro.conf.OmitArgPrefixes,),
    )
    if flags.out is None:
        raise ConfigError("no folder is named; say by --out where the run should go.")
    _check_teaching(named, flags)
    spec = _spec(flags, start)
    if named.resume:
        return _with_corpus_of(start, spec, flags.out), flags.out, None
    if data.is_named(spec.corpus):
        return spec, flags.out, None
    text = corpora.own.from_file(files.expanded(spec.corpus))
    return dataclasses.replace(spec, corpus=OWN), flags.out, text


def _check_teaching(named: argparse.Namespace, flags: TrainFlags) -> None:
    """Refuse a share of the target that nobody has: the run would train for hours without its teachers."""
    if flags.teacher:
        return
    if named.teacher is not None:
        raise ConfigError("--teacher names no checkpoint; name one or more folders or Hub repos.")
    if named.teacher_share is not None:
        raise ConfigError(
            f"--teacher-share is {named.teacher_share} and there is no teacher; name one or more by --teacher."
        )


def _with_corpus_of(run: RunSpec, spec: RunSpec, out: Path) -> RunSpec:
    """The spec with the run's corpus where --corpus names a file that holds the same text."""
    path = files.expanded(spec.corpus)
    if spec.corpus == run.corpus or data.is_named(spec.corpus) or not files.is_file(path):
        return spec
    same = corpora.own.from_file(path).sha256 == folder.read_corpus(run, out).sha256
    return dataclasses.replace(spec, corpus=run.corpus) if same else spec


def _named(words: list[str]) -> argparse.Namespace:
    """What the command line says about where the defaults come from."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("preset", "model", "corpus", "init", "out", "run"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--teacher", nargs="*")
    parser.add_argument("--teacher-share", "--teacher_share")
    return parser.parse_known_args(words)[0]


def _beside_run(words: list[str]) -> list[str]:
    """What a command line says beside --run and the number of processes, which is nothing of the run's own."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--run", action="append")
    parser.add_argument("--processes")
    named, others = parser.parse_known_args(words)
    return [*named.run[1:], *others]


def _start(named: argparse.Namespace) -> RunSpec:
    """The spec that unnamed flags come from."""
    if named.resume:
        if named.out is None:
            raise ConfigError("no folder is named; say by --out which run should go on.")
        if folder.is_unbegun(Path(named.out)):
            raise CheckpointError(
                f"{named.out} holds a run that has not begun; train it by --run {named.out}."
            )
        if not folder.parts(Path(named.out)):
            raise CheckpointError(f"{named.out} holds no run to go on with; leave out --resume to start one.")
        return folder.read_spec(Path(named.out))
    if named.init is not None:
        return fine_tune(named.init, named.preset or "")
    return from_preset(named.preset or DEFAULT_PRESET, named.model or DEFAULT_MODEL)


def _defaults(start: RunSpec) -> TrainFlags:
    shape = {f.name: getattr(start.model, f.name) for f in dataclasses.fields(ModelConfig)}
    return TrainFlags(
        out=None,
        processes=1,
        run=None,
        resume=False,
        preset=start.preset,
        model=start.model.mixer,
        corpus=start.corpus,
        init=start.init,
        teacher=start.teachers,
        shape=Shape(**shape | {"options": None}),
        options=start.model.options or mixer_class(start.model.mixer).Options(),
        recipe=start.train,
    )


def _spec(flags: TrainFlags, start: RunSpec) -> RunSpec:
    if flags.model != start.model.mixer:
        raise ConfigError(
            f"--model {flags.model} does not fit: the checkpoint or run is a {start.model.mixer}."
        )
    given: dict[str, Any] = {f.name: getattr(flags.shape, f.name) for f in dataclasses.fields(ModelConfig)}
    plain = mixer_class(start.model.mixer).Options()
    shape = ModelConfig(**given | {"options": flags.options})
    before = dataclasses.replace(start.model, options=start.model.options or plain)
    if start.init and dataclasses.replace(shape, dropout=before.dropout) != before:
        raise ConfigError("the shape is the checkpoint's; of its fields only --dropout can be changed.")
    return dataclasses.replace(
        start,
        corpus=flags.corpus,
        model=shape,
        train=flags.recipe,
        preset=flags.preset,
        init=flags.init and checkpoint.lasting_name(flags.init),
        teachers=tuple(map(checkpoint.lasting_name, flags.teacher)),
    )


@contextmanager
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Whether somebody has asked the process to stop. The first signal asks, the second ends it at once, but tidily:
    no file is left half written; a third one does not even wait for that."""
    asked = False

    def stop(number: int, _frame: object) -> None:
        nonlocal asked
        if asked:
            signal.signal(number, signal.SIG_DFL)
            raise KeyboardInterrupt
        asked = True

    before = {name: signal.signal(name, stop) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
