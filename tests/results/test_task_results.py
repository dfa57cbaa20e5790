"""What every model reached on every task, over seeds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pydantic import TypeAdapter

from minrnn.results import task_results
from minrnn.results.records import Record
from minrnn.results.task_results import Stored
from minrnn.results.task_studies import TASK_SEEDS, task_models, task_rows
from minrnn.tasks import TASKS

PARITY = TASKS["parity"]


def record(share: float, date: str = "2026-01-02", **more: object) -> Record:
    accuracy = {str(T): share for T in PARITY.test_lengths}
    return Record("", accuracy=accuracy, device="a machine", date=date, **more)  # type: ignore[arg-type]


def rows(*shares: float) -> dict[str, Record]:
    """Records of the LSTM on parity, one for each seed."""
    names = [task_rows(PARITY, seed)["lstm"].name for seed in TASK_SEEDS]
    return {name: record(share) for name, share in zip(names, shares, strict=False)}


def test_seeds_become_a_mean_and_the_worst() -> None:
    result = task_results.gather(rows(1.0, 0.5, 0.9)).results["parity"]["lstm"]
    assert (result.seeds, result.mean[32], result.worst[512]) == (3, 0.8, 0.5)


def test_a_task_is_solved_at_a_length_where_every_seed_solves_it() -> None:
    solved = task_results.gather(rows(1.0, 0.99)).results["parity"]["lstm"]
    not_solved = task_results.gather(rows(1.0, 0.98)).results["parity"]["lstm"]
    assert solved.solves(512) and not not_solved.solves(512) and not solved.solves(513)


def test_a_failed_row_counts_as_not_run() -> None:
    name = task_rows(PARITY, TASK_SEEDS[0])["lstm"].name
    assert task_results.gather({name: Record("", failed="killed")}).results == {}


def test_the_curve_is_that_of_the_first_seed() -> None:
    name = task_rows(PARITY, TASK_SEEDS[0])["gru"].name
    found = task_results.gather({name: record(1.0, curve_tokens=[0, 5], curve_accuracy=[0.5, 1.0])})
    assert found.results["parity"]["gru"].curve == [(0, 0.5), (5, 1.0)]


def test_the_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    found = task_results.gather(rows(1.0, 0.5))
    task_results.save(found, tmp_path / "tasks.json")
    assert TypeAdapter(Stored).validate_json((tmp_path / "tasks.json").read_bytes()) == found


def test_machine_and_date_are_those_of_the_runs() -> None:
    found = rows(1.0, 0.5)
    found[next(iter(found))] = record(1.0, date="2026-03-04")
    assert (task_results.gather(found).machine, task_results.gather(found).date) == (
        "a machine",
        "2026-03-04",
    )


def test_the_shipped_figures_name_known_tasks_and_models() -> None:
    shipped = task_results.stored()
    assert set(shipped.results) <= set(TASKS)
    assert all(set(found) <= set(task_models()) for found in shipped.results.values())


def test_the_shipped_hashes_are_those_of_todays_tasks() -> None:
    shipped = TypeAdapter(Stored).validate_json(task_results.SHIPPED.read_bytes())
    assert shipped.sha256 == {name: TASKS[name].sha256 for name in shipped.results}
    assert task_results.stored() == shipped


def test_results_of_a_task_that_was_changed_since_count_as_not_run() -> None:
    found = task_results.gather(rows(1.0))
    assert task_results.of_today(found) == found
    for sha256 in ({"parity": "of another rule"}, {}):
        assert task_results.of_today(dataclasses.replace(found, sha256=sha256)).results == {}


def test_results_at_other_lengths_than_the_tasks_count_as_not_run() -> None:
    found = task_results.gather(rows(1.0))
    short = dataclasses.replace(found.results["parity"]["lstm"], mean={8: 1.0, 16: 1.0})
    assert (
        task_results.of_today(dataclasses.replace(found, results={"parity": {"lstm": short}})).results == {}
    )


def test_a_run_that_was_scored_in_part_counts_as_not_run() -> None:
    found = rows(1.0, 0.5)
    first = next(iter(found))
    found[first] = dataclasses.replace(found[first], accuracy={"32": 1.0, "64": 1.0})
    result = task_results.gather(found).results["parity"]["lstm"]
    assert (result.seeds, result.mean[512]) == (1, 0.5)
