"""The chart: dots, lines, labels at the ends of lines, and the zoom that is kept."""

import dataclasses
import itertools
import json
from typing import Any

import pytest

from minrnn.models import MODEL_NAMES
from minrnn.runs.events import MAX_POINTS
from minrnn.ui.theme import color
from minrnn.ui.train.charts import Curve, Look, losses, spread
from tests.ui.train.trained import MARKUP, history


def curve(n: int = 0, iters: int = 40, title: str = "") -> Curve:
    return Curve(f"run{n}", title or f"Run {n}", title or f"R{n}", Look("#123456"), history(iters))


@pytest.mark.parametrize("axis", ["iters", "characters", "seconds"])
def test_a_chart_holds_no_more_points_than_a_page_takes(axis: Any) -> None:
    figure = losses([curve(n, 9_000) for n in range(2)], axis, log=True, rate=True)
    assert figure is not None and len(figure.data) == 8
    assert max(len(trace.x) for trace in figure.data) <= MAX_POINTS
    assert figure.layout.yaxis.type == "log"
    json.loads(figure.to_json())


def test_a_chart_keeps_its_zoom_until_another_view_is_asked_for() -> None:
    def kept(iters: int, axis: Any) -> str:
        return str(losses([curve(0, iters)], axis).layout.uirevision)  # type: ignore[union-attr]

    assert kept(10, "iters") == kept(500, "iters") != kept(500, "seconds")
    assert losses([], "iters") is None


def test_validation_is_dots_and_never_a_straight_line_from_the_first_iter() -> None:
    _, average, validation = losses([curve()]).data  # type: ignore[union-attr]
    assert (average.mode, validation.mode) == ("lines", "markers")
    assert list(validation.x) == [10, 20, 30, 40]


def test_every_line_has_a_label_at_its_end_and_there_is_no_legend() -> None:
    figure = losses([curve(0, 40), curve(1, 20)], "seconds")
    assert figure is not None and figure.layout.showlegend is False
    ends = [(round(label.x, 3), label.text.split()[-1]) for label in figure.layout.annotations]
    assert ends == [(4.0, "R0"), (2.0, "R1")]


def test_labels_that_would_overlap_are_moved_apart() -> None:
    heights = [100.0, 101.0, 102.0, 300.0]
    moved = sorted(h + s for h, s in zip(heights, spread(heights, 15), strict=True))
    assert all(b - a >= 14.99 for a, b in itertools.pairwise(moved))
    assert spread([0.0, 100.0], 15) == [0.0, 0.0] and spread([], 15) == []


def test_the_losses_axis_says_what_a_loss_is_taken_over() -> None:
    text, task = curve(0), dataclasses.replace(curve(1), per="answer")
    titles = [losses(drawn).layout.yaxis.title.text for drawn in ([text], [task], [task, text])]  # type: ignore[union-attr]
    assert titles == [f"loss, nats per {unit}" for unit in ("character", "answer", "character or answer")]


def test_seconds_in_the_hover_have_one_digit_behind_the_point() -> None:
    figures = {axis: losses([curve()], axis, rate=True) for axis in ("iters", "characters", "seconds")}  # type: ignore[arg-type]
    for axis, figure in figures.items():
        shown = [t.hovertemplate for t in figure.data if t.hovertemplate]  # type: ignore[union-attr]
        assert len(shown) == 3
        assert all(("%{x:,.1f} s" if axis == "seconds" else "%{x:,}") in template for template in shown)


def test_a_title_with_markup_stays_text() -> None:
    figure = losses([curve(title=MARKUP)], note="")
    assert figure is not None and "<img" not in figure.to_json()


def test_a_line_that_has_fallen_to_0_leaves_a_logarithmic_chart_with_its_label() -> None:
    nothing_left = curve(0)
    nothing_left.history.smooth[-1] = 0.0
    both = [nothing_left, curve(1)]
    labels = [len(losses(both, log=log).layout.annotations) for log in (False, True)]  # type: ignore[union-attr]
    assert labels == [2, 1]
    json.loads(losses([nothing_left], log=True).to_json())  # type: ignore[union-attr]


def test_what_is_not_finite_leaves_a_gap() -> None:
    broken = curve()
    broken.history.smooth[3] = float("nan")
    json.loads(losses([broken]).to_json(), parse_constant=pytest.fail)  # type: ignore[union-attr]


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_repeat_of_a_model_is_lighter_and_keeps_its_colour(model: str) -> None:
    first, repeat = Look(color(model)), Look(color(model), "5px,3px", True)
    assert repeat.color == first.color and repeat.opacity < first.opacity
