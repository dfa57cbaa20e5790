"""What we say we measured is what the runs hold."""

from collections.abc import Callable

import pytest

from minrnn import results
from minrnn.results import Result, scaling, task_results, weights
from minrnn.results.weights import Run
from minrnn.results.weights_studies import POINTS
from minrnn.tasks.score import share_text
from minrnn.ui.results.critics import critics, points

BASE = [r for r in results.bundled() if r.preset == "base"]


def test_the_training_speeds_are_those_of_a_quiet_machine() -> None:
    page = critics(BASE)
    for one in scaling.stored().models:
        (step,) = (step for step in one.steps if step.length == 512)
        assert f"{results.title(one.model)} {step.seconds * 1000:,.0f} ms" in page


def test_the_shares_of_parity_are_those_of_the_tab() -> None:
    page, stored = critics(BASE), task_results.stored().results["parity"]
    assert stored["lstm"].mean[256] == 1 and stored["mingru"].mean[32] < 0.7
    for key in ("mingru", "lstm"):
        shares = [share_text(stored[key].mean[length]) for length in (32, 256)]
        assert f"{results.title(key)} {shares[0]} and {shares[1]}" in page


def test_the_convolutions_effect_is_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        Run(p.study, p.name("gru"), "gru", 1337, 1.5 if p.taps else 1.6, 1.4, p.chars, 1.0)
        for p in POINTS[:2]
    ]
    monkeypatch.setattr(weights, "stored", lambda: weights.Weights(0.0, tuple(runs)))
    assert "Loss after 3.3 M characters, with it and without: GRU 1.500 and 1.600." in critics(BASE)
    monkeypatch.setattr(weights, "stored", lambda: weights.Weights(0.0, tuple(runs[:1])))
    assert "Not yet run with the recipes of today" in critics(BASE)


def test_without_checkpoints_the_points_that_need_them_are_left_out() -> None:
    assert 0 < len(points([])) < len(points(BASE))


def test_words_from_metrics_are_escaped(result: Callable[..., Result]) -> None:
    assert "<script" not in critics(
        [result("<script>", device="<script>", seconds=0.0), result(device="<script>")]
    )
