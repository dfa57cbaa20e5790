"""What a page is sent: everything at first, and then only what changed."""

import time
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minrnn.models import MODEL_NAMES
from minrnn.runs import listing
from minrnn.runs.listing import Listing
from minrnn.ui.train import view
from tests.ui.train.trained import history, made, reported, trained

SKIPPED = [gr.skip()] * view.OUTPUTS


def look(runs: Listing, seen: Any = None, choices: Any = None, axis: Any = "iters") -> list[Any]:
    return view.refresh(runs, "", seen or {}, choices or {}, axis, [])


def old(root: Path, name: str, age: float, mixer: str = MODEL_NAMES[0]) -> None:
    out = made(root, name, mixer)
    listing.write_about(out, name, time.time() - age, "")
    reported(out, history(20))


def drawn(answer: list[Any]) -> list[str]:
    return [card["run"] for card in answer[3]["cards"] if card["drawn"]]


def test_a_page_is_sent_everything_at_first_and_then_only_what_changed(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    runs = Listing()
    seen, _, chart, cards, samples = look(runs)
    assert len(chart["data"]) == 3 and cards["cards"][0]["run"] == "a" and samples[0]["samples"]
    assert look(runs, seen) == SKIPPED
    changed = look(runs, seen, axis="seconds")
    assert changed[2]["data"] and changed[3:] == SKIPPED[3:]


def test_an_empty_page_shows_a_stored_run_in_grey(runs_dir: Path) -> None:
    _, _, chart, cards, samples = look(Listing())
    assert len(chart["data"]) == 3 and "about five seconds" in str(chart["layout"]["annotations"])
    (card,) = cards["cards"]
    assert card["run"] == "" and card["actions"] == [] and samples[0]["samples"]


def test_the_stored_run_stays_until_there_is_a_point_of_ones_own(runs_dir: Path) -> None:
    out = made(runs_dir, "a")
    seen, _, chart, cards, _ = look(runs := Listing())
    assert "stored" in str(chart["layout"]["annotations"]) and [c["run"] for c in cards["cards"]] == ["a"]
    reported(out, history(3))
    chart = look(runs, seen)[2]
    assert "stored" not in str(chart["layout"]["annotations"])


def test_a_new_page_draws_the_runs_that_were_asked_for_last(runs_dir: Path) -> None:
    old(runs_dir, "before", 500)
    old(runs_dir, "last", 5)
    answer = look(Listing())
    assert drawn(answer) == ["last"] and len(answer[3]["cards"]) == 2


def test_a_new_run_joins_the_curves_that_are_shown(runs_dir: Path) -> None:
    old(runs_dir, "a", 500)
    seen = look(runs := Listing())[0]
    old(runs_dir, "b", 1)
    assert drawn(look(runs, seen)) == ["b", "a"]


def test_a_line_is_shown_and_hidden_by_the_visitor(runs_dir: Path) -> None:
    old(runs_dir, "a", 500)
    old(runs_dir, "b", 5)
    assert drawn(look(Listing(), choices={"a": True, "b": False})) == ["a"]


def test_many_runs_are_shown_in_part_and_whole_on_request(runs_dir: Path) -> None:
    for n in range(view.MAX_CARDS + 3):
        old(runs_dir, f"run{n}", 10 + n)
    cards = look(Listing())[3]
    assert (len(cards["cards"]), cards["older"]) == (view.MAX_CARDS, 3)
    cards = look(Listing(), choices={view.OLDER: True})[3]
    assert (len(cards["cards"]), cards["older"]) == (view.MAX_CARDS + 3, 0)


def test_a_folder_that_is_no_run_is_told_in_one_line(runs_dir: Path) -> None:
    for name in ("theirs", "theirs2"):
        (runs_dir / name).mkdir(parents=True)
        (runs_dir / name / "config.json").write_text('{"epochs": 3}')
    passed = look(Listing())[3]["passed"]
    assert "theirs" in passed and passed.endswith("(and 1 more)") and "\n" not in passed


def test_a_visitor_of_a_shared_machine_learns_nothing_of_its_folders(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runs_dir / "theirs").mkdir(parents=True)
    (runs_dir / "theirs" / "config.json").write_text('{"epochs": 3}')
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    assert look(Listing())[3]["passed"] == ""


def test_what_cannot_be_read_is_logged_and_the_page_stays(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "no_such_mode")
    assert look(Listing()) == SKIPPED
    assert "could not be read" in caplog.text
