"""Colours, theme and the page's static files. Charts and panels take a model's colour from here."""

from __future__ import annotations

import zlib
from pathlib import Path

import gradio as gr

from minrnn.models import MODEL_NAMES

STATIC = Path(__file__).parent / "static"
"""Scripts and style sheets of the page."""

COLORS = ("#e4572e", "#d99a06", "#2a9d8f", "#8a6fd1", "#5b7fde")
"""One colour a model, in the order of the registry; each reads on white and on near-black."""

DASHES = ("solid", "dash", "dot", "longdash", "dashdot")
"""One dash a model beside its colour, for readers who do not tell the colours apart."""

FURTHER_COLORS = ("#c94f7c", "#6b8e23", "#8a6d5a", "#4f86a6")
"""For models beyond the compared ones."""

GRID_COLOR = "rgba(128, 128, 128, 0.25)"
INK_COLOR = "#8a8a8a"
"""Axis lines and labels: readable on both themes' backgrounds."""


def color(key: str) -> str:
    """The colour of a model or, by its key, of a further one: always the same, whatever stands beside it."""
    if key in MODEL_NAMES:
        return COLORS[MODEL_NAMES.index(key) % len(COLORS)]
    return FURTHER_COLORS[zlib.crc32(key.encode("utf-8", "replace")) % len(FURTHER_COLORS)]


def dash(model: str) -> str:
    """The dash of a model's line in a chart."""
    return DASHES[MODEL_NAMES.index(model) % len(DASHES)] if model in MODEL_NAMES else "solid"


def static(*names: str) -> str:
    """The text of files under `static/`, one behind the other."""
    return "".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def theme() -> gr.themes.Base:
    """System fonts only: the page loads nothing from another host."""
    return gr.themes.Default(
        primary_hue="orange",
        neutral_hue="slate",
        radius_size="md",
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    )


CSS = static("page.css")
