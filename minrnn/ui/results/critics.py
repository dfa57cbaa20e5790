"""What critics said of minGRU and minLSTM, and what we measured: data -> HTML, our figures taken from the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from minrnn.models import MODEL_NAMES
from minrnn.results import Result, scaling, task_results, title, weights
from minrnn.results.finding import characters, listed
from minrnn.results.weights_studies import POINTS, TAPS
from minrnn.tasks import find_task
from minrnn.tasks.score import share_text

ARXIV = "https://arxiv.org/abs/"
SPEED_LENGTH = 512
"""The length of a text at which the paper compared speeds."""
PRIOR = {
    "QRNN": "1611.01576",
    "SRU": "1709.02755",
    "HGRN": "2311.04823",
    "xLSTM": "2405.04517",
    "MatMul-free LM": "2406.02528",
}


@dataclass(frozen=True)
class Point:
    """One objection and our answer, both HTML.

    Attributes:
        objection: in a few words.
        said: what it means, with links.
        measured: our figures, or that we have none.
    """

    objection: str
    said: str
    measured: str


def critics(own: Sequence[Result]) -> str:
    """The objections as a list of terms, each followed by what we measured.

    Args:
        own: the bundled checkpoints of the preset `base`.
    """
    rows = "".join(
        f"<div><dt>{point.objection}</dt><dd>{point.said}</dd><dd class='measured'>{point.measured}</dd></div>"
        for point in points(own)
    )
    return f"<dl class='critics'>{rows}</dl>"


def points(own: Sequence[Result]) -> list[Point]:
    """The objections, in the order they are shown; those that need a figure which is missing are left out."""
    prior = listed([_link(name, number) for name, number in PRIOR.items()])
    found = [
        _speed(own),
        _convolution(),
        _scale(own),
        _parity(),
        Point(
            "Public ports disagree on the carried state.",
            "Some apply a function to it again whenever a text arrives in pieces.",
            "Every model here gives the same logits, within 0.00001, for a text as a whole, in pieces, or one "
            "character at a time. A test checks it.",
        ),
        Point("The idea is older.", f"{prior} came before.", "We agree; there is nothing to measure."),
        Point(
            "The gates need not lose the hidden state.",
            f"{_link('ParaRNN', '2510.21450')} trains nonlinear networks in parallel, by Newton's method.",
            "We have not measured it.",
        ),
    ]
    return [point for point in found if point is not None]


def _speed(own: Sequence[Result]) -> Point | None:
    measured, names = scaling.stored(), [r.model for r in own]
    known = listed(
        [
            f"{title(one.model)} {step.seconds * 1000:,.0f} ms"
            for one in measured.models
            for step in one.steps
            if one.model in names and step.length == SPEED_LENGTH
        ]
    )
    if not known:
        return None
    paper = _link("The paper", "2410.01201")
    return Point(
        "The speed factors compare with a slow baseline.",
        f"{paper} reports 175 times the speed of a GRU and 235 times that of an LSTM, at length 512 on a T4. "
        "Both baselines were plain loops, not cuDNN.",
        f"A training step over one text of {SPEED_LENGTH} characters takes: {known} ({escape(measured.machine)}).",
    )


def _parity() -> Point:
    task = find_task("parity")
    near, far = task.trained_length, task.test_lengths[3]
    found = task_results.stored().results.get(task.name, {})
    shares = {
        key: f"{title(key)} {share_text(found[key].mean[near])} and {share_text(found[key].mean[far])}"
        for key in MODEL_NAMES
        if key in found
    }
    seeds = max((found[key].seeds for key in shares), default=0)
    measured = (
        f"So it is in our runs on texts of {near} (tab Tasks, {seeds} seeds). The share of right answers at {near} and "
        f"at {far}: {listed(list(shares.values()))}; guessing gives 0.50."
    )
    return Point(
        "They cannot compute parity.",
        f"Decays between 0 and 1 cannot count modulo two at every length ({_link('Grazzi et al.', '2411.12537')}).",
        measured if shares else "Our runs on today's task have not been made yet.",
    )


def _convolution() -> Point:
    chars = min(p.chars for p in POINTS)
    known = [
        f"{title(model)} {conv:.3f} and {none:.3f}"
        for model in MODEL_NAMES
        if (conv := weights.stored().convolution(model, chars, TAPS))
        and (none := weights.stored().convolution(model, chars, 0))
    ]
    measured = (
        f"Loss after {characters(chars)} characters, with it and without: {escape(listed(known))}."
        if known
        else "Not yet run with the recipes of today; earlier trials stand in docs/recipes.md."
    )
    return Point(
        "The convolution does the work.",
        "The paper puts one over four characters before its recurrence. The LSTM of 1997 and nanoGPT have none; here "
        "all models of base have it.",
        measured,
    )


def _scale(own: Sequence[Result]) -> Point | None:
    if not own:
        return None
    largest = max(r.n_params for r in own)
    return Point(
        "They compete at small scale only.",
        "The paper's language models are small, too.",
        f"We cannot say: our largest model has {largest / 1e6:.1f} M parameters.",
    )


def _link(name: str, number: str) -> str:
    return f"<a href='{ARXIV}{number}'>{name}</a>"
