"""A model's accuracy by the length of a text, as five shaded cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        text: the accuracy; a dash where it was not scored.
        right: whether that counts as right; None where it was not scored.
        light: background and ink on a light page.
        dark: the same on a dark one.
        note: what pointing at it says.
    """

    text: str
    right: bool | None
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
    ]


def own_strip(shares: Mapping[int, float], task: Task, guessing: float) -> list[Cell]:
    """The strip of a run, out of its accuracy by length: one cell for each length of the task, scored or not.

    A scoring that ends early leaves out the longest lengths; where nothing was scored there is no strip.
    """
    if not any(T in shares for T in task.test_lengths):
        return []
    return [_own_cell(T, shares.get(T), guessing) for T in task.test_lengths]


def complete(cells: Sequence[Cell]) -> bool:
    """Whether there is a strip, and every length of it was scored."""
    return bool(cells) and all(cell["right"] is not None for cell in cells)


def verdict(cells: Sequence[Cell]) -> str:
    """What is right, lengths as multiples of the trained one: "right at every length", "right up to 4×"; where
    lengths were not scored, only how many were."""
    if not complete(cells):
        scored = sum(cell["right"] is not None for cell in cells)
        return f"no verdict: {scored} of {len(cells)} lengths scored"
    right = [bool(cell["right"]) for cell in cells]
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


def _own_cell(T: int, share: float | None, guessing: float) -> Cell:
    if share is None:
        plain = ("transparent", "inherit")
        return {
            "text": "–",
            "right": None,
            "light": plain,
            "dark": plain,
            "note": f"{T:,} characters: not scored",
        }
    return _cell(share, share >= SOLVED, guessing, f"{T:,} characters: {share_text(share)}")


def _cell(share: float, right: bool, guessing: float, note: str) -> Cell:
    return {
        "text": share_text(share),
        "right": right,
        "light": shade(share, guessing, LIGHT),
        "dark": shade(share, guessing, DARK),
        "note": note,
    }
