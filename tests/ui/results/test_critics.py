"""What we say we measured is what the runs hold."""

from collections.abc import Callable

from minrnn import results
from minrnn.models import MODEL_NAMES
from minrnn.results import Result
from minrnn.ui.results import studies
from minrnn.ui.results.critics import critics, points

BASE = [r for r in results.bundled() if r.preset == "base"]


def test_the_training_speeds_are_those_of_the_checkpoints() -> None:
    page = critics(BASE)
    for r in BASE:
        assert f"{r.title} {r.tokens_seen / r.seconds / 1000:.1f} k" in page


def test_the_convolutions_effect_is_the_studys() -> None:
    page, measured = critics(BASE), 0
    for name in MODEL_NAMES:
        conv, none = studies.convolution(name, 4), studies.convolution(name, 0)
        if conv and none:
            measured += 1
            assert f"{conv:.3f} and {none:.3f}" in page
    assert measured >= 4


def test_without_checkpoints_the_points_that_need_them_are_left_out() -> None:
    assert 0 < len(points([])) < len(points(BASE))


def test_words_from_metrics_are_escaped(result: Callable[..., Result]) -> None:
    assert "<script" not in critics(
        [result("<script>", device="<script>", seconds=0.0), result(device="<script>")]
    )
