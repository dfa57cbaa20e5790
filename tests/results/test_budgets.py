"""The table of budgets as documents: the answer, the means, the chart, and why lower figures do not compare."""

from __future__ import annotations

from xml.etree import ElementTree

from minrnn import results
from minrnn.models import MODEL_NAMES
from minrnn.results import budgets, verdicts
from minrnn.results.finding import finding
from minrnn.results.weights import Run, Weights
from minrnn.results.weights_studies import POINTS

BASE = [r for r in results.bundled() if r.preset == "base"]


def made(*points: int, models: tuple[str, ...] = MODEL_NAMES, loss: float = 1.4) -> Weights:
    """A table in which these points have been run."""
    chosen = [POINTS[number] for number in points]
    runs = [
        Run(p.study, p.name(model, seed), model, seed, loss + 0.01 * n, 1.4, p.chars, 1.0)
        for p in chosen
        for model in models
        for n, seed in enumerate(p.seeds)
    ]
    return Weights(0.0, tuple(runs))


def test_the_answer_is_the_headline_and_what_the_bundled_weights_reached() -> None:
    said = budgets.answer(Weights(), BASE)
    assert said.startswith(f"**{verdicts.headline(Weights())}**") and finding(BASE, 0.0)[8:] in said
    assert budgets.answer(Weights(), []) == f"**{verdicts.headline(Weights())}**"


def test_means_have_their_deviation_and_number_and_rows_that_lack_say_so() -> None:
    lines = budgets.means(made(2, models=("gru",))).splitlines()
    assert "1.4100 ± 0.0100 (3)" in next(line for line in lines if line.startswith("| GRU |"))
    assert all(line.count("*not yet run*") == len(POINTS) for line in lines[2:] if "GRU" not in line[:8])


def test_the_chart_has_a_line_for_every_model_and_hollow_points_for_the_other_text() -> None:
    drawn = ElementTree.fromstring(budgets.chart(made(0, 1, 2, 4, 5), results.published()))
    dots = list(drawn.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}polyline"))) == len(MODEL_NAMES)
    assert len(dots) == 4 * len(MODEL_NAMES)
    assert sum(dot.get("fill") == "none" for dot in dots) == len(MODEL_NAMES)
    assert budgets.chart(Weights(), results.published()) == ""


def test_a_section_lists_what_others_published_on_the_validation_split_and_what_differs() -> None:
    text = budgets.section(made(0), "x.svg", results.published())
    for entry in results.published():
        assert (f"- {entry.system} {entry.loss:g} ({entry.source})" in text) == (entry.split == "val")
    assert "![" not in budgets.section(Weights(), "x.svg") and "](x.svg)" in text


def test_our_own_low_figures_are_named_where_lower_ones_are_explained() -> None:
    assert budgets.other_splits(made(4)) == budgets.OTHER_SPLITS
    assert budgets.other_splits(made(5, loss=1.26)).endswith("trained on more plays have 1.260.")
