"""The page's one visual language: colours, dashes, type and Gradio's theme; scripts and sheets lie in `static/`."""

from __future__ import annotations

import zlib
from pathlib import Path

import gradio as gr

from minrnn.models import MODEL_NAMES

STATIC = Path(__file__).parent / "static"
"""Scripts and style sheets of the page."""

COLORS = ("#c63a1c", "#c08b00", "#12997f", "#b04fa0", "#2a5fd0")
"""One colour a model, in the order of the registry. They stay apart for readers who do not tell red from green or
blue from yellow, and lines and bars in them stand 3 to 1 on white and on near-black (a test computes both)."""

DASHES = ("solid", "dash", "dot", "longdash", "dashdot")
"""One dash a model beside its colour."""

FURTHER_COLORS = ("#7a5195", "#5f7a1f", "#8a6d5a", "#3f7f9f")
"""For models beyond the compared ones."""

GRID_COLOR = "rgba(128, 128, 128, 0.25)"
INK_COLOR = "#757b85"
"""Grey lines and marks in charts. No one grey reads 4.5 to 1 on both pages: texts take the page's own colours."""

FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"


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
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def theme() -> gr.themes.Base:
    """System fonts only, so that the page loads nothing from another host; every text at 4.5 to 1 or better."""
    fonts = [part.strip(" '") for part in FONT.split(",")]
    return gr.themes.Default(
        primary_hue="orange",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="sm",
        font=fonts,
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_600",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="#c2410c",
        button_primary_background_fill_dark="#c2410c",
        button_primary_background_fill_hover="#9a3412",
        button_primary_background_fill_hover_dark="#9a3412",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        color_accent="#c2410c",
        link_text_color="#b0390b",
        link_text_color_dark="#fdba74",
    )


CSS = static("page.css", "train.css", "tasks-page.css")
