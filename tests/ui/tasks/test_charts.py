"""The chart of accuracies: a line a model in its colour, stored ones paler, labels that do not overlap."""

from itertools import pairwise

from minrnn.ui.tasks.charts import HEIGHT, Line, accuracies


def line(key: str, stored: bool = False, end: float = 1.0) -> Line:
    return Line(key, key, "#123456", "dot", stored, [(0, 0.5), (100, end)])


def test_there_is_no_figure_without_a_point() -> None:
    assert accuracies([], "iters", 0.5) is None
    assert accuracies([Line("a", "a", "#123456", "dot", False, [])], "iters", 0.5) is None


def test_stored_lines_are_paler_and_keep_colour_and_dash() -> None:
    figure = accuracies([line("a", stored=True), line("a")], "iters", 0.5)
    assert figure is not None
    stored, own = figure.data
    assert stored.opacity < own.opacity
    assert (stored.line.color, stored.line.dash) == (own.line.color, own.line.dash) == ("#123456", "dot")


def test_names_at_one_height_are_moved_apart_and_each_stands_once() -> None:
    figure = accuracies([line("a", True), *(line(key) for key in "abc")], "characters", 0.5)
    assert figure is not None
    named = [note for note in figure.layout.annotations if note.text != "guessing"]
    shifts = sorted(note.yshift for note in named)
    assert len(named) == 3 and min(b - a for a, b in pairwise(shifts)) >= 14
    assert max(shifts) < HEIGHT / 10


def test_markup_in_a_name_is_text() -> None:
    figure = accuracies([line("<b>x</b>")], "iters", 0.5)
    assert figure is not None and "<b>" not in figure.data[0].name
