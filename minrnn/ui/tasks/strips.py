"""A model's accuracy by the length of a text, as five shaded cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from minrnn.results.task_results import SOLVED, TaskResult
from minrnn.tasks import Task, share_text

RGB = tuple[int, int, int]
LIGHT: tuple[RGB, RGB] = ((241, 245, 249), (15, 84, 77))
DARK: tuple[RGB, RGB] = ((38, 48, 66), (94, 226, 205))
"""The two ends of the scale, guessing and always right, on a light page and on a dark one."""
RULE = (
    f"A ✓ means right: at least {SOLVED:.0%} of the answers, in every stored seed. In theory: whether a model of this "
    "kind can answer at every length (–: theory does not say)."
)
"""What the table's words mean, stated once on the page."""


class Cell(TypedDict):
    """One length.

    Attributes:
        text: the accuracy.
        right: whether that counts as right.
        light: background and ink on a light page.
        dark: the same on a dark one.
        note: what pointing at it says.
    """

    text: str
    right: bool
    light: tuple[str, str]
    dark: tuple[str, str]
    note: str


def stored_strip(result: TaskResult, task: Task, guessing: float) -> list[Cell]:
    """The strip of a stored result: the mean of its seeds, and the worst of them as a note."""
    return [
        _cell(
            result.mean[T],
            result.solves(T),
            guessing,
            f"{T:,} characters: {share_text(result.mean[T])}"
            + (f", worst of {result.seeds} seeds {share_text(result.worst[T])}" if result.seeds > 1 else ""),
        )
        for T in task.test_lengths
        if T in result.mean
    ]


def own_strip(shares: Mapping[int, float], guessing: float) -> list[Cell]:
    """The strip of a run, out of its accuracy by length."""
    return [
        _cell(share, share >= SOLVED, guessing, f"{T:,} characters: {share_text(share)}")
        for T, share in shares.items()
    ]


def verdict(right: list[bool]) -> str:
    """What is right, lengths as multiples of the trained one: "right at every length", "right up to 4×"."""
    if not any(right):
        return "right at no length"
    if all(right):
        return "right at every length"
    reached = right.index(False)
    if reached and not any(right[reached:]):
        return f"right up to {2 ** (reached - 1)}×"
    return "right at " + ", ".join(f"{2**place}×" for place, yes in enumerate(right) if yes)


def shade(share: float, guessing: float, ends: tuple[RGB, RGB]) -> tuple[str, str]:
    """Background and ink for an accuracy, on a scale from guessing to 1; the ink reads 4.5 to 1 at least."""
    place = min(1.0, max(0.0, (share - guessing) / max(1e-9, 1 - guessing)))
    paper = tuple(round(low + place * (high - low)) for low, high in zip(*ends, strict=True))
    dark = 0.0722 * _linear(paper[2]) + 0.7152 * _linear(paper[1]) + 0.2126 * _linear(paper[0]) < 0.179
    return "#{:02x}{:02x}{:02x}".format(*paper), "#ffffff" if dark else "#000000"


def _linear(channel: int) -> float:
    """A channel of sRGB as light, 0 to 1 (WCAG 2.2, relative luminance)."""
    value = channel / 255
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _cell(share: float, right: bool, guessing: float, note: str) -> Cell:
    return {
        "text": share_text(share),
        "right": right,
        "light": shade(share, guessing, LIGHT),
        "dark": shade(share, guessing, DARK),
        "note": note,
    }
