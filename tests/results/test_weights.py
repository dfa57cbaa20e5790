"""The table of budgets: which runs are its rows, what becomes of the others, and how far seeds differ."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from minrnn.cli import train
from minrnn.results import figures, records, weights
from minrnn.results.records import Record, Records
from minrnn.results.weights_studies import POINTS, Point
from minrnn.runs import folder
from tests.results.run_folders import finished_run, write_metrics

POINT = POINTS[2]
DOCS = Path(__file__).parents[2] / "docs"


def run(
    root: Path, point: Point, model: str, seed: int = 1337, words: tuple[str, ...] = (), **losses: Any
) -> Path:
    """A finished run of a row, as training leaves it; `words` change its recipe."""
    row = point.row(model, seed)
    spec, _, _ = train.parse([*row.words, *words, "--out", "x"])
    out = finished_run(root / point.study / row.name)
    (out / "config.json").unlink()
    moved = out.rename(out.with_name("done"))
    folder.create(out, spec)
    for part in ("model", "metrics.jsonl"):
        (moved / part).rename(out / part)
    (moved).rmdir()
    write_metrics(out / "model", **losses)
    return out


def test_a_finished_row_is_in_the_table_with_its_command(tmp_path: Path) -> None:
    run(tmp_path, POINT, "lstm", 1338, val_loss=1.41)
    found = records.collect(tmp_path, {})
    (r,) = found["budgets"].values()
    assert "--weight-decay 0.6" in r.command and r.command.endswith("runs/budgets/lstm-10m-conv-1338")
    assert weights.gather(found).losses(POINT) == {"lstm": [1.41]}


def test_a_run_by_another_recipe_is_a_trial_and_no_row(tmp_path: Path) -> None:
    run(tmp_path, POINT, "gru", words=("--dropout", "0.45"))
    found = records.collect(tmp_path, {})
    assert weights.gather(found).runs == ()
    (name,) = found["trials"]
    assert name.startswith("budgets-gru-10m-conv-")
    assert records.other_recipe(POINT.row("gru"), found["trials"][name].settings) == ["--dropout 0.45"]


def test_a_changed_recipe_loses_no_figure_and_a_new_run_takes_its_place(tmp_path: Path) -> None:
    run(tmp_path / "old", POINT, "gru", words=("--weight-decay", "0.3"), val_loss=1.6)
    before = records.collect(tmp_path / "old", {})
    run(tmp_path / "new", POINT, "gru", val_loss=1.5)
    after = records.collect(tmp_path / "new", before)
    assert weights.gather(after).losses(POINT) == {"gru": [1.5]}
    assert [r.val_loss for r in after["trials"].values()] == [1.6]
    assert records.collect(tmp_path / "gone", after) == after


def test_what_a_run_reports_and_where_its_preset_came_from_do_not_matter(tmp_path: Path) -> None:
    run(tmp_path, POINT, "gru", words=("--eval-interval", "7", "--sample-interval", "9", "--preset", "base"))
    assert list(records.collect(tmp_path, {})["budgets"]) == ["gru-10m-conv"]


def test_rows_of_a_study_that_is_gone_become_trials() -> None:
    found = records.collect(
        Path("nowhere"), {"conv": {"lstm-conv-4": Record("python -m minrnn train", val_loss=1.5)}}
    )
    assert found["trials"]["conv-lstm-conv-4"].val_loss == 1.5 and "conv" not in found


def test_every_row_of_the_earlier_studies_is_a_trial_with_its_settings() -> None:
    trials = records.load(DOCS / "studies.json")["trials"]
    old = [r for name, r in trials.items() if name.startswith(("conv-", "seeds-", "long-"))]
    assert len(old) == 17 and all(r.settings["preset"] == "base" and r.command for r in old)


def seeds(losses: dict[int, float], **changed: Any) -> dict[str, Record]:
    spec, _, _ = train.parse([*POINT.row("gru").words, "--out", "x"])
    found = {}
    for seed, loss in losses.items():
        recipe = dataclasses.replace(spec.train, seed=seed, **changed)
        settings = dataclasses.asdict(dataclasses.replace(spec, train=recipe))
        found[f"{seed}-{len(changed)}"] = Record("", val_loss=loss, settings=settings)
    return found


def test_the_spread_is_the_widest_range_of_one_recipe_over_seeds() -> None:
    others = seeds({1337: 1.9, 1338: 1.1}, weight_decay=0.2)
    assert weights.spread({"budgets": seeds({1337: 1.40, 1338: 1.43, 1339: 1.42})}) == pytest.approx(0.03)
    assert weights.spread({"budgets": seeds({1337: 1.40}) | seeds({1338: 1.9}, weight_decay=0.2)}) == 0
    some = {"budgets": seeds({1337: 1.40, 1338: 1.43}), "trials": others}
    assert weights.spread(some) == pytest.approx(0.8)  # two seeds of one model may lie close by chance
    whole = {row.name: Record("", val_loss=1.4) for row in POINT.rows()}
    assert weights.spread({**some, "budgets": whole | some["budgets"]}) == pytest.approx(0.03)


def test_before_there_are_rows_with_several_seeds_the_trials_tell_the_spread() -> None:
    trials = seeds({1337: 1.40}, sample_interval=0) | {"b": seeds({1338: 1.42})["1338-0"]}
    assert weights.spread({"budgets": {}, "trials": trials}) == pytest.approx(0.02)


def test_the_table_survives_its_file(tmp_path: Path) -> None:
    run(tmp_path, POINT, "gru")
    found: Records = records.collect(tmp_path, {})
    weights.save(weights.gather(found), tmp_path / "weights.json")
    assert weights.FORM.validate_json((tmp_path / "weights.json").read_bytes()) == weights.gather(found)


def test_the_budgets_of_a_bundled_model_are_its_rows_on_its_text_with_other_numbers_of_characters() -> None:
    runs = [
        weights.Run(p.study, p.name("mingru", seed), "mingru", seed, 1.5, 1.4, p.chars, 1.0)
        for p in POINTS
        for seed in p.seeds
    ]
    own = next(r for r in figures.bundled() if (r.preset, r.model) == ("base", "mingru"))
    at = dataclasses.replace(own, tokens_seen=POINT.chars)
    found = weights.Weights(0.0, tuple(runs)).budgets(at)
    assert [run.row for run in found] == ["mingru-3m-conv", "mingru-30m-conv"]
    assert {run.study for run in found} == {"budgets"}
    assert weights.Weights(0.0, tuple(runs)).budgets(dataclasses.replace(at, preset="replica")) == []
