"""Colours, theme and style sheet. Charts and panels take a model's colour from here."""

from __future__ import annotations

import gradio as gr

MODEL_COLORS = {"mingru": "#e4572e", "minlstm": "#d99a06", "lstm": "#2a9d8f", "nanogpt": "#5b7fde"}
"""One colour a model, in every panel and chart; each reads on white and on near-black."""

FURTHER_COLORS = ("#a05cc8", "#c94f7c", "#6b8e23", "#8a6d5a")
"""For models beyond the four, in the order they come."""

GRID_COLOR = "rgba(128, 128, 128, 0.25)"
INK_COLOR = "#8a8a8a"
"""Axis lines and labels: readable on both themes' backgrounds."""


def color(model: str, place: int = 0) -> str:
    """The colour of a model; `place` counts models beyond the four."""
    return MODEL_COLORS.get(model, FURTHER_COLORS[place % len(FURTHER_COLORS)])


def theme() -> gr.themes.Base:
    """System fonts only: the page loads nothing from another host."""
    return gr.themes.Default(
        primary_hue="orange",
        neutral_hue="slate",
        radius_size="md",
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
    )


CSS = """
.gradio-container { max-width: 1280px !important; margin: 0 auto !important; }
.lead p { font-size: 1.05rem; max-width: 68ch; }
:is(button, input, textarea, select, summary, a, [tabindex]):focus-visible {
  outline: 3px solid var(--color-accent) !important; outline-offset: 2px;
}
.quiet { color: var(--body-text-color-subdued); font-size: 0.9rem; }
"""
