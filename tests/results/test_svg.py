"""Charts as SVG text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from minrnn.results import svg


def test_words_in_a_chart_are_escaped() -> None:
    drawn = svg.lines([svg.Series("a < b & c", [0, 1], [2, 1])], "x", "y", 2)
    assert "a < b" not in drawn and ElementTree.fromstring(drawn) is not None


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 10, [0, 2, 4, 6, 8, 10]), (1.43, 1.62, [1.45, 1.5, 1.55, 1.6]), (0, 0.3, [0, 0.1, 0.2, 0.3])],
)
def test_ticks_are_round_numbers(low: float, high: float, wanted: list[float]) -> None:
    assert svg.ticks(low, high) == pytest.approx(wanted)


def test_points_stand_on_a_logarithmic_axis_and_one_alone_has_no_line() -> None:
    series = [svg.Series("a", [1e6, 1e7, 1e8], [2, 1.9, 1.8]), svg.Series("b", [1e7], [1.5], "#123456", True)]
    drawn = ElementTree.fromstring(svg.points(series, [("a < b", 1.7)], "x", "y"))
    dots = list(drawn.iter("{http://www.w3.org/2000/svg}circle"))
    left, middle, right, alone = (float(dot.get("cx", "")) for dot in dots)
    assert right - middle == pytest.approx(middle - left, abs=0.2) and alone == middle
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}polyline"))) == 1
    assert (dots[3].get("fill"), dots[3].get("stroke")) == ("none", "#123456")
