"""The charts hold every figure, name every line where it ends, and bear what is missing."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from minrnn import results
from minrnn.models import MODEL_NAMES
from minrnn.results import Curve, Result
from minrnn.results.weights import Run
from minrnn.ui.results import charts, sizes, tab
from minrnn.ui.theme import color, dash

CURVE = Curve([0, 10, 20], [0, 640, 1280], [0.0, 1.5, 3.0], [4.0, 2.0, 1.5])
Make = Callable[..., Result]


def named(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def heights(figure: Any) -> list[float]:
    """Where the names in the right margin stand, in pixels from the top."""
    low, high = figure.layout.yaxis.range
    scale = charts.PLOT_HEIGHT / (high - low)
    right = figure.layout.xaxis.range[1]
    return sorted(
        (high - n.y) * scale + n.ay for n in figure.layout.annotations if n.x >= charts.LAST * right
    )


@pytest.mark.parametrize(("axis", "end"), [("iters", 20), ("characters read", 1280), ("seconds", 3.0)])
def test_the_axis_can_be_chosen(axis: charts.Axis, end: float, result: Make) -> None:
    figure = charts.curves([result()], [CURVE], results.published(), axis)
    assert named(figure, "minGRU").x[-1] == end and figure.layout.xaxis.title.text == axis
    drawn = [p for p in results.published() if p.drawn]
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.name != "minGRU"]
    assert len(lines) == len(drawn) and all(trace.x[-1] == end for trace in lines)


def test_a_run_ends_in_the_loss_over_the_whole_split(result: Make) -> None:
    end = charts.curves([result()], [CURVE], [], "iters").data[1]
    assert end.marker.symbol == "diamond" and list(end.y) == [result().val_loss]


def test_every_model_has_its_colour_and_dash(result: Make) -> None:
    own = [result(name) for name in MODEL_NAMES]
    figure = charts.curves(own, [CURVE] * len(own), [], "iters")
    for r in own:
        line = named(figure, r.title).line
        assert (line.color, line.dash) == (color(r.model), dash(r.model))
    assert figure.layout.showlegend is False


@pytest.mark.parametrize("preset", ["base", "replica"])
@pytest.mark.parametrize("axis", charts.AXES)
def test_no_two_names_in_the_margin_cover_one_another(preset: str, axis: charts.Axis) -> None:
    figure = tab.figure_of(preset, axis)
    apart = [b - a for a, b in itertools.pairwise(heights(figure))]
    assert len(apart) >= 2 and min(apart) >= 14.9


def test_longer_and_shorter_runs_are_drawn_along_characters_only(result: Make) -> None:
    further = [
        Run(
            "budgets",
            f"nanogpt-{n}",
            "nanogpt",
            1337,
            1.5 / n,
            1.4,
            640 * n,
            1.0,
            (0, 640 * n),
            (4.0, 1.5 / n),
        )
        for n in (1, 3)
    ]
    figure = charts.curves([result("nanogpt")], [CURVE], [], "characters read", further)
    ends = [
        trace for trace in figure.data if trace.mode == "markers" and trace.marker.symbol == "diamond-open"
    ]
    assert [list(trace.y) for trace in ends] == [[1.5], [0.5]]
    assert len(charts.curves([result("nanogpt")], [CURVE], [], "iters", further).data) == 2


def test_curves_without_a_point_are_drawn_all_the_same(result: Make) -> None:
    figure = charts.curves([result()], [Curve([], [], [], [])], [], "iters")
    assert json.loads(figure.to_json())["data"][0]["name"] == "minGRU"


def test_the_curves_begin_in_view_near_their_ends(result: Make) -> None:
    low, high = charts.curves([result()], [CURVE], [], "iters").layout.yaxis.range
    assert low < 1.5 < high < 2.0


@pytest.mark.parametrize("figure", ["curves", "scatter"])
def test_a_name_is_never_read_as_markup(figure: str, result: Make) -> None:
    bad = [result("<a href='x'>", "<b>")]
    made = charts.curves(bad, [CURVE], [], "iters") if figure == "curves" else sizes.scatter(bad, [])
    text = made.to_json()
    assert "<a href" not in text and "<b>" not in text and "u003ca href" not in text.lower()


def test_the_scatter_is_logarithmic_and_leaves_out_what_cannot_be_placed(result: Make) -> None:
    figure = sizes.scatter([result(), result("lstm", "replica")], results.published())
    assert figure.layout.xaxis.type == "log"
    assert [trace.name for trace in figure.data[:2]] == ["minGRU, base", "LSTM, replica"]
    known = [p for p in results.published() if p.params and p.split == "val"]
    assert list(figure.data[2].y) == [p.loss for p in known]


def test_points_that_overlap_are_told_apart_by_shape_and_by_name(result: Make) -> None:
    own = [result(name) for name in MODEL_NAMES]
    figure = sizes.scatter(own, [])
    assert len({trace.marker.symbol for trace in figure.data[: len(own)]}) == len(own)
    places = sorted(note.ay for note in figure.layout.annotations)
    assert min(b - a for a, b in itertools.pairwise(places)) >= 14.9


def test_no_checkpoint_and_no_published_figure_make_an_empty_chart() -> None:
    assert charts.curves([], [], [], "iters").to_json() and sizes.scatter([], []).to_json()
