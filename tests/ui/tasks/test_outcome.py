"""The table beside theory's word: what is stored, what was trained here, and what was not run."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from minrnn.results.task_results import Stored, TaskResult
from minrnn.runs.events import METRICS
from minrnn.runs.listing import Listing
from minrnn.tasks import TASKS, Task
from minrnn.ui.tasks import outcome as tested
from minrnn.ui.tasks.entrants import entrants
from minrnn.ui.tasks.view import latest
from tests.ui.tasks.trained import made, scored

PARITY = TASKS["parity"]
T = PARITY.test_lengths[-1]
EVERY = {entrant.key for entrant in entrants()}


def release(**shares: float) -> Stored:
    """A release in which these models reached the same accuracy at every length."""
    found = {key.replace("_", "-"): share for key, share in shares.items()}
    by_length = {key: dict.fromkeys(PARITY.test_lengths, share) for key, share in found.items()}
    results = {
        key: TaskResult(key, key, 3, at, at, [(0, 0.5)], 0.1, 1, 1_200_000, 1.0, 9.0)
        for key, at in by_length.items()
    }
    return Stored("a machine", "2026-11-25", {"parity": results})


def rows(root: Path, monkeypatch: pytest.MonkeyPatch, **shares: float) -> dict[str, Any]:
    monkeypatch.setattr(tested, "shipped", lambda: release(**shares))
    runs = Listing()
    found = tested.outcome(PARITY, latest(runs, runs.listed(""), PARITY))
    return {row["key"]: row for row in found["models"]}


def test_every_model_of_the_study_has_a_row_and_what_was_not_run_has_no_figure(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = rows(runs_dir, monkeypatch, lstm=1.0)
    assert set(found) == EVERY and "mingru-signed" in EVERY
    assert {key for key, row in found.items() if row["stored"]} == {"lstm"}
    assert all(row["own"] is None for row in found.values())


@pytest.mark.parametrize(("share", "said"), [(1.0, ", as stored"), (0.5, ", unlike stored")])
def test_a_run_is_compared_with_the_stored_one_length_by_length(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, share: float, said: str
) -> None:
    scored(runs_dir, "a", "lstm", share=share)
    own = rows(runs_dir, monkeypatch, lstm=1.0)["lstm"]["own"]
    assert len(own["cells"]) == 5 and own["against"] == said


def test_a_run_whose_seconds_were_over_says_how_far_it_came(runs_dir: Path) -> None:
    scored(runs_dir, "a", "lstm", iters=400)
    scored(runs_dir, "b", "gru", iters=600)
    runs = Listing()
    first, second = tested.outcome(PARITY, latest(runs, runs.listed(""), PARITY))["own_words"]
    assert first == "Your runs. LSTM ended after 400 of 600 iters: its 20 seconds were over."
    assert second.startswith("Your runs. Outcome and theory agree")


def test_a_run_that_reached_its_loss_does_not_speak_of_seconds(runs_dir: Path) -> None:
    out = scored(runs_dir, "a", "lstm", iters=400)
    log = (out / METRICS).read_text()
    (out / METRICS).write_text(log.replace('"max_seconds"', '"target_val_loss"'))
    runs = Listing()
    first, *_ = tested.outcome(PARITY, latest(runs, runs.listed(""), PARITY))["own_words"]
    assert first.startswith("Your runs. LSTM ended after 400 of 600 iters: it reached its loss of")


def test_a_run_that_is_not_scored_has_no_strip(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(runs_dir, "a", "lstm")
    own = rows(runs_dir, monkeypatch, lstm=1.0)["lstm"]["own"]
    assert (own["cells"], own["phase"], own["can_answer"]) == ([], "stopped", False)


def test_outcomes_that_theory_foretells_agree_with_it() -> None:
    reached = {e.key: tested.Reached(True, bool(e.can(PARITY))) for e in entrants()}
    (said,) = tested.words(PARITY, reached, "stored")
    assert said.startswith("Stored results. Outcome and theory agree") and "nanoGPT" in said


def test_weights_that_were_not_found_and_a_length_that_is_too_short_are_told_apart() -> None:
    right, short = tested.Reached(True, True), tested.Reached(True, False)
    missed, beyond = tested.words(PARITY, {"lstm": short, "gru": right, "mingru": right}, "own")
    assert missed.startswith("Your runs. LSTM: learnt at 32") and "not which are found" in missed
    assert beyond.startswith(f"Your runs. minGRU: right at {T} characters although theory says")
    both = tested.words(PARITY, {"mingru": right, "minlstm": right}, "own")[-1]
    assert (
        "minGRU and minLSTM: right at" in both
        and " it fails" not in both
        and not both.endswith("It may fail later.")
    )


def test_a_model_that_has_not_learnt_the_trained_length_neither_agrees_with_theory_nor_differs() -> None:
    unlearnt, right = tested.Reached(False, False), tested.Reached(True, True)
    flip_flop = TASKS["flip_flop"]
    first, agree = tested.words(flip_flop, {"nanogpt": unlearnt, "gru": unlearnt, "lstm": right}, "stored")
    assert "GRU and nanoGPT: not learnt at the trained length of 64 characters in this budget" in first
    assert agree.endswith("theory says something: LSTM.")
    assert len(tested.words(flip_flop, {"nanogpt": unlearnt}, "stored")) == 1


def test_positions_that_training_never_used_are_named() -> None:
    _, positions = tested.words(TASKS["copying"], {"nanogpt": tested.Reached(True, False)}, "stored")
    assert "nanoGPT has positions beyond 64 that training never used" in positions


def test_nothing_is_said_where_nothing_was_scored_or_theory_is_silent() -> None:
    assert tested.words(PARITY, {}, "own") == []
    assert tested.words(TASKS["recall"], dict.fromkeys(EVERY, tested.Reached(True, False)), "stored") == []


@pytest.mark.parametrize("known", [1, 2, 4])
def test_a_run_that_was_scored_in_part_has_no_verdict(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, known: int
) -> None:
    shares = dict.fromkeys(PARITY.test_lengths[:known], 1.0)
    monkeypatch.setattr(tested, "accuracy_by_length", lambda run: shares)
    monkeypatch.setattr(tested, "shipped", lambda: release(lstm=1.0))
    scored(runs_dir, "a", "lstm")
    runs = Listing()
    found = tested.outcome(PARITY, latest(runs, runs.listed(""), PARITY))
    own = next(row["own"] for row in found["models"] if row["key"] == "lstm")
    assert [cell["text"] for cell in own["cells"]] == ["1.00"] * known + ["–"] * (5 - known)
    assert (own["verdict"], own["against"]) == (f"no verdict: {known} of 5 lengths scored", "")
    assert found["own_words"] == []


def test_each_model_shows_its_parameters_and_what_is_equal_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = release(lstm=1.0)
    sized = dataclasses.replace(one.results["parity"]["lstm"], n_params=101_442)
    monkeypatch.setattr(
        tested, "shipped", lambda: dataclasses.replace(one, results={"parity": {"lstm": sized}})
    )
    found = tested.outcome(PARITY, {})
    assert {row["key"]: row["params"] for row in found["models"] if row["params"]} == {
        "lstm": "101 k parameters"
    }
    assert "width, layers and the batches read; parameters are not" in found["equal"]


def test_the_figures_say_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tested, "shipped", lambda: release(lstm=1.0))
    made_of = tested.outcome(PARITY, {})["made"]
    assert "mean of 3 seeds, 1.2 M characters read, on a machine, 2026-11-25" in made_of
    assert made_of.endswith("python -m minrnn study run tasks")
    assert "No stored result" in tested.outcome(TASKS["recall"], {})["made"]


@pytest.mark.parametrize(
    "task", [task for task in TASKS.values() if task.on_page], ids=lambda task: task.name
)
def test_what_theory_says_names_kinds_of_models_that_there_are(task: Any) -> None:
    kinds = {entrant.family for entrant in entrants()}
    assert "" not in kinds
    said = [*task.can_at_every_length, *task.fail_as_texts_grow]
    assert set(said) <= kinds and len(said) == len(set(said))


WORDS = {
    "nonlinear": {"LSTM", "GRU"},
    "linear": {"minGRU", "minLSTM"},
    "signed": {"signed"},
    "attention": {"attention"},
}


@pytest.mark.parametrize(
    "task", [TASKS[n] for n in ("parity", "sum_mod_5", "cycle_navigation")], ids=lambda t: t.name
)
def test_a_theory_that_names_models_names_each_where_its_kind_stands(task: Task) -> None:
    can, fail = re.split(r"(?<!al)\. ", task.theory)
    for kinds, said in ((task.can_at_every_length, can), (task.fail_as_texts_grow, fail)):
        words = set(re.findall(r"\w+", said))
        assert all(WORDS[kind] <= words for kind in kinds), (kinds, said)
    assert set(task.can_at_every_length) | set(task.fail_as_texts_grow) == set(WORDS)
