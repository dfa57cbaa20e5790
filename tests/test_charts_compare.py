"""The bars of a finished generation."""

from minrnn.ui.charts_compare import bars


def test_two_models_of_one_name_are_two_bars() -> None:
    figure = bars("rate", ["LSTM", "LSTM"], ["red", "blue"], [1.0, 2.0])
    assert list(figure.data[0].x) == [0, 1] and list(figure.data[0].y) == [1.0, 2.0]
    assert list(figure.layout.xaxis.ticktext) == ["LSTM", "LSTM"]
