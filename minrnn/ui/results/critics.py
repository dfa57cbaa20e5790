"""What critics said of minGRU and minLSTM, and what we measured: data -> HTML, our figures taken from the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from minrnn.models import MODEL_NAMES
from minrnn.results import Result, title, weights
from minrnn.results.finding import characters, listed
from minrnn.results.weights_studies import POINTS, TAPS
from minrnn.ui.results.summary import machine

ARXIV = "https://arxiv.org/abs/"
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
        Point(
            "They cannot compute parity.",
            f"Decays between 0 and 1 cannot count modulo two at every length ({_link('Grazzi et al.', '2411.12537')}).",
            "So it is in a trial of two layers of 64, trained for 25 seconds on lengths up to 32: at 32 and at 256 "
            "minGRU is right in 83 % and 54 % of the places, the LSTM in all.",
        ),
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
    if not own:
        return None
    rates = listed(
        [f"{escape(r.title)} {r.tokens_seen / r.seconds / 1000:.1f} k" for r in own if r.seconds > 0]
    )
    paper = _link("The paper", "2410.01201")
    machines = "; ".join(dict.fromkeys(machine(r.device) for r in own))
    return Point(
        "The speed factors compare with a slow baseline.",
        f"{paper} reports 175 times the speed of a GRU and 235 times that of an LSTM, at length 512 on a T4. "
        "Both baselines were plain loops, not cuDNN.",
        f"Characters read a second in the runs above, evaluations included: {rates} ({escape(machines)}).",
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
        "The paper puts one over four characters before its recurrence; the classical LSTM and nanoGPT have none.",
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
