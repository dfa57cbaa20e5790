"""The Tasks tab as a whole: what it says where, what its button asks for, and what a trained model answers."""

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minrnn import settings
from minrnn.errors import CheckpointError, ConfigError
from minrnn.runs import limits
from minrnn.runs.lock import held
from minrnn.runs.queue import TrainingQueue
from minrnn.tasks import TASKS
from minrnn.ui.listeners import Slots
from minrnn.ui.tasks import tab
from minrnn.ui.tasks.entrants import entrants
from minrnn.ui.tasks.view import offered
from minrnn.ui.visitor import visitor
from tests.ui.tasks.trained import learnt, made, scored, waiting


def config(mode: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("MINRNN_TRAINING", mode)
    with gr.Blocks(analytics_enabled=False) as demo, gr.Tab("Tasks"):
        tab.build(TrainingQueue(), visitor(), Slots())
    return {part["props"].get("elem_id"): part["props"] for part in demo.config["components"]}


@pytest.mark.parametrize("mode", ["full", "limited", "off"])
def test_stored_results_stand_there_in_every_mode_and_the_button_where_one_may_train(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = config(mode, monkeypatch)
    assert any(row["stored"] for row in parts["tasks-outcome"]["value"]["models"])
    assert parts["tasks-start"]["visible"] == (mode != "off")


def test_the_tab_takes_its_tasks_from_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    found = config("full", monkeypatch)["tasks-choice"]["choices"]
    assert [tuple(choice) for choice in found] == [(t.title, t.name) for t in TASKS.values() if t.on_page]


def test_the_button_asks_for_every_model_within_what_a_shared_machine_allows() -> None:
    for task in offered():
        specs = limits.limited(tab.request(task.name).specs())
        assert [spec.model_key for spec in specs] == [entrant.key for entrant in entrants()]
        assert {spec.corpus for spec in specs} == {task.name}
        spent = sum(spec.train.max_seconds + tab.AROUND_S for spec in specs)
        assert spent <= settings.MAX_TRAIN_SECONDS_LIMITED


@pytest.mark.parametrize("name", ["no_such_task", "tinyshakespeare", "majority", ""])
def test_what_the_tab_does_not_offer_is_not_trained(name: str) -> None:
    with pytest.raises(ConfigError, match="choose one of: parity"):
        tab.request(name)


@pytest.mark.parametrize("asked", [None, "x", {}, {"task": "no"}, {"task": ["x"], "seed": -1}, {"seed": 2.5}])
def test_an_example_that_makes_no_sense_is_the_first_one(asked: Any) -> None:
    assert tab.new_example(asked) == tab.described(offered()[0])["example"]


def test_another_seed_is_another_example() -> None:
    first, other = (tab.new_example({"task": "recall", "seed": seed}) for seed in (1, 2))
    assert first != other and len(first["sees"]) == len(first["wants"]) == 64


def test_a_trained_model_answers_and_every_answer_is_marked(runs_dir: Path) -> None:
    learnt(runs_dir, "a")
    found = tab.answers(TrainingQueue(), "parity", "", {"model": "mingru", "seed": 5})
    right = ["✓" if a == b else "✗" for a, b in zip(found["wants"], found["answers"], strict=True)]
    assert found["marks"] == right and len(right) == 32
    assert found["said"] == f"minGRU, Parity: {right.count('✓')} of 32 right"
    assert found["sees"] == tab.new_example({"task": "parity", "seed": 5})["sees"]


@pytest.mark.parametrize("model", ["mingru", "lstm", "../x", None, ["a"]])
def test_a_model_that_is_not_trained_here_answers_nothing(runs_dir: Path, model: Any) -> None:
    made(runs_dir, "a", "mingru")
    with pytest.raises(CheckpointError, match="not trained here on Parity; train it first"):
        tab.answers(TrainingQueue(), "parity", "", {"model": model})


def test_a_click_is_on_the_task_that_its_table_shows_and_on_no_other() -> None:
    assert tab.clicked_task({"task": "copying"}, "parity") == "copying"
    for nonsense in ({}, {"task": "majority"}, {"task": ["copying"]}, {"task": None}):
        assert tab.clicked_task(nonsense, "parity") == "parity"


def test_stop_takes_the_job_out_of_the_queue_also_where_one_ends_at_that_moment(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(runs_dir, "a", asked=2e9)
    waiting(runs_dir, "b", "lstm", asked=2e9, order=1)
    waiting(runs_dir, "c", "gru", asked=2e9, order=2)
    queue = TrainingQueue()
    true = queue.runs.listed
    before = [dataclasses.replace(run, status="running") if run.name == "a" else run for run in true("")]
    looks = iter([before])
    monkeypatch.setattr(queue.runs, "listed", lambda token: next(looks, None) or true(token))
    assert tab.stop_job(queue, TASKS["parity"], "").startswith("The run that trains saves and stops")
    assert [run.status for run in true("")] == ["finished", "stopped", "stopped"]


def test_stop_empties_the_queue_before_it_stops_what_trains(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(TrainingQueue, "stop", lambda self, name, token: stopped.append(name))
    made(runs_dir, "a", asked=2e9)
    waiting(runs_dir, "b", "lstm", asked=2e9, order=1)
    with held(runs_dir / "a"):
        tab.stop_job(TrainingQueue(), TASKS["parity"], "")
    assert stopped == ["b", "a"]


def test_stop_that_comes_too_late_says_so(runs_dir: Path) -> None:
    scored(runs_dir, "a")
    said = tab.stop_job(TrainingQueue(), TASKS["parity"], "")
    assert said == "Nothing trains on Parity any more; what was trained stays."
