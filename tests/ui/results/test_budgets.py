"""The chart of budgets: every point of the table, named where its line ends, whatever has been run."""

import itertools
import math

import pytest

from minrnn import results
from minrnn.models import MODEL_NAMES
from minrnn.results import verdicts
from minrnn.results.weights import Run, Weights, stored
from minrnn.results.weights_studies import POINTS, TAPS
from minrnn.ui.results import budgets, charts
from minrnn.ui.theme import color, dash

LOSS = {name: 1.4 + 0.01 * number for number, name in enumerate(MODEL_NAMES)}
FULL = Weights(
    0.01,
    tuple(
        Run(p.study, p.name(model, seed), model, seed, loss, loss, p.chars, 1.0)
        for p in POINTS
        for model, loss in LOSS.items()
        for seed in p.seeds
    ),
)


def test_there_is_one_line_a_model_and_text_over_the_budgets_with_a_convolution() -> None:
    lines = [t for t in budgets.figure(FULL, []).data if t.mode == "lines+markers"]
    places = [p for p in POINTS if p.taps == TAPS and p.corpus == POINTS[0].corpus]
    assert len(lines) == 2 * len(MODEL_NAMES)
    for line, (model, loss) in zip(lines, LOSS.items(), strict=False):
        assert list(line.x) == [p.chars for p in places] and list(line.y) == pytest.approx(
            [loss] * len(places)
        )
        assert (line.line.color, line.line.dash, line.marker.symbol) == (color(model), dash(model), "diamond")
    assert all(line.marker.symbol == "diamond-open" for line in lines[len(MODEL_NAMES) :])


def test_no_two_names_at_the_ends_of_lines_cover_one_another() -> None:
    figure = budgets.figure(FULL, results.published())
    low, high = figure.layout.yaxis.range
    scale = charts.PLOT_HEIGHT / (high - low)
    heights = sorted((high - note.y) * scale + note.ay for note in figure.layout.annotations)
    assert len(heights) > 2 * len(MODEL_NAMES)
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 14.9


def test_published_figures_of_the_validation_split_are_lines_across() -> None:
    drawn = [p for p in results.published() if p.drawn and p.split == "val"]
    lines = [t for t in budgets.figure(stored(), results.published()).data if t.mode == "lines"]
    assert sorted(t.y[0] for t in lines) == sorted(p.loss for p in drawn)


def test_the_axis_is_logarithmic_and_reaches_over_every_budget_even_without_a_run() -> None:
    axis = budgets.figure(Weights(), []).layout.xaxis
    assert axis.type == "log" and axis.range[0] < math.log10(min(p.chars for p in POINTS))
    assert list(axis.tickvals) == sorted({p.chars for p in POINTS})


def test_the_sentences_stand_on_the_page_as_they_are_made() -> None:
    page = budgets.sentences(FULL)
    assert page.count("<li>") == len(verdicts.sentences(FULL)) and "1.438 over both" in page
