"""What a click on a card does, and what it may not do."""

import errno
import io
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minrnn.errors import CheckpointError, ConfigError, MinrnnError
from minrnn.runs.queue import TrainingQueue
from minrnn.tasks import TASKS
from minrnn.ui.train import actions, cards, tab
from minrnn.ui.train.actions import Click, Outcome
from tests.ui.train.trained import ME, made, trained, waiting


def act(action: str, run: str = "a", token: str = "", **more: Any) -> Outcome:
    return actions.act(TrainingQueue(), Click(action, run, **more), token)


def status(name: str = "a") -> str:
    return TrainingQueue().runs.find(name, "").status


def test_a_run_is_taken_out_of_the_queue_and_the_message_names_it(runs_dir: Path) -> None:
    waiting(runs_dir, "a")
    assert act("remove").message.startswith("a no longer waits")
    assert status() == "stopped"


def test_a_run_is_renamed_and_its_folder_keeps_its_name(runs_dir: Path) -> None:
    trained(runs_dir, "a", title="Old")
    assert act("rename", title="  New\nname ").message == "Old is now called New name."
    assert TrainingQueue().runs.find("a", "").title == "New name"


def test_a_run_is_deleted(runs_dir: Path) -> None:
    trained(runs_dir, "a", title="Old")
    assert "Old is deleted" in act("delete").message
    assert not (runs_dir / "a").exists()


def test_a_model_goes_to_compare(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    assert act("use").model == str(runs_dir / "a" / "model")


def test_a_model_that_learned_a_task_has_nothing_to_write_in_compare(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    run = TrainingQueue().runs.find("a", "")
    on_task = replace(run, spec=replace(run.spec, corpus=next(iter(TASKS))))
    assert "use" in cards.actions(run, free=True)
    assert cards.actions(on_task, free=True) == [
        name for name in cards.actions(run, free=True) if name != "use"
    ]


def test_who_waits_is_told_so(runs_dir: Path) -> None:
    waiting(runs_dir, "a")
    made(runs_dir, "b")
    queue = TrainingQueue()
    first, later = (queue.runs.find(name, "") for name in "ab")
    assert tab._started(first, 0).startswith("The training waits for the one before it;")
    assert tab._started(later, 0).startswith("The training starts;")
    assert actions._goes_on(first).startswith("a waits for the run before it")
    assert actions._goes_on(later).startswith("b goes on;")


def test_a_download_is_one_file_with_the_checkpoint_and_the_history(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    file = act("download").file
    assert file is not None and file[0] == "a.zip"
    with zipfile.ZipFile(io.BytesIO(file[1])) as archive:
        assert {"a/config.json", "a/model.safetensors", "a/history.csv"} <= set(archive.namelist())
        assert archive.read("a/history.csv").startswith(b"iter,tokens")


def test_the_download_of_a_run_is_the_same_file_at_any_time(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(runs_dir, "a")
    first = act("download").file
    clock, later = time.localtime, time.gmtime(2_000_000_000)
    monkeypatch.setattr("time.localtime", lambda *when: clock(*when) if when else later)
    assert first == act("download").file


def test_a_download_that_the_disk_does_not_give_or_take_says_which_file_and_what_to_do(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/cache/a.zip")

    monkeypatch.setattr(tab, "save_bytes_to_cache", full)
    with pytest.raises(
        CheckpointError, match=r"a\.zip of 3 B .* \(No space left on device\); free some space"
    ):
        tab._cached(gr.File(), ("a.zip", b"123"))
    trained(runs_dir, "a", title="Mine")
    monkeypatch.setattr("minrnn.runs.listing.zipped_model", full)
    with pytest.raises(CheckpointError, match="Mine: /cache/a.zip cannot be read .*try again"):
        act("download")


def test_a_finished_run_is_trained_further_by_so_many_iters(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(runs_dir, "a")
    monkeypatch.setattr(TrainingQueue, "step", lambda self: None)  # no worker for this test
    act("further", iters=6)
    run = TrainingQueue().runs.find("a", "")
    assert (run.status, run.spec.train.max_iters) == ("waiting", 10)
    trained(runs_dir, "b")
    with pytest.raises(CheckpointError, match="at least 1"):
        act("further", "b")


@pytest.mark.parametrize("action", [*cards.LABELS, "no_such_action"])
def test_an_action_that_does_not_fit_is_refused_and_changes_nothing(runs_dir: Path, action: str) -> None:
    made(runs_dir, "a")
    if action in ("retry", "rename", "delete"):
        return
    with pytest.raises(CheckpointError, match="cannot be"):
        act(action)
    assert status() == "stopped" and (runs_dir / "a").is_dir()


@pytest.mark.parametrize("action", list(cards.LABELS))
def test_on_a_shared_machine_nobody_acts_on_anothers_run(
    runs_dir: Path, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(runs_dir, "a", ME)
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    with pytest.raises(CheckpointError, match="of yours"):
        act(action, token="o" * 20)
    assert (runs_dir / "a").is_dir()


@pytest.mark.parametrize("action", list(cards.LABELS))
def test_where_training_is_off_no_action_is_taken(
    runs_dir: Path, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(runs_dir, "a")
    monkeypatch.setenv("MINRNN_TRAINING", "off")
    with pytest.raises(ConfigError, match="switched off"):
        act(action)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"action": 3}, {"action": "stop", "run": None}, {"action": "x", "more": 1}]
)
def test_a_click_that_is_none_is_refused(data: object) -> None:
    with pytest.raises(MinrnnError):
        actions.read(data)


@pytest.mark.parametrize("name", ["../a", "/etc", "a/../../b", "", "."])
def test_a_click_reaches_no_folder_outside_the_runs(runs_dir: Path, name: str) -> None:
    trained(runs_dir, "a")
    with pytest.raises(CheckpointError, match="no run"):
        act("delete", name)


def test_a_line_is_hidden_and_shown_by_its_run_alone() -> None:
    assert actions.chosen(Click("hide", "a"), {"b": True}) == {"a": False, "b": True}
    assert actions.chosen(Click("show"), {}) == {"older": True}


def test_a_click_is_what_the_page_sends() -> None:
    assert actions.read({"action": "further", "run": "a", "iters": 40}) == Click("further", "a", iters=40)
