"""The Results tab: its table escapes every word, its charts hold every figure."""

import dataclasses
import json

import pytest
from test_results import METRICS

from minrnn import results
from minrnn.results import Curve, Result
from minrnn.ui import charts_results as charts
from minrnn.ui import results as tab

CURVE = Curve([0, 10, 20], [0, 640, 1280], [0.0, 1.5, 3.0], [4.0, 2.0, 1.5])


def result(model: str = "mingru", preset: str = "base") -> Result:
    from pathlib import Path

    values = {f.name: METRICS.get(f.name) for f in dataclasses.fields(Result)}
    return Result(**values | {"model": model, "preset": preset, "folder": Path("nowhere")})


def test_words_from_metrics_are_escaped() -> None:
    bad = dataclasses.replace(result("<img onerror=x>", "<b>"), device="<script>")
    page = tab.table([bad], results.published())
    assert "<img" not in page and "<script" not in page and "<b></th>" not in page
    assert "&lt;script&gt;" in page and "&lt;img onerror=x&gt;" in page


def test_the_table_holds_every_published_figure() -> None:
    page = tab.table([], results.published())
    for entry in results.published():
        assert f"<td>{entry.loss:g}</td>" in page


@pytest.mark.parametrize(("axis", "end"), [("iters", 20), ("characters read", 1280), ("seconds", 3.0)])
def test_the_axis_can_be_chosen(axis: charts.Axis, end: float) -> None:
    figure = charts.curves([result()], [CURVE], results.published(), axis)
    assert figure.data[0].x[-1] == end and figure.layout.xaxis.title.text == axis
    lines = [trace for trace in figure.data if trace.line.dash]
    assert len(lines) == len(results.published()) and all(trace.x[-1] == end for trace in lines)


def test_a_run_ends_in_the_loss_over_the_whole_split() -> None:
    end = charts.curves([result()], [CURVE], [], "iters").data[1]
    assert end.marker.symbol == "diamond" and list(end.y) == [result().val_loss]


def test_curves_without_a_point_are_drawn_all_the_same() -> None:
    figure = charts.curves([result()], [Curve([], [], [], [])], [], "iters")
    assert json.loads(figure.to_json())["data"][0]["name"] == "minGRU"


def test_the_curves_begin_in_view_near_their_ends() -> None:
    low, high = charts.curves([result()], [CURVE], [], "iters").layout.yaxis.range
    assert low < 1.5 < high < 2.0


def test_the_scatter_is_logarithmic_and_leaves_out_what_cannot_be_placed() -> None:
    figure = charts.scatter([result(), result("lstm", "replica")], results.published())
    assert figure.layout.xaxis.type == "log"
    assert [trace.name for trace in figure.data[:2]] == ["minGRU, base", "LSTM, replica"]
    known = [p for p in results.published() if p.params and p.split == "val"]
    assert list(figure.data[2].y) == [p.loss for p in known]
