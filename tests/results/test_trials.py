"""The table of trials."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from minrnn import presets
from minrnn.results import figures, records, trials
from minrnn.results.records import Record
from minrnn.runs.spec import RunSpec
from tests.results.run_folders import finished_run


def trial(preset: str = "base", model: str = "mingru", **recipe: Any) -> Record:
    found = presets.get(preset, model)
    spec = RunSpec("tinyshakespeare", found.model, dataclasses.replace(found.train, **recipe), preset)
    losses = {"val_loss": 1.5, "val_loss_streaming": 1.49}
    return Record("", **losses, tokens_seen=3_300_000, seconds=240, settings=dataclasses.asdict(spec))


def test_a_trial_is_told_by_what_it_changes_in_the_preset() -> None:
    text = trials.trials_table({"a": trial(seed=5), "b": trial()})
    assert "| base minGRU | `--seed 5` | **1.5000** | 1.4900 |  | 3.3 M | 4 min |" in text
    assert "| base minGRU | nothing | **1.5000** |" in text


def test_a_trial_on_another_text_than_the_presets_says_which() -> None:
    other = dataclasses.replace(trial(), settings=trial().settings | {"corpus": "allplays"})
    assert "| base minGRU | `--corpus allplays` | **1.5000** |" in trials.trials_table({"a": other})
    own = dataclasses.replace(trial("allplays"), settings=trial("allplays").settings | {"corpus": "allplays"})
    assert "| allplays minGRU | nothing | **1.5000** |" in trials.trials_table({"a": own})


def test_a_trial_keeps_its_settings_when_its_folder_is_gone(tmp_path: Path) -> None:
    out = finished_run(tmp_path / "runs" / "trials" / "warmer")
    (out / "config.json").write_text(json.dumps(trial(seed=5).settings | {"command": ""}))
    found = records.collect(tmp_path / "runs", {})
    records.save(found, tmp_path / "studies.json")
    kept = records.collect(tmp_path / "gone", records.load(tmp_path / "studies.json"))
    assert "`--seed 5`" in trials.trials_table(kept["trials"])


def test_a_trial_of_any_registered_model_has_its_row() -> None:
    rows = {name: trial("ladder", name) for name in presets.PRESETS["ladder"]}
    text = trials.trials_table(rows)
    assert all(f"| ladder {figures.title(name)} | nothing |" in text for name in rows)


@pytest.mark.parametrize("settings", [{}, {"corpus": "x"}, trial().settings | {"preset": "no_such_preset"}])
def test_a_trial_of_a_preset_that_is_gone_does_not_hide_the_others(settings: dict[str, Any]) -> None:
    gone = dataclasses.replace(trial(), settings=settings, command="python -m minrnn train")
    lines = trials.trials_table({"gone": gone, "b": trial()}).splitlines()
    assert lines[2].startswith("| base minGRU | nothing |")
    assert lines[3].startswith("| another preset | `python -m minrnn train` | **1.5000** |")


def test_failed_trials_and_samples_say_so_after_the_scored_ones() -> None:
    failed = dataclasses.replace(trial(seed=1), val_loss=0.0, failed="out of memory")
    sampled = dataclasses.replace(trial(seed=2), val_loss=1.6, val_loss_streaming=None)
    lines = trials.trials_table({"a": failed, "b": sampled, "c": trial()}).splitlines()[2:]
    wanted = ["**1.5000** | 1.4900", "**1.6000** (of a sample) |  |", "failed: out of memory"]
    assert [words in line for words, line in zip(wanted, lines, strict=True)] == [True] * 3
