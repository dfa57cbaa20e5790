"""What a page of the Tasks tab is sent: everything at first, then only what changed; and how far a job is."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minrnn.runs.listing import Listing
from minrnn.runs.lock import held
from minrnn.tasks import TASKS
from minrnn.ui.tasks import view
from tests.ui.tasks.trained import made, scored, waiting

SKIPPED = [gr.skip()] * view.OUTPUTS


def look(runs: Listing, seen: Any = None, name: str = "parity", revealed: Any = ()) -> list[Any]:
    return view.refresh(runs, "", seen or {}, name, "iters", revealed)


def of_parity(runs: Listing) -> dict[str, Any]:
    return view.latest(runs, runs.listed(""), TASKS["parity"])


def job(runs: Listing) -> list[Any]:
    return view.job_of(runs, runs.listed(""), TASKS["parity"])


def test_a_page_is_sent_everything_at_first_and_then_only_what_changed(runs_dir: Path) -> None:
    scored(runs_dir, "a")
    seen, _, go, halt, progress, table, chart = look(runs := Listing())
    assert go.visible and not halt.visible and progress["text"] == "All trained."
    assert table["task"] == "parity" and len(chart["data"]) == 1
    assert look(runs, seen) == SKIPPED


def test_no_button_appears_where_training_is_off(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "off")
    _, _, go, halt, *_ = look(Listing())
    assert not go.visible and not halt.visible


def test_another_task_has_another_table_and_not_these_runs(runs_dir: Path) -> None:
    scored(runs_dir, "a")
    seen = look(runs := Listing())[0]
    changed = look(runs, seen, name="flip_flop")
    assert changed[5]["task"] == "flip_flop" and not any(row["own"] for row in changed[5]["models"])
    assert changed[6] is None


def test_stored_lines_are_drawn_once_they_may_be_seen(runs_dir: Path) -> None:
    seen, *_, chart = look(runs := Listing())
    assert chart is None
    chart = look(runs, seen, revealed=["parity"])[-1]
    assert {line["hovertemplate"].split()[0] for line in chart["data"]} == {"stored"}


def test_the_latest_run_of_each_model_counts(runs_dir: Path) -> None:
    for name, model, asked in (("old", "lstm", 1e9), ("new", "lstm", 2e9), ("other", "mingru-signed", 1e9)):
        scored(runs_dir, name, model, asked=asked)
    assert {key: item.run.name for key, item in of_parity(Listing()).items()} == {
        "lstm": "new", "mingru-signed": "other",
    }  # fmt: skip


def test_a_run_that_never_had_its_turn_hides_no_earlier_one_and_belongs_to_its_job(runs_dir: Path) -> None:
    scored(runs_dir, "earlier", "lstm", asked=1e9)
    for name, model, order in (("first", "lstm", 0), ("second", "gru", 1)):
        made(runs_dir, name, model, asked=2e9, order=order)
    assert {key: item.run.name for key, item in of_parity(Listing()).items()} == {
        "lstm": "earlier", "gru": "second",
    }  # fmt: skip
    assert [item.run.name for item in job(Listing())] == ["first", "second"]
    waiting(runs_dir, "third", "lstm", asked=3e9)
    assert of_parity(Listing())["lstm"].run.name == "third"


def test_runs_of_another_preset_are_not_the_tasks(runs_dir: Path) -> None:
    out = scored(runs_dir, "a")
    text = (out / "config.json").read_text(encoding="utf-8")
    (out / "config.json").write_text(text.replace('"preset": "task"', '"preset": "tiny"'), encoding="utf-8")
    assert of_parity(Listing()) == {}


def test_a_job_tells_its_turn_and_the_time_left(runs_dir: Path) -> None:
    scored(runs_dir, "a", "mingru", asked=2e9)
    waiting(runs_dir, "b", "lstm", asked=2e9, order=1)
    waiting(runs_dir, "c", "gru", asked=2e9, order=2)
    runs = job(Listing())
    assert [item.run.name for item in runs] == ["a", "b", "c"]
    found = view.job_progress(runs)
    assert found is not None and found["active"] and found["done"] == pytest.approx(1 / 3)
    assert found["text"] == "Waiting for the machine, 2 of 3, then about 34 s."


def test_a_job_that_trains_says_how_long_it_goes_on(runs_dir: Path) -> None:
    made(runs_dir, "a", asked=2e9)
    with held(runs_dir / "a"):
        found = view.job_progress(job(Listing()))
    assert found is not None and found["text"] == "minGRU: starting, 1 of 1, about 25 s left."


def test_a_job_that_was_stopped_says_how_many_came_to_the_end(runs_dir: Path) -> None:
    scored(runs_dir, "a", "mingru", asked=2e9)
    made(runs_dir, "b", "lstm", asked=2e9, order=1)
    found = view.job_progress(job(Listing()))
    assert found == {"active": False, "done": 1.0, "text": "1 of 2 trained to the end."}


def test_a_page_at_another_task_hears_that_runs_go_on(runs_dir: Path) -> None:
    waiting(runs_dir, "a", "lstm")
    progress = look(Listing(), name="brackets")[4]
    assert progress == {"active": False, "done": 0.0, "text": "Still training: Parity."}


@pytest.mark.parametrize("name", ["no_such_task", None, "<b>"])
def test_what_cannot_be_read_is_logged_and_the_page_stays(
    runs_dir: Path, name: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert look(Listing(), name=name) == SKIPPED
    assert "could not be read" in caplog.text
