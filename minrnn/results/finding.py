"""The finding in one sentence, made from the figures of the bundled checkpoints, and what limits it."""

from __future__ import annotations

from collections.abc import Sequence

from minrnn.models import MIXERS
from minrnn.results.figures import Result
from minrnn.results.ranking import gap, level
from minrnn.results.tables import params

SAME_SIZE = 0.05
"""Models whose numbers of parameters differ by at most this share count as equally large."""


def finding(own: Sequence[Result], spread: float = 0.0) -> str:
    """What the losses of one preset say: the best recurrent model beside the transformer.

    Args:
        own: the checkpoints of one preset; the sentence is shorter where one of the two kinds is missing.
        spread: how far the loss of one model moves when only the seed changes, in nats per character. A smaller gap
            is called level.

    Returns:
        One sentence; empty without a checkpoint.
    """
    recurrent = [r for r in own if not attends(r.model)]
    transformers = [r for r in own if attends(r.model)]
    if not recurrent or not transformers:
        return _lowest(own)
    best, rival = _best(recurrent), _best(transformers)
    lead = gap(rival.loss, best.loss)
    ahead = f"{abs(lead):.3f} nats per character {'below' if lead > 0 else 'above'}"
    verdict = "level with" if level(rival.loss, best.loss, spread) else ahead
    losses = f"{best.loss:.3f} against {rival.loss:.3f}"
    return (
        f"The best recurrent model, {best.title}, ends {verdict} {rival.title}: {losses}, "
        f"{_characters(best, rival)} and {_sizes(best, rival)}."
    )


def order(own: Sequence[Result], spread: float) -> str:
    """Whether the order among the recurrent models is settled: a sentence, empty where there are none to order.

    Args:
        own: the checkpoints of one preset.
        spread: as for `finding`.
    """
    recurrent = sorted((r for r in own if not attends(r.model)), key=lambda r: r.loss)
    close = [r for r in recurrent if level(r.loss, recurrent[0].loss, spread)]
    if len(close) < 2:
        return ""
    names, width = listed([r.title for r in close]), gap(close[-1].loss, close[0].loss)
    return (
        f"{names} lie within {width:.3f} of one another, and another seed alone moves one model by up to "
        f"{spread:.3f}: their order is not settled."
    )


def attends(model: str) -> bool:
    """Whether a mixer is a transformer's: it needs learned positions; an unknown one counts as recurrent."""
    return model in MIXERS and MIXERS[model].learned_positions


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them: "A", "A and B", "A, B and C"."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def characters(count: int) -> str:
    """A number of characters read: 9.8 M."""
    return f"{count / 1e6:.1f} M" if count >= 1e5 else f"{count:,}"


def _best(results: Sequence[Result]) -> Result:
    return min(results, key=lambda r: r.loss)


def _lowest(own: Sequence[Result]) -> str:
    if not own:
        return ""
    best = _best(own)
    read = characters(best.tokens_seen)
    has = "has the lowest loss," if len(own) > 1 else "has"
    return f"{best.title} {has} {best.loss:.3f} nats per character after {read} characters read."


def _characters(best: Result, rival: Result) -> str:
    if best.tokens_seen == rival.tokens_seen:
        return f"after {characters(best.tokens_seen)} characters read by each"
    return f"after {characters(best.tokens_seen)} characters read against {characters(rival.tokens_seen)}"


def _sizes(best: Result, rival: Result) -> str:
    if abs(best.n_params - rival.n_params) <= SAME_SIZE * rival.n_params:
        return f"with about {max(best.n_params, rival.n_params) / 1e6:.1f} M parameters each"
    return f"with {params(best.n_params)} parameters against {params(rival.n_params)}"
