"""What is said of the insides of the bundled models: the tables of docs/inside.md, and sentences for it and the page.

They are made from the stored figures of the bundled weights, so they stay true when the weights change: until those
are measured, the page says that they are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from minrnn.inside.context import SEEN
from minrnn.results.figures import title
from minrnn.results.inside import RATES, Figures
from minrnn.results.tables import NOT_YET, fill, loss, table

PAGE = "inside.md"


def renew(docs: Path, found: Mapping[str, Figures], missing: Sequence[str] = ()) -> bool:
    """Put the tables and sentences into the page; whether it changed.

    Args:
        docs: the page's folder.
        found: the figures of `PRESET`.
        missing: its models whose weights were not measured.

    Raises:
        MinrnnError: if the page lacks its markers.
    """
    return fill(docs / PAGE, sections(found, missing))


def sections(found: Mapping[str, Figures], missing: Sequence[str] = ()) -> dict[str, str]:
    """What stands between the markers of the page, from what `renew` is given."""
    note = [_not_measured(missing)] if missing else []
    if not found:
        return dict.fromkeys(("context", "half-lives", "units", "learning"), *note or [NOT_YET])
    parts = {
        "context": [context_sentence(found), _context_table(found)],
        "half-lives": [half_life_sentence(found), _half_life_table(found)],
        "units": [unit_sentence(found), _unit_table(found)],
        "learning": [learning_sentence(found), _learning_table(found)],
    }
    return {name: "\n\n".join([*lines, *note]) for name, lines in parts.items()}


def _not_measured(missing: Sequence[str]) -> str:
    names = _listed([title(name) for name in missing])
    return f"Not measured for these weights: {names}. `python -m minrnn inside measure {' '.join(missing)}` does it."


def context_sentence(found: Mapping[str, Figures]) -> str:
    """How far back the models look, in a sentence."""
    enough = max(enough_characters(one) for one in found.values())
    losses = [one.context[one.seen.index(enough)] - one.context[-1] for one in found.values()]
    return (
        f"With {enough} characters seen, every model is within {max(losses):.2f} nats of its loss with "
        f"{max(SEEN)} characters seen."
    )


def alike(found: Mapping[str, Figures], seen: int = 16) -> str:
    """Why the models' texts look alike, for somebody who has just read them.

    Args:
        found: the stored figures.
        seen: the few characters that are said to be enough, one of `SEEN`.
    """
    worst = max((one.context[one.seen.index(seen)] - one.context[-1] for one in found.values()), default=0.0)
    measured = (
        f": with {seen} characters in sight every model is within {worst:.2f} nats a character of what it reaches with "
        f"{max(SEEN)}"
    )
    return (
        f"They sound alike because a few words are enough here{measured if found else ''}. "
        "Let them see 2 characters, and all of them babble."
    )


def enough_characters(one: Figures) -> int:
    """The fewest characters seen that bring a model within a twentieth of a nat of its loss with the most."""
    return next(n for n, value in zip(one.seen, one.context, strict=True) if value <= one.context[-1] + 0.05)


def half_life_sentence(found: Mapping[str, Figures]) -> str:
    """How long units remember, in a sentence."""
    parts = [
        f"{title(name)} {one.within_one:.0%} (the longest: {max(x.longest for x in one.half_lives):.0f} characters)"
        for name, one in found.items()
        if one.half_lives
    ]
    if not parts:
        return "None of the models that were measured has units that decay."
    return f"Units that have forgotten half of a write within one character: {_listed(parts)}."


def unit_sentence(found: Mapping[str, Figures]) -> str:
    """The unit that follows a feature most closely, in a sentence."""
    name, best = max(
        ((name, unit) for name, one in found.items() for unit in one.units),
        key=lambda pair: abs(pair[1].correlation),
    )
    return (
        f"The closest: unit {best.unit} in layer {best.layer + 1} of {title(name)} follows “{best.feature}” with "
        f"a correlation of {best.correlation:.2f}."
    )


def learning_sentence(found: Mapping[str, Figures]) -> str:
    """What learning while reading takes off, in a sentence."""
    gains = [one.streaming - one.learning for one in found.values()]
    least, most = f"{min(gains):.2f}", f"{max(gains):.2f}"
    gain = least if least == most else f"{least} to {most}"
    return f"Learning while reading takes {gain} nats a character off the loss."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _context_table(found: Mapping[str, Figures]) -> str:
    rows = [[title(name), *(f"{value:.2f}" for value in one.context)] for name, one in found.items()]
    return table(["characters seen", *map(str, SEEN)], rows, range(1, len(SEEN) + 1))


def _half_life_table(found: Mapping[str, Figures]) -> str:
    rows = []
    for name, one in found.items():
        for number, layer in enumerate(one.half_lives, 1):
            how = "exact" if one.exact else "along its own gates"
            figures = [f"{value:.2f}" for value in (layer.median, layer.upper, layer.longest)]
            rows.append([title(name), str(number), how, *figures])
    return table(["", "layer", "", "median", "90 % are below", "longest"], rows, (1, 3, 4, 5))


def _unit_table(found: Mapping[str, Figures]) -> str:
    head = ["", "feature", "layer", "unit", "where it was chosen", "validation"]
    rows = [
        [title(name), u.feature, str(u.layer + 1), str(u.unit), f"{u.chosen:.2f}", f"{u.correlation:.2f}"]
        for name, one in found.items()
        for u in one.units[:4]
    ]
    return table(head, rows, range(2, 6))


def _learning_table(found: Mapping[str, Figures]) -> str:
    tried = [f"rate {rate:g}, training split" for rate in RATES]
    rows = [
        [title(name), *map(loss, one.rates), f"{one.rate:g}", loss(one.streaming), loss(one.learning)]
        for name, one in found.items()
    ]
    return table(
        ["", *tried, "chosen", "val_loss_streaming", "val_loss_learning"], rows, range(1, len(tried) + 4)
    )
