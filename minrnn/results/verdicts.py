"""What the table of budgets says, in sentences: one for each text and budget, and some over all of them.

Every sentence is made from the rows that have been run, and says which lack. Two models are level where their mean
losses differ by no more than seeds alone move one model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minrnn.corpora import CORPORA
from minrnn.models import MODEL_NAMES
from minrnn.presets import TAUGHT
from minrnn.results.figures import title
from minrnn.results.finding import attends, characters, listed
from minrnn.results.ranking import Losses, Ranked, change, gap, level, ranked
from minrnn.results.weights import SPREAD_DIGITS, Weights
from minrnn.results.weights_studies import POINTS, TAPS, TAUGHT_POINT, Point

SIDES = ("recurrent", "level", "transformer")
"""Which kind of model is ahead."""


def sentences(weights: Weights) -> list[str]:
    """All that the table says: every text and budget, the order over budgets, more text, the convolution, teachers."""
    spread, losses = weights.spread, {p: weights.losses(p) for p in POINTS}
    compared = {p: found for p, found in losses.items() if p.taps == TAPS}
    found = [at_point(p, there, spread) for p, there in losses.items() if there]
    found += [over_budgets(compared, spread), more_text(compared, spread), *convolution(losses, spread)]
    found += taught(weights)
    ours = (max(seeds) - min(seeds) for there in losses.values() for seeds in there.values())
    if round(max(ours, default=0.0), SPREAD_DIGITS) < spread:
        found.append(f"That seeds move a model by {spread:.3f} was seen with an earlier recipe.")
    lacking = [_where(p) for p, there in losses.items() if not there]
    return [*found, f"Not yet run: {'; '.join(lacking)}."] if lacking else found


def headline(weights: Weights, counted: bool = True) -> str:
    """The answer in one sentence: at which budgets a recurrent model is ahead, and at which a transformer.

    Args:
        weights: the table.
        counted: whether to say how many of its rows have been run, where some lack.
    """
    compared = {p: weights.losses(p) for p in POINTS if p.taps == TAPS}
    found = {p: side for p, losses in compared.items() if (side := _side(losses, weights.spread))}
    sides = {p: side for p, side in found.items() if side == "recurrent" or not _lacks(compared[p])}
    lacking, total = weights.missing(), sum(len(p.rows()) for p in POINTS)
    so_far = f" So far {total - lacking} of the {total} runs planned are made." if lacking and counted else ""
    if not found:
        return (
            "Which model is best at which budget is not known yet: no budget has rows of both a recurrent model and a "
            f"transformer.{so_far}"
        )
    parts = _parts(sides, compared)
    others = _parts({p: side for p, side in found.items() if p not in sides}, compared)
    undecided = f" Not decided yet: {'; '.join(others)}." if others else ""
    if len(parts) > 1:
        return f"It depends on {_depends(sides)}: {'; '.join(parts)}.{undecided}{so_far}"
    one = [f"{_capital(part)}{', the one budget compared' if len(found) == 1 else ''}." for part in parts]
    return f"{''.join(one)}{undecided}{so_far}".strip()


def _parts(sides: Mapping[Point, str], compared: Mapping[Point, Losses]) -> list[str]:
    """Which kind is ahead at which points, one part a kind."""
    places = {side: [p for p, found in sides.items() if found == side] for side in SIDES}
    return [f"{_ahead(side, [compared[p] for p in at])} {_after(at)}" for side, at in places.items() if at]


def at_point(point: Point, losses: Losses, spread: float) -> str:
    """Who is lowest at one text and budget, by how much, and over which runs.

    Args:
        point: the text, the budget, and whether there is a convolution.
        losses: of the models that were run there.
        spread: how far one model's loss moves with the seed; 0 where nobody knows.
    """
    place, ranks = f"On {_where(point)}", ranked(losses)
    if not ranks:
        return f"{place}: not yet run."
    lacking = [title(m) for m in MODEL_NAMES if m not in losses]
    missing = f"; {listed(lacking)} {'is' if len(lacking) == 1 else 'are'} not yet run" if lacking else ""
    if len(ranks) == 1:
        alone = f"{title(ranks[0][1])} has {ranks[0][0]:.3f} nats per character ({_seeds(losses)})"
        return f"{place}, {alone}{missing}, so nothing is compared."
    unknown = "" if spread else "; how far seeds differ is not known yet"
    return f"{place}, {_claim(ranks, spread)}; {len(ranks)} models, {_seeds(losses)}{missing}{unknown}."


def over_budgets(compared: Mapping[Point, Losses], spread: float) -> str:
    """How the order changes as the budget grows: the models that were run at every budget compared.

    Args:
        compared: the losses at every point with a convolution.
        spread: as for `at_point`.
    """
    corpus = next(iter(compared)).corpus
    run = {p: losses for p, losses in compared.items() if p.corpus == corpus and len(losses) > 1}
    common = [m for m in MODEL_NAMES if all(m in losses for losses in run.values())]
    if len(run) < 2 or len(common) < 2:
        return "How the order changes with the budget is not known yet: no two models have been run at two budgets."
    of_common = {p: ranked({m: losses[m] for m in common}) for p, losses in run.items()}
    lowest = [f"{_leaders(ranks, spread)} after {characters(p.chars)}" for p, ranks in of_common.items()]
    among = f"Lowest on {_text(next(iter(run)))}, of {_all(common)}"
    return f"{among}: {listed(lowest)} characters{_gaps(run, spread)}."


def more_text(compared: Mapping[Point, Losses], spread: float) -> str:
    """What another text changes at the same number of characters read; empty where no budget has both."""
    found = [
        _texts(one, compared[one], other, compared[other], spread)
        for one in compared
        for other in compared
        if one.chars == other.chars and one.corpus != other.corpus and POINTS.index(one) < POINTS.index(other)
    ]
    return (
        " ".join(filter(None, found))
        or "What more text changes is not known yet: no model has been run on both."
    )


def convolution(losses: Mapping[Point, Losses], spread: float) -> list[str]:
    """What the convolution changes, a sentence for each budget that was run with it and without."""
    found = []
    for p, plain in losses.items():
        pair = next((q for q in losses if (q.corpus, q.chars) == (p.corpus, p.chars) and q.taps), None)
        both = [] if p.taps or pair is None else [m for m in plain if m in losses[pair]]
        if both and pair is not None:
            changes = {m: change(losses[pair][m], plain[m]) for m in both}
            place = f"On {_text(p)} after {characters(p.chars)} characters"
            found.append(f"{place}, the convolution {_changes(changes, spread)}.")
    return found


def taught(weights: Weights) -> list[str]:
    """What teachers change: a sentence for each model that was taught, beside its row without teachers."""
    found = []
    for run in (r for r in weights.runs if r.study == TAUGHT):
        beside = "its row without them is not yet run"
        alone = weights.at(TAUGHT_POINT).get(run.model, [])
        if plain := next((other for other in alone if other.seed == run.seed), None):
            beside = f"{_beside(run.val_loss, plain.val_loss, weights.spread)} its row without them"
        reached = f"{title(run.model)} has {run.val_loss:.3f} nats per character on {_where(TAUGHT_POINT)}"
        found.append(f"Taught by the five models of base, {reached}: {beside}.")
    return found


def _claim(ranks: Ranked, spread: float) -> str:
    """Who is lowest, and how far behind the next and the best of the other kind are."""
    low, best = ranks[0]
    leaders = [(loss, m) for loss, m in ranks if level(loss, low, spread)]
    rival = next(((loss, m) for loss, m in ranks if attends(m) != attends(best)), None)
    if len(leaders) > 1:
        said = f"{listed([_named(r) for r in leaders])} are level"
        why = f": seeds alone move one model by up to {spread:.3f}" if spread else ""
        if rival and rival not in leaders:
            why += f"; {_named(rival)} is {gap(rival[0], low):.3f} above the lowest"
        return said + why
    second = ranks[1]
    behind = f"{gap(second[0], low):.3f} below {_named(second)}"
    if rival and rival != second:
        behind += f" and {gap(rival[0], low):.3f} below {_named(rival)}"
    return f"{title(best)} has the lowest loss, {low:.3f} nats per character, {behind}"


def _gaps(run: Mapping[Point, Losses], spread: float) -> str:
    """How far the best transformer is from the best recurrent model at each budget; empty where one kind lacks."""
    found: list[str] = []
    name = ""
    for p, losses in run.items():
        best, rival = _best(losses, recurrent=True), _best(losses, recurrent=False)
        if best is None or rival is None:
            return ""
        name = title(rival[1])
        other = "the best one run" if _lacks(losses) else "it" if found else "the best recurrent model"
        found.append(f"{_beside(rival[0], best[0], spread)} {other} after {characters(p.chars)}")
    return f"; {name} is {listed(found)}"


def _beside(one: float, other: float, spread: float) -> str:
    """Where a loss lies beside another: "level with", "0.020 above"."""
    if level(one, other, spread):
        return "level with"
    return f"{abs(gap(one, other)):.3f} {'above' if one > other else 'below'}"


def _best(losses: Losses, *, recurrent: bool) -> tuple[float, str] | None:
    """The lowest of one kind; None where none was run."""
    return next((rank for rank in ranked(losses) if attends(rank[1]) != recurrent), None)


def _lacks(losses: Losses) -> bool:
    """Whether a recurrent model was not run there."""
    return any(m not in losses and not attends(m) for m in MODEL_NAMES)


def _texts(one: Point, before: Losses, other: Point, after: Losses, spread: float) -> str:
    both = [m for m in MODEL_NAMES if m in before and m in after]
    if not both:
        return ""
    changes = {m: change(after[m], before[m]) for m in both}
    texts = f"{_text(other)} in the place of {_text(one)}, {characters(one.chars)} characters read of either"
    ranks = ranked({m: after[m] for m in both})
    lowest = f"; the lowest of them is {_leaders(ranks, spread)}" if len(both) > 1 else ""
    return f"More text ({texts}) {_changes(changes, spread)}{lowest}."


def _changes(changes: Mapping[str, float], spread: float) -> str:
    """By how much losses change: "lowers the loss of A by 0.1"; the smallest and the largest of several."""
    said = []
    for verb, sign in (("lowers", -1), ("raises", 1)):
        moved = [(sign * by, m) for m, by in changes.items() if sign * by > 0 and not level(by, 0, spread)]
        if moved:
            (least, a), (most, b) = min(moved), max(moved)
            span = f"{least:.3f} ({title(a)}) to {most:.3f} ({title(b)})"
            much = span if len(moved) > 1 else f"{least:.3f}"
            said.append(f"{verb} the loss of {_all([m for _, m in moved])} by {much}")
    if same := [m for m, by in changes.items() if level(by, 0, spread)]:
        said.append(f"moves {'that' if said else 'the loss'} of {_all(same)} by no more than seeds do")
    return listed(said)


def _side(losses: Losses, spread: float) -> str:
    """Which kind is ahead: "recurrent", "level" or "transformer"; empty where one of the two was not run."""
    best, rival = _best(losses, recurrent=True), _best(losses, recurrent=False)
    if best is None or rival is None:
        return ""
    if level(rival[0], best[0], spread):
        return "level"
    return "recurrent" if rival[0] > best[0] else "transformer"


def _ahead(side: str, losses: Sequence[Losses]) -> str:
    """Which kind is ahead at some points, in words; "run" where further recurrent models may yet change that."""
    transformer = listed([title(m) for m in MODEL_NAMES if attends(m)])
    lacking = any(map(_lacks, losses))
    if side == "recurrent":
        return f"a recurrent model is ahead of {transformer}"
    if side == "level":
        return f"the best recurrent model{' run' * lacking} and {transformer} are level"
    return f"{transformer} is ahead of the recurrent models{' run' * lacking}"


def _depends(sides: Mapping[Point, str]) -> str:
    """What the answer depends on: the budget where it changes on one text, the text where it does at one budget."""
    pairs = [(p, q) for p in sides for q in sides if sides[p] != sides[q]]
    budget = any(p.corpus == q.corpus for p, q in pairs)
    text = any(p.corpus != q.corpus and p.chars == q.chars for p, q in pairs)
    return listed(["the budget"] * budget + ["the text"] * text) or "the budget and the text"


def _after(points: Sequence[Point]) -> str:
    """Budgets and their texts: "after 3.3 M and 9.8 M characters of tiny Shakespeare"."""
    texts = dict.fromkeys(_text(p) for p in points)
    parts = [
        f"{listed([characters(p.chars) for p in points if _text(p) == text])} characters of {text}"
        for text in texts
    ]
    return f"after {listed(parts)}"


def _leaders(ranks: Ranked, spread: float) -> str:
    """The lowest, or those that are level with it."""
    leaders = [m for loss, m in ranks if level(loss, ranks[0][0], spread)]
    return listed(_titles(leaders)) + " (level)" * (len(leaders) > 1)


def _seeds(losses: Losses) -> str:
    counts = sorted({len(found) for found in losses.values()})
    if counts == [1]:
        return "one seed each" if len(losses) > 1 else "one seed"
    number = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    return f"the mean of {number} seeds" + " each" * (len(losses) > 1)


def _named(ranked: tuple[float, str]) -> str:
    return f"{title(ranked[1])} ({ranked[0]:.3f})"


def _titles(models: Sequence[str]) -> list[str]:
    return [title(m) for m in MODEL_NAMES if m in models]


def _all(models: Sequence[str]) -> str:
    """Models as a sentence lists them, in the order they are shown."""
    return f"all {len(models)} models" if set(models) == set(MODEL_NAMES) else listed(_titles(models))


def _where(point: Point) -> str:
    conv = "with a convolution" if point.taps else "without a convolution"
    return f"{_text(point)} after {characters(point.chars)} characters, {conv}"


def _text(point: Point) -> str:
    return CORPORA[point.corpus].title


def _capital(words: str) -> str:
    """A sentence's first letter; a model's name keeps its own."""
    return words if words.startswith(tuple(title(m) for m in MODEL_NAMES)) else words[:1].upper() + words[1:]
