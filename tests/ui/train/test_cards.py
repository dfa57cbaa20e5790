"""A run's card: what it says, and exactly the actions that fit."""

import time
from pathlib import Path
from typing import Any

import pytest

from minrnn.models import MODEL_NAMES
from minrnn.runs import folder, listing
from minrnn.runs.events import METRICS
from minrnn.runs.listing import Listing
from minrnn.runs.lock import held
from minrnn.ui.theme import color, dash
from minrnn.ui.train import cards, looks
from tests.ui.tasks.trained import scored
from tests.ui.train.trained import MARKUP, history, made, reported, trained, waiting


def offered(name: str, free: bool = True) -> list[str]:
    return cards.actions(Listing().find(name, ""), free)


def test_a_run_that_waits_can_be_removed_and_renamed_and_no_more(runs_dir: Path) -> None:
    assert offered(waiting(runs_dir, "a")) == ["remove", "rename"]


def test_a_run_that_trains_can_be_stopped_until_it_stops(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    with held(runs_dir / "a"):
        assert offered("a") == ["stop", "use", "download", "rename"]
        (runs_dir / "a" / folder.STOP).touch()
        assert offered("a") == ["use", "download", "rename"]


def test_a_finished_run_is_used_downloaded_trained_further_renamed_or_deleted(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    assert offered("a") == ["use", "download", "further", "rename", "delete"]


@pytest.mark.parametrize("way", ["stopped", "failed", "killed"])
def test_a_run_that_ended_early_can_go_on(runs_dir: Path, way: str) -> None:
    trained(runs_dir, "a")
    out = runs_dir / "a"
    lines = [line for line in (out / METRICS).read_text().splitlines() if '"done"' not in line]
    if way == "stopped":
        lines.append('{"event": "done", "iter": 2, "reason": "stopped"}')
    if way == "failed":
        (out / folder.ERROR).write_text("the disk is full\n")
    (out / METRICS).write_text("\n".join(lines) + "\n")
    assert Listing().find("a", "").status == way
    assert offered("a") == ["go_on", "use", "download", "rename", "delete"]


def test_a_run_without_a_model_offers_nothing_that_needs_one(runs_dir: Path) -> None:
    made(runs_dir, "a")
    assert offered("a") == ["retry", "rename", "delete"]


def test_a_shared_machine_offers_no_second_job_and_no_longer_budget(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Listing().find(trained(runs_dir, "a"), "")
    stopped = Listing().find(made(runs_dir, "b").name, "")
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    assert "further" not in cards.actions(run, free=True)
    assert "retry" in cards.actions(stopped, free=True) and "retry" not in cards.actions(stopped, free=False)


def test_every_action_has_a_label(runs_dir: Path) -> None:
    (item,) = looks.with_looks(Listing(), [Listing().find(trained(runs_dir, "a"), "")])
    data: Any = cards.as_data(cards.card(item, drawn=True, free=True))
    assert data["actions"][0] == {"name": "use", "label": "Use in Compare"}
    assert data["title"] == MARKUP and data["phase"] == "finished" and data["done"] == 1.0


def test_the_details_say_what_a_card_promises(runs_dir: Path) -> None:
    (item,) = looks.with_looks(Listing(), [Listing().find(trained(runs_dir, "a"), "")])
    found = {fact.label: fact.text for fact in cards.details(item)}
    assert found["of 4 iters"] == "4" and found["folder"] == "a"
    assert "gradient norm" in found and "peak memory" in found
    assert any(label.startswith("parameters: embedding") for label in found)
    assert any("cpu: as asked" in label for label in found)
    assert "--model mingru" in cards.card(item, True, True).command


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_models_first_run_has_its_colour_and_a_second_one_is_lighter_and_dashed(
    runs_dir: Path, model: str
) -> None:
    for at, name in enumerate(("new", "old")):
        out = made(runs_dir, name, model)
        listing.write_about(out, name, time.time() - at, "")
    newer, older = looks.with_looks(Listing(), Listing().listed(""))
    assert (older.look.color, older.look.dash, older.look.repeat) == (color(model), dash(model), False)
    assert (newer.look.color, newer.look.dash, newer.look.repeat) == (color(model), looks.REPEAT_DASH, True)


def test_a_run_that_goes_on_is_starting_until_it_says_something(runs_dir: Path) -> None:
    trained(runs_dir, "a")
    with held(runs_dir / "a"):
        (item,) = looks.with_looks(Listing(), [Listing().find("a", "")])
        assert looks.phase(item) == "starting" and looks.seconds_left(item) is None


def test_the_time_left_follows_the_budget_that_is_spent_first(runs_dir: Path) -> None:
    out = made(runs_dir, "a")
    reported(out, history(2))
    with held(out):
        (item,) = looks.with_looks(Listing(), [Listing().find("a", "")])
    assert looks.progress(item) == 0.5
    assert looks.seconds_left(item) == pytest.approx(0.2)


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (75, "1 min 15 s"), (7_500, "2 h 05 min")])
def test_a_duration_is_told_as_people_tell_it(seconds: float, text: str) -> None:
    assert cards.duration(seconds) == text


def test_accuracy_stands_beside_the_loss_of_a_run_on_a_task_and_of_no_other(runs_dir: Path) -> None:
    scored(runs_dir, "a", share=0.999)
    trained(runs_dir, "b")
    task, text = (looks.with_looks(Listing(), [Listing().find(name, "")])[0] for name in "ab")
    assert [fact.label for fact in cards.card(task, True, True).facts][:2] == ["loss", "accuracy"]
    found = {fact.label: fact.text for fact in cards.details(task)}
    assert found["accuracy at 512 characters"] == "0.99" and "bits a character" not in found
    assert not any(
        "accuracy" in fact.label for fact in [*cards.card(text, True, True).facts, *cards.details(text)]
    )


def test_a_model_with_signed_decays_is_another_model(runs_dir: Path) -> None:
    scored(runs_dir, "a", "mingru", asked=1e9)
    scored(runs_dir, "b", "mingru-signed", asked=2e9)
    signed, plain = looks.with_looks(Listing(), Listing().listed(""))
    assert signed.look.color != plain.look.color and not signed.look.repeat


def test_the_losses_of_a_run_on_a_task_are_per_answer_and_of_one_on_a_text_per_character(
    runs_dir: Path,
) -> None:
    scored(runs_dir, "task")
    made(runs_dir, "text")
    runs = Listing()
    found = {item.run.name: looks.curve(item).per for item in looks.with_looks(runs, runs.every())}
    assert found == {"task": "answer", "text": "character"}
