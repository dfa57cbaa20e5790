"""The weights behind the table of budgets: all are here, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch

from minrnn import checkpoint
from minrnn.cli.main import main
from minrnn.corpora import Corpus
from minrnn.models import disk
from minrnn.results import kept, records, report
from minrnn.results.studies import STUDIES
from minrnn.results.study import Row, Study
from minrnn.results.weights_studies import WEIGHTS
from minrnn.runs.folder import MODEL
from tests.runs.helpers import halved, trained

DOCS = Path(__file__).parents[2] / "docs"
FOUND = records.load(DOCS / report.RECORDS)
ROWS = [(study, name, made) for study in WEIGHTS for name, made in FOUND.get(study, {}).items()]


@pytest.mark.parametrize(("study", "name", "made"), ROWS, ids=[f"{study}/{name}" for study, name, _ in ROWS])
def test_the_weights_of_every_row_are_here(study: str, name: str, made: records.Record) -> None:
    folder = kept.find(study, name, made)
    assert folder is not None
    shape = disk.read_config(folder / disk.CONFIG)
    assert dataclasses.asdict(dataclasses.replace(shape, vocab="")) == made.settings["model"]


def test_no_weights_lie_there_that_are_not_a_rows() -> None:
    folders = {path.parent for path in (checkpoint.BUNDLED / kept.FOLDER).rglob(disk.CONFIG)}
    assert folders and folders <= {kept.find(*row) for row in ROWS}


def test_the_page_that_shows_a_row_shows_what_scores_it() -> None:
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    lines = [line for study in WEIGHTS for line in kept.scores(STUDIES[study], FOUND.get(study, {}))]
    assert len(lines) == len(ROWS) and all(line in page for line in lines)


def test_kept_weights_give_their_rows_figure_again(
    shakespeare: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    study, name, made = ROWS[0]
    line = next(kept.scores(STUDIES[study], {name: made}))
    assert f"{kept.FOLDER}/{study}/{name}" in line
    main(line.split()[3:])
    assert json.loads(capsys.readouterr().out)["val_loss"] == pytest.approx(made.val_loss, abs=1e-4)


def test_only_a_row_that_has_ended_by_its_recipe_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "checkpoints")
    study, run = Study("small", "?", ()), trained(tmp_path / "runs" / "row")
    row, other = Row("row", "", "--model mingru"), Row("other", "", "--model lstm")
    assert kept.keep(study, other, run) is None and kept.keep(study, row, halved(tmp_path / "half")) is None
    target = kept.keep(study, row, run)
    assert target == tmp_path / "checkpoints" / "rows" / "small" / "row"
    weights, whole = (folder / disk.WEIGHTS for folder in (target, run / MODEL))
    assert weights.stat().st_size < 0.6 * whole.stat().st_size
    ours, theirs = checkpoint.load(target).model, checkpoint.load(run / MODEL).model
    idx = torch.arange(20).unsqueeze(0)
    torch.testing.assert_close(ours(idx)[0], theirs(idx)[0], atol=1e-2, rtol=0)


def test_a_row_that_is_bundled_is_not_kept_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "checkpoints")
    run = trained(tmp_path / "runs" / "row")
    bundled = tmp_path / "checkpoints" / "base" / "mingru"
    shutil.copytree(run / MODEL, bundled)
    assert kept.keep(Study("small", "?", ()), Row("row", "", "--model mingru"), run) == bundled
    assert not (tmp_path / "checkpoints" / kept.FOLDER).exists()
