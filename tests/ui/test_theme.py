"""The page's colours stay apart for every reader, and its texts are readable on both pages."""

import itertools
import re

import numpy as np
import pytest

from minrnn.models import MODEL_NAMES
from minrnn.ui import theme

WHITE, NIGHT = "#ffffff", "#0b0f19"
"""The two pages: Gradio's light ground, and the darkest slate of its dark one."""

READERS = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Machado, Oliveira and Fernandes 2009, at full severity, on linear RGB."""

XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
WHITE_POINT = np.array([0.95047, 1.0, 1.08883])
LEAST = 15.0
ADDED = [f"hub:ann/model-{number}@{number:040}" for number in range(20)]


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab of linear RGB, D65."""
    part = XYZ @ np.clip(rgb, 0, 1) / WHITE_POINT
    f = np.where(part > 216 / 24389, np.cbrt(part), (24389 / 27 * part + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    """WCAG 2's, 1 to 21."""
    dark, light = sorted(float(XYZ[1] @ linear(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def variables(suffix: str) -> dict[str, str]:
    """The theme's colours on one page, references followed."""
    made = {k: v for k, v in vars(theme.theme()).items() if isinstance(v, str)}
    found = {}
    for name in made:
        if name.endswith("_dark"):
            continue
        value = made.get(name + suffix, made[name])
        while value.startswith("*"):
            target = value[1:]
            value = made.get(target + suffix, made.get(target, ""))
        found[name] = value
    return found


def test_the_measures_agree_with_known_values() -> None:
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert contrast("#777777", WHITE) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("reader", READERS)
def test_the_models_hues_stay_apart(reader: str) -> None:
    seen = [lab(np.array(READERS[reader]) @ linear(colour)) for colour in theme.COLORS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) >= LEAST


def test_every_model_has_a_hue_and_a_dash_of_its_own() -> None:
    assert len({theme.color(name) for name in MODEL_NAMES}) == len(MODEL_NAMES)
    assert len({theme.dash(name) for name in MODEL_NAMES}) == len(MODEL_NAMES)


@pytest.mark.parametrize("ground", [WHITE, NIGHT])
def test_lines_and_marks_stand_three_to_one(ground: str) -> None:
    for colour in (*theme.COLORS, theme.INK_COLOR):
        assert contrast(colour, ground) >= 3, colour


@pytest.mark.parametrize(("suffix", "ground"), [("", WHITE), ("_dark", NIGHT)])
@pytest.mark.parametrize(
    "name",
    [
        "body_text_color",
        "body_text_color_subdued",
        "block_info_text_color",
        "block_label_text_color",
        "input_placeholder_color",
        "link_text_color",
    ],
)
def test_texts_stand_four_and_a_half_to_one(name: str, suffix: str, ground: str) -> None:
    colour = variables(suffix)[name]
    assert re.fullmatch(r"#[0-9a-f]{6}", colour), colour
    assert contrast(colour, ground) >= 4.5


@pytest.mark.parametrize("suffix", ["", "_dark"])
def test_words_on_the_main_button_stand_four_and_a_half_to_one(suffix: str) -> None:
    found = variables(suffix)
    assert found["button_primary_text_color"] == "white"
    for fill in ("button_primary_background_fill", "button_primary_background_fill_hover"):
        assert contrast(found[fill], WHITE) >= 4.5


def test_texts_in_charts_take_the_pages_colours() -> None:
    from minrnn.ui.components import CHART_CSS

    assert re.search(r"\.chart text \{ fill: var\(--body-text-color-subdued\) !important; \}", CHART_CSS)


def test_an_added_model_keeps_its_colour_when_another_is_unticked() -> None:
    together = {key: theme.color(key) for key in ADDED}
    assert {key: theme.color(key) for key in reversed(ADDED[1:])} == {k: together[k] for k in ADDED[1:]}
    assert set(together.values()) == set(theme.FURTHER_COLORS)


def test_an_added_model_does_not_look_like_a_compared_one() -> None:
    assert not {theme.color(key) for key in ADDED} & {theme.color(name) for name in MODEL_NAMES}


def test_a_key_that_is_no_valid_text_has_a_colour() -> None:
    assert theme.color("runs/\ud800/model") in theme.FURTHER_COLORS
