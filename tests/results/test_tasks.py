"""The tasks as tables."""

from __future__ import annotations

from pathlib import Path

from minrnn.results import records, tasks
from minrnn.results.records import Record
from minrnn.results.studies import get
from minrnn.results.tables import NOT_YET
from minrnn.results.task_studies import RATED_TASKS, RATES, rate_row, task_models, task_rows
from minrnn.tasks import TASKS, find_task
from tests.results.run_folders import finished_run

ACCURACY = {str(T): 1 - T / 1e5 for T in find_task("parity").test_lengths}


def test_a_run_on_a_task_becomes_a_row_with_its_accuracy_by_length(tmp_path: Path) -> None:
    name = get("tasks").rows[0].name
    finished_run(tmp_path / "tasks" / name, val_loss_streaming=None, bits_per_char=None, accuracy=ACCURACY)
    found = tasks.sections(records.collect(tmp_path, {}))
    assert "| 0.99 | 0.99 | 0.99 | 0.99 | 0.99 | 1 | 1.500 | 0.8 M |" in found["tasks"]
    assert (found["tasks"] + found["further"]).count(NOT_YET) == len(TASKS) * len(task_models()) - 1


def test_an_accuracy_outlives_its_folder_and_a_text_has_none(tmp_path: Path) -> None:
    found = {"tasks": {"a": Record("", accuracy=ACCURACY)}, "layers": {"b": Record("")}}
    records.save(found, tmp_path / "studies.json")
    assert records.load(tmp_path / "studies.json") == found
    assert (tmp_path / "studies.json").read_text().count("accuracy") == 1


def test_an_accuracy_of_one_is_not_said_of_less() -> None:
    row = get("tasks").rows[0].name
    text = tasks.sections({"tasks": {row: Record("", accuracy=ACCURACY | {"32": 1.0, "64": 0.9999})}})[
        "tasks"
    ]
    assert "| 1.00 | 0.99 |" in text


def test_a_table_has_the_mean_of_the_seeds_and_the_worst() -> None:
    rows = task_rows(TASKS["parity"], 1337), task_rows(TASKS["parity"], 1338)
    lengths = TASKS["parity"].test_lengths
    found = {
        row["lstm"].name: Record("", accuracy={str(T): share for T in lengths})
        for row, share in zip(rows, (1.0, 0.5), strict=True)
    }
    assert "| LSTM | 0.75 (0.50) |" in tasks.sections({"tasks": found})["tasks"]


def test_every_task_has_its_rule_and_its_theory_where_it_belongs() -> None:
    found = tasks.sections({})
    for task in TASKS.values():
        text = found["tasks" if task.on_page else "further"]
        assert f"(`{task.name}`)" in text and task.theory in text


def test_selective_copying_by_layers_has_the_paper_s_figures_beside_ours() -> None:
    accuracy = {str(T): 0.5 for T in TASKS["selective_copying"].test_lengths}
    text = tasks.sections({"copy-layers": {"mingru-2": Record("", val_loss=0.7, accuracy=accuracy)}})[
        "layers"
    ]
    assert "| minGRU, 2 layers | 96.8 ± 3.2 | 0.50 | 0.50 | 0.50 | 0.50 | 0.50 | 0.700 |" in text
    assert f"| LSTM, 3 layers |  | {NOT_YET} |" in text
    assert set(tasks.PAPER) <= {row.label for row in get("copy-layers").rows}


def test_rates_stand_side_by_side_and_the_preset_s_own_is_a_row_of_the_tasks() -> None:
    own, other = rate_row(TASKS["parity"], "lstm", "1e-2"), rate_row(TASKS["parity"], "lstm", "1e-3")
    assert own[0] == "tasks" and other[0] == "task-rates" and "--learning-rate 1e-3" in other[1].flags
    found = {study: {row.name: Record("", val_loss=0.5, accuracy=ACCURACY)} for study, row in (own, other)}
    line = f"| Parity | LSTM | 0.5000 / 0.99 / 0.99 | {NOT_YET} | **0.5000 / 0.99 / 0.99** |"
    assert line in tasks.sections(found)["rates"]


def test_every_model_is_tried_with_every_rate() -> None:
    rows = {row.name for row in get("task-rates").rows}
    pairs = {rate_row(TASKS[t], key, rate) for t in RATED_TASKS for key in task_models() for rate in RATES}
    assert {row.name for study, row in pairs if study == "task-rates"} == rows
    assert len(pairs) == len(RATED_TASKS) * len(RATES) * len(task_models())
