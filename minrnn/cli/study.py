"""`python -m minrnn study`: the studies behind the documents."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from minrnn import settings
from minrnn.cli import terminal, train
from minrnn.errors import ConfigError
from minrnn.results import kept, records, report, studies
from minrnn.results.study import Row, Study
from minrnn.results.weights_studies import WEIGHTS
from minrnn.runs import folder, process


@dataclass(frozen=True)
class StudyFlags:
    """Run the studies of docs/replication.md, docs/recipes.md and docs/tasks.md, and renew the documents.

    Attributes:
        action: list the commands, run those that have not ended, keep the weights of those that have, or report: renew
            tables and charts.
        names: studies; where none is named, the four of docs/replication.md, and those of docs/recipes.md for keep.
        docs: folder of the documents.
        readme: the README, in which the answer and the budgets are renewed.
    """

    action: tyro.conf.Positional[Literal["list", "run", "keep", "report"]]
    names: tyro.conf.Positional[tuple[str, ...]] = ()
    docs: Path = Path("docs")
    readme: Path = Path("README.md")


def main(words: list[str]) -> None:
    """Run the command.

    Raises:
        MinrnnError: if a study is not known, a run folder is damaged, or a document lacks its markers.
    """
    flags = tyro.cli(StudyFlags, args=words, prog="python -m minrnn study")
    if flags.action == "report":
        terminal.say("\n".join(report.renew(flags.docs, settings.runs_dir(), flags.readme)))
        return
    act: Callable[[Study, Row], None] = {"list": _show, "run": _train, "keep": _keep}[flags.action]
    for study in _chosen(flags):
        for row in study.rows:
            act(study, row)


def _chosen(flags: StudyFlags) -> list[Study]:
    """The studies that are named, or those that the action is mostly meant for."""
    usual = WEIGHTS if flags.action == "keep" else studies.REPLICATION
    found = [studies.get(name) for name in flags.names or usual]
    if flags.action == "keep" and (others := [study.name for study in found if study.name not in WEIGHTS]):
        raise ConfigError(f"the weights of {others[0]} are not kept; choose among: {', '.join(WEIGHTS)}.")
    return found


def _show(study: Study, row: Row) -> None:
    terminal.say(study.command(row))


def _keep(study: Study, row: Row) -> None:
    out = settings.runs_dir() / study.name / row.name
    if (place := kept.keep(study, row, out)) is not None:
        terminal.say(f"{out}: its weights lie in {place}")


def _train(study: Study, row: Row) -> None:
    """Train a row in a process of its own, or go on with it; one that has ended is left alone."""
    out = settings.runs_dir() / study.name / row.name
    if study.name in WEIGHTS and (other := records.other_recipe(row, records.settings_of(out))):
        terminal.mention(
            f"{out}: was begun by another recipe ({' '.join(other)}); move it away to train the row"
        )
        return
    if records.finished(out):
        terminal.mention(f"{out}: has ended")
        return
    begun = (out / folder.CONFIG).is_file()
    if not begun:
        train.prepared([*row.words, "--out", str(out)])
    terminal.mention(f"{out}: {'goes on' if begun else 'begins'}")
    with subprocess.Popen(process.words(out)) as worker:
        try:
            status = worker.wait()
        except KeyboardInterrupt:  # the worker has had it, too: it saves and ends
            worker.wait()
            raise SystemExit(130) from None
    if status:
        terminal.mention(f"{out}: ended with exit status {status}")
