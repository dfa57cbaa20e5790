"""The tasks as tables."""

from __future__ import annotations

from pathlib import Path

from minrnn.results import records, tasks
from minrnn.results.records import Record
from minrnn.results.studies import get
from minrnn.results.tables import NOT_YET
from minrnn.tasks import TASKS, find_task
from tests.results.run_folders import finished_run

ACCURACY = {str(T): 1 - T / 1e5 for T in find_task("parity").test_lengths}


def test_a_run_on_a_task_becomes_a_row_with_its_accuracy_by_length(tmp_path: Path) -> None:
    name = get("tasks").rows[0].name
    finished_run(tmp_path / "tasks" / name, val_loss_streaming=None, bits_per_char=None, accuracy=ACCURACY)
    rows = records.collect(tmp_path, {})["tasks"]
    text = tasks.sections(rows)["tasks"]
    assert "| 0.99 | 0.99 | 0.99 | 0.99 | 0.99 | 1.500 | 0.8 M |" in text
    assert text.count(NOT_YET) == len(get("tasks").rows) - 1


def test_an_accuracy_outlives_its_folder_and_a_text_has_none(tmp_path: Path) -> None:
    found = {"tasks": {"a": Record("", accuracy=ACCURACY)}, "layers": {"b": Record("")}}
    records.save(found, tmp_path / "studies.json")
    assert records.load(tmp_path / "studies.json") == found
    assert (tmp_path / "studies.json").read_text().count("accuracy") == 1


def test_an_accuracy_of_one_is_not_said_of_less() -> None:
    row = get("tasks").rows[0].name
    text = tasks.sections({row: Record("", accuracy=ACCURACY | {"32": 1.0, "64": 0.9999})})["tasks"]
    assert "| 1.00 | 0.99 |" in text


def test_every_task_of_the_page_has_its_rule_and_its_theory() -> None:
    text = tasks.sections({})["tasks"]
    for task in TASKS.values():
        assert (f"(`{task.name}`)" in text and task.theory in text) == task.on_page
