"""The finding follows from the figures, says what it compares, and claims no more than they hold."""

import re
from pathlib import Path
from typing import Any

import pytest

from minrnn import results
from minrnn.results import Result
from minrnn.results.finding import attends, finding, listed, order

BASE = [r for r in results.bundled() if r.preset == "base"]
REPLICA = [r for r in results.bundled() if r.preset == "replica"]


def made(model: str, val_loss: float, tokens: int = 9_800_000, size: int = 2_300_000, **more: Any) -> Result:
    figures = {
        "val_loss_streaming": val_loss,
        "bits_per_char": 2.0,
        "train_loss": None,
        "params": {},
        "iters": 1,
    }
    run = {"seconds": 1.0, "device": "", "seed": 1, "command": "", "folder": Path("nowhere")}
    named = {"preset": "base", "model": model, "val_loss": val_loss, "tokens_seen": tokens, "n_params": size}
    return Result(**{**figures, **run, **named, **more})


@pytest.mark.parametrize("own", [BASE, REPLICA])
def test_the_sentence_names_the_best_of_either_kind_and_their_gap(own: list[Result]) -> None:
    best = min((r for r in own if not attends(r.model)), key=lambda r: r.val_loss)
    rival = min((r for r in own if attends(r.model)), key=lambda r: r.val_loss)
    said = finding(own)
    assert f"model, {best.title}, ends" in said and rival.title in said
    assert f"{best.val_loss:.3f} against {rival.val_loss:.3f}" in said
    found = re.search(r"([\d.]+) nats per character (below|above)", said)
    assert found and float(found[1]) == pytest.approx(abs(best.val_loss - rival.val_loss), abs=0.0011)
    assert found[2] == ("below" if best.val_loss < rival.val_loss else "above")


def test_different_numbers_of_characters_are_both_named() -> None:
    said = finding([made("lstm", 1.4), made("nanogpt", 1.5, tokens=16_400_000)])
    assert "after 9.8 M characters read against 16.4 M" in said


def test_equal_numbers_of_characters_are_named_once() -> None:
    assert "after 9.8 M characters read by each" in finding([made("lstm", 1.4), made("nanogpt", 1.5)])


def test_different_sizes_are_both_named() -> None:
    said = finding([made("lstm", 1.4, size=281_000), made("nanogpt", 1.5, size=415_000)])
    assert "281 k parameters against 415 k" in said


def test_a_better_transformer_is_said_to_be_better() -> None:
    assert "LSTM, ends 0.100 nats per character above nanoGPT" in finding(
        [made("lstm", 1.5), made("nanogpt", 1.4)]
    )


def test_a_gap_within_what_seeds_differ_by_is_no_lead() -> None:
    said = finding([made("lstm", 1.495), made("nanogpt", 1.5)], spread=0.01)
    assert "ends level with nanoGPT" in said and "below" not in said


@pytest.mark.parametrize("own", [[made("gru", 1.4)], [made("nanogpt", 1.4)], [made("no_such_model", 1.4)]])
def test_one_kind_alone_is_compared_with_nothing(own: list[Result]) -> None:
    said = finding(own)
    assert "has 1.400 nats" in said and "lowest" not in said and "against" not in said


def test_two_of_a_kind_are_compared_with_one_another() -> None:
    assert "LSTM has the lowest loss, 1.400" in finding([made("lstm", 1.4), made("gru", 1.5)])


def test_without_checkpoints_there_is_no_finding() -> None:
    assert finding([]) == "" and order([], 0.1) == ""


def test_the_order_is_open_only_among_models_within_the_spread() -> None:
    own = [made("mingru", 1.5), made("lstm", 1.505), made("gru", 1.6), made("nanogpt", 1.5)]
    said = order(own, 0.012)
    assert "minGRU and LSTM lie within 0.005 of one another" in said
    assert "GRU and" not in said.replace("minGRU", "") and "nanoGPT" not in said
    assert order(own, 0.001) == ""


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed("ABC"[:n]) for n in range(4)] == ["", "A", "A and B", "A, B and C"]
