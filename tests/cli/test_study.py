"""`python -m minrnn study`: what is trained, and what is left alone."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

import pytest

from minrnn.cli import study
from minrnn.cli import train as train_command
from minrnn.cli.main import main
from minrnn.errors import ConfigError
from minrnn.events import Done
from minrnn.results.study import Row, Study
from minrnn.results.weights_studies import POINTS
from minrnn.runs import folder
from minrnn.runs.events import METRICS, last_event
from tests.cli.conftest import FLAGS

POINT = POINTS[0]


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that a worker was started in; nothing is trained."""
    started: list[str] = []

    class Worker:
        def __init__(self, words: list[str]) -> None:
            started.append(Path(words[-1]).name)

        def __enter__(self) -> Worker:
            return self

        def __exit__(self, *_: object) -> None: ...

        def wait(self) -> int:
            return 0

    monkeypatch.setattr("minrnn.cli.study.subprocess.Popen", Worker)
    monkeypatch.setattr("minrnn.cli.study.train.prepared", lambda words: Path(words[-1]))
    return started


def test_a_row_that_was_begun_by_another_recipe_is_named_and_left_alone(
    runs_dir: Path, began: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    row = POINT.row("gru")
    spec, _, _ = train_command.parse([*row.words, "--dropout", "0.45", "--out", "x"])
    folder.create(runs_dir / POINT.study / row.name, spec)
    study.main(["run", POINT.study])
    assert row.name not in began and POINT.row("lstm").name in began
    assert (
        "gru-3m-conv: was begun by another recipe (--dropout 0.45); move it away" in capsys.readouterr().out
    )


def test_a_row_in_which_a_killed_worker_left_a_stop_is_trained_to_its_end(
    runs_dir: Path, text_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Row("row", "a row", shlex.join(["--corpus", str(text_file), *FLAGS]))
    out = train_command.prepared([*row.words, "--out", str(runs_dir / "small" / "row")])
    (out / folder.STOP).touch()

    class Worker(contextlib.nullcontext[None]):
        def __init__(self, words: list[str]) -> None:
            super().__init__()
            main(words[3:])

        def __enter__(self) -> Worker:  # type: ignore[override]
            return self

        def wait(self) -> int:
            return 0

    monkeypatch.setattr("minrnn.cli.study.subprocess.Popen", Worker)
    monkeypatch.setattr("minrnn.cli.study.studies.get", lambda name: Study(name, "?", (row,)))
    study.main(["run", "small"])
    assert last_event(out / METRICS) == Done(3, "max_iters")


def test_a_study_is_listed_as_commands(capsys: pytest.CaptureFixture[str]) -> None:
    study.main(["list", "allplays"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(POINTS[-1].rows())
    assert all(line.startswith("python -m minrnn train --preset allplays --model ") for line in lines)


def test_only_the_weights_of_the_budgets_are_kept(runs_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study.main(["keep"])
    assert capsys.readouterr().out == ""
    with pytest.raises(ConfigError, match="the weights of ladder are not kept; choose among: budgets, "):
        study.main(["keep", "ladder"])
