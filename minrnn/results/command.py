"""The commands `results`, `study` and `repetition`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import tyro

from minrnn import checkpoint, settings
from minrnn.results import figures, records, repetition, report, studies, tables
from minrnn.results.studies import Row, Study

PROG = "python -m minrnn"


@dataclass(frozen=True)
class ResultsFlags:
    """Print the table of results, or put it into a README.

    Attributes:
        update_readme: write it between the markers `<!-- results -->` and `<!-- /results -->` of `readme`.
        readme: the file to change.
    """

    update_readme: bool = False
    readme: Path = Path("README.md")


@dataclass(frozen=True)
class StudyFlags:
    """Run the studies of docs/replication.md and docs/recipes.md, and renew the documents.

    Attributes:
        action: list the commands, run those that have not ended, or report: renew tables and charts.
        names: studies to list or run; the four of docs/replication.md if none is named.
        docs: folder of the documents.
    """

    action: tyro.conf.Positional[Literal["list", "run", "report"]]
    names: tyro.conf.Positional[tuple[str, ...]] = ()
    docs: Path = Path("docs")


@dataclass(frozen=True)
class RepetitionFlags:
    """Measure how much of what checkpoints write they have written before.

    Attributes:
        checkpoints: folders, or user/repo; the bundled ones if none is named.
        chars: characters that each writes.
        seed: of the draws.
        docs: renew the table in the documents of this folder, too.
    """

    checkpoints: tyro.conf.Positional[tuple[str, ...]] = ()
    chars: int = repetition.CHARS
    seed: int = 0
    docs: Path | None = None


def results_command(words: list[str]) -> None:
    """`python -m minrnn results`.

    Raises:
        MinrnnError: if metrics cannot be read, or the README has no markers.
    """
    flags = tyro.cli(ResultsFlags, args=words, prog=f"{PROG} results")
    if not flags.update_readme:
        print(tables.readme_table())
        return
    changed = tables.update_readme(flags.readme)
    print(f"{flags.readme}: {'the table of results was renewed' if changed else 'nothing to change'}")


def study_command(words: list[str]) -> None:
    """`python -m minrnn study`.

    Raises:
        MinrnnError: if a study is not known, a run folder is damaged, or a document lacks its markers.
    """
    flags = tyro.cli(StudyFlags, args=words, prog=f"{PROG} study")
    if flags.action == "report":
        print("\n".join(report.renew(flags.docs, settings.runs_dir())))
        return
    act: Callable[[Study, Row], None] = _show if flags.action == "list" else _train
    for study in [studies.get(name) for name in flags.names or studies.REPLICATION]:
        for row in study.rows:
            act(study, row)


def repetition_command(words: list[str]) -> None:
    """`python -m minrnn repetition`.

    Raises:
        MinrnnError: if a checkpoint cannot be loaded, or the document lacks its markers.
    """
    torch.set_num_threads(1)  # a step is too small to share
    flags = tyro.cli(RepetitionFlags, args=words, prog=f"{PROG} repetition")
    refs = flags.checkpoints or tuple(str(result.folder) for result in figures.bundled())
    rows = []
    for ref in refs:
        model = checkpoint.load(ref).model
        rows.append((ref, repetition.measure(model, chars=flags.chars, seed=flags.seed)))
    shown = repetition.shares_table([(_short(ref), measured) for ref, measured in rows])
    print(shown)
    if flags.docs is not None:
        tables.fill(flags.docs / "replication.md", {"repetition": shown})


def _short(ref: str) -> str:
    """A bundled checkpoint as it is named on the command line."""
    path = Path(ref)
    return f"checkpoints/{path.parent.name}/{path.name}" if checkpoint.BUNDLED in path.parents else ref


def _show(study: Study, row: Row) -> None:
    print(study.command(row))


def _train(study: Study, row: Row) -> None:
    """Train a row in a process of its own, or go on with it; one that has ended is left alone."""
    out = settings.runs_dir() / study.name / row.name
    if records.finished(out):
        print(f"{out}: has ended")
        return
    begun = (out / "config.json").is_file()
    flags = ["--resume"] if begun else row.words
    print(f"{out}: {'goes on' if begun else 'begins'}", flush=True)
    with subprocess.Popen([sys.executable, "-m", "minrnn", "train", *flags, "--out", str(out)]) as worker:
        try:
            status = worker.wait()
        except KeyboardInterrupt:  # the worker has had it, too: it saves and ends
            worker.wait()
            raise SystemExit(130) from None
    if status:
        print(f"{out}: ended with exit status {status}", flush=True)
