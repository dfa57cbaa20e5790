"""Colours and dashes: every model has its own, whatever stands beside it."""

from minrnn.models import MODEL_NAMES
from minrnn.ui import theme

ADDED = [f"hub:ann/model-{number}@{number:040}" for number in range(20)]


def test_every_model_has_a_colour_and_a_dash_of_its_own() -> None:
    assert len({theme.color(name) for name in MODEL_NAMES}) == len(MODEL_NAMES)
    assert len({theme.dash(name) for name in MODEL_NAMES}) == len(MODEL_NAMES)


def test_an_added_model_keeps_its_colour_when_another_is_unticked() -> None:
    together = {key: theme.color(key) for key in ADDED}
    assert {key: theme.color(key) for key in reversed(ADDED[1:])} == {k: together[k] for k in ADDED[1:]}
    assert set(together.values()) == set(theme.FURTHER_COLORS)


def test_an_added_model_does_not_look_like_a_compared_one() -> None:
    assert not {theme.color(key) for key in ADDED} & {theme.color(name) for name in MODEL_NAMES}


def test_a_key_that_is_no_valid_text_has_a_colour() -> None:
    assert theme.color("runs/\ud800/model") in theme.FURTHER_COLORS
