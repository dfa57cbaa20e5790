"""Charts of what grows with the length of a text."""

import pytest

from minrnn.bench.scaling import Scaling, StepCost
from minrnn.errors import ConfigError
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.results import scaling as scaling_results
from minrnn.ui.results import scaling
from minrnn.ui.theme import color, dash

HERE = [Scaling(MODEL_NAMES[0], [StepCost(64, 0.1, 1_000_000), StepCost(128, 0.2, 2_000_000)])]


def test_every_model_has_its_colour_its_dash_and_its_name_at_the_end() -> None:
    lines = [scaling.Line(name, [64, 128], [1.0, 2.0 + n]) for n, name in enumerate(MODEL_NAMES)]
    figure = scaling.chart(lines, "ms")
    drawn = [(trace.line.color, trace.line.dash) for trace in figure.data]
    assert drawn == [(color(name), dash(name)) for name in MODEL_NAMES]
    assert [note.text for note in figure.layout.annotations] == [mixer_class(n).title for n in MODEL_NAMES]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


def test_what_was_measured_here_stands_beside_the_release() -> None:
    lines = scaling.training_lines(HERE, "memory")
    figure = scaling.chart(lines, "MB", lines)
    assert list(figure.data[1].y) == [1.0, 2.0] and "this machine" in figure.data[1].name


@pytest.mark.parametrize("what", scaling.WHATS)
def test_both_charts_are_drawn(what: scaling.What) -> None:
    assert scaling.training_figure(what, HERE)["data"] and scaling.writing_figure(what)["data"]


@pytest.mark.parametrize("mode", ["limited", "off"])
def test_where_training_is_not_free_measuring_is_refused(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", mode)
    monkeypatch.setattr(scaling_results, "measured_here", lambda: pytest.fail("it was measured"))
    with pytest.raises(ConfigError, match=f"MINRNN_TRAINING is '{mode}'"):
        scaling.measured_here()


@pytest.mark.parametrize("low", [-1.0, 0.45, 1.7, 2.31, 3.0])
@pytest.mark.parametrize("span", [0.31, 1.0, 1.6, 4.0])
def test_an_axis_has_marks_however_little_it_spans(low: float, span: float) -> None:
    marks = scaling.ticks(low, low + span)
    assert 1 <= len(marks) <= 8 and marks == sorted(marks)
    assert all(10**low * 0.999 <= mark <= 10 ** (low + span) * 1.001 for mark in marks)
