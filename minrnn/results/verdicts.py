"""What the table of budgets says, in sentences: one for each text and budget, and some over all of them.

Every sentence is made from the rows that have been run, and says which lack. Two models are level where their mean
losses differ by no more than seeds alone move one model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

from minrnn.corpora import CORPORA
from minrnn.models import MODEL_NAMES
from minrnn.presets import TAUGHT
from minrnn.results.figures import title
from minrnn.results.finding import attends, characters, listed
from minrnn.results.weights import Weights
from minrnn.results.weights_studies import POINTS, TAPS, TAUGHT_POINT, Point

SIDES = ("recurrent", "level", "transformer")
"""Which kind of model is ahead."""
Losses = Mapping[str, Sequence[float]]
"""Model -> the validation losses of its seeds, in nats per character."""


def sentences(weights: Weights) -> list[str]:
    """All that the table says: every text and budget, then the order over the budgets, more text, the convolution, and
    what teachers bring."""
    spread, losses = weights.spread, {p: weights.losses(p) for p in POINTS}
    compared = {p: found for p, found in losses.items() if p.taps == TAPS}
    found = [at_point(p, there, spread) for p, there in losses.items() if there]
    found += [over_budgets(compared, spread), more_text(compared, spread), *convolution(losses)]
    found += taught(weights)
    if weights.spread and all(len(there) < 2 for at in losses.values() for there in at.values()):
        found.append(f"That seeds move a model by {weights.spread:.3f} was seen with an earlier recipe.")
    lacking = [_where(p) for p, there in losses.items() if not there]
    return [*found, f"Not yet run: {'; '.join(lacking)}."] if lacking else found


def headline(weights: Weights, counted: bool = True) -> str:
    """The answer in one sentence: at which budgets a recurrent model is ahead, and at which a transformer.

    Args:
        weights: the table.
        counted: whether to say how many of its rows have been run, where some lack.
    """
    compared = {p: weights.losses(p) for p in POINTS if p.taps == TAPS}
    sides = {p: side for p, losses in compared.items() if (side := _side(losses, weights.spread))}
    lacking, total = weights.missing(), sum(len(p.rows()) for p in POINTS)
    so_far = f" So far {total - lacking} of the {total} runs planned are made." if lacking and counted else ""
    if not sides:
        return (
            "Which model is best at which budget is not known yet: no budget has rows of both a recurrent model and a "
            f"transformer.{so_far}"
        )
    places = {side: [p for p, found in sides.items() if found == side] for side in sides.values()}
    parts = [
        f"{_ahead(side, [compared[p] for p in places[side]])} {_after(places[side])}"
        for side in SIDES
        if side in places
    ]
    if len(parts) > 1:
        return f"It depends on {_depends(sides)}: {'; '.join(parts)}.{so_far}"
    return f"{_capital(parts[0])}{', the one budget compared' if len(sides) == 1 else ''}.{so_far}"


def at_point(point: Point, losses: Losses, spread: float) -> str:
    """Who is lowest at one text and budget, by how much, and over which runs.

    Args:
        point: the text, the budget, and whether there is a convolution.
        losses: of the models that were run there.
        spread: how far one model's loss moves with the seed; 0 where nobody knows.
    """
    place, ranked = f"On {_where(point)}", _ranked(losses)
    if not ranked:
        return f"{place}: not yet run."
    lacking = [title(m) for m in MODEL_NAMES if m not in losses]
    missing = f"; {listed(lacking)} {'is' if len(lacking) == 1 else 'are'} not yet run" if lacking else ""
    if len(ranked) == 1:
        alone = f"{title(ranked[0][1])} has {ranked[0][0]:.3f} nats per character ({_seeds(losses)})"
        return f"{place}, {alone}{missing}, so nothing is compared."
    unknown = "" if spread else "; how far seeds differ is not known yet"
    return f"{place}, {_claim(ranked, spread)}; {len(ranked)} models, {_seeds(losses)}{missing}{unknown}."


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
    ranked = {p: _ranked({m: losses[m] for m in common}) for p, losses in run.items()}
    lowest = [f"{_leaders(ranks, spread)} after {characters(p.chars)}" for p, ranks in ranked.items()]
    among = f"Lowest on {_text(next(iter(run)))}, of {_all(common)}"
    return f"{among}: {listed(lowest)} characters{_gaps(ranked, spread)}."


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


def convolution(losses: Mapping[Point, Losses]) -> list[str]:
    """What the convolution changes, a sentence for each budget that was run with it and without."""
    found = []
    for p, plain in losses.items():
        pair = next((q for q in losses if (q.corpus, q.chars) == (p.corpus, p.chars) and q.taps), None)
        both = [] if p.taps or pair is None else [m for m in plain if m in losses[pair]]
        if both and pair is not None:
            changes = {m: _gap(mean(losses[pair][m]), mean(plain[m])) for m in both}
            found.append(
                f"On {_text(p)} after {characters(p.chars)} characters, the convolution {_changes(changes)}."
            )
    return found


def taught(weights: Weights) -> list[str]:
    """What teachers change: a sentence for each model that was taught, beside its row without teachers."""
    found = []
    for run in (r for r in weights.runs if r.study == TAUGHT):
        beside = "its row without them is not yet run"
        if plain := weights.at(TAUGHT_POINT).get(run.model):
            gap = _gap(run.val_loss, plain[0].val_loss)
            beside = f"{abs(gap):.3f} {'below' if gap < 0 else 'above'} its row without them"
        reached = f"{title(run.model)} has {run.val_loss:.3f} nats per character on {_where(TAUGHT_POINT)}"
        found.append(f"Taught by the five models of base, {reached}: {beside}.")
    return found


def _claim(ranked: Sequence[tuple[float, str]], spread: float) -> str:
    """Who is lowest, and how far behind the next and the best of the other kind are."""
    low, best = ranked[0]
    level = [(loss, m) for loss, m in ranked if _gap(loss, low) <= spread]
    rival = next(((loss, m) for loss, m in ranked if attends(m) != attends(best)), None)
    if len(level) > 1:
        why = f": seeds alone move one model by up to {spread:.3f}" if spread else ""
        behind = (
            f"; {_named(rival)} is {_gap(rival[0], low):.3f} above the lowest"
            if rival and rival not in level
            else ""
        )
        return f"{listed([_named(r) for r in level])} are level{why}{behind}"
    second = ranked[1]
    behind = f"{_gap(second[0], low):.3f} below {_named(second)}"
    if rival and rival != second:
        behind += f" and {_gap(rival[0], low):.3f} below {_named(rival)}"
    return f"{title(best)} has the lowest loss, {low:.3f} nats per character, {behind}"


def _gaps(ranked: Mapping[Point, Sequence[tuple[float, str]]], spread: float) -> str:
    """How far the best transformer is from the best recurrent model at each budget; empty where one kind lacks."""
    found: list[str] = []
    name = ""
    for p, ranks in ranked.items():
        recurrent = next((loss for loss, m in ranks if not attends(m)), None)
        transformer = next(((loss, m) for loss, m in ranks if attends(m)), None)
        if recurrent is None or transformer is None:
            return ""
        name, gap = title(transformer[1]), _gap(transformer[0], recurrent)
        how = "level with" if abs(gap) <= spread else f"{abs(gap):.3f} {'above' if gap > 0 else 'below'}"
        found.append(f"{how} {'it' if found else 'the best recurrent model'} after {characters(p.chars)}")
    return f"; {name} is {listed(found)}"


def _texts(one: Point, before: Losses, other: Point, after: Losses, spread: float) -> str:
    both = [m for m in MODEL_NAMES if m in before and m in after]
    if not both:
        return ""
    changes = {m: _gap(mean(after[m]), mean(before[m])) for m in both}
    texts = f"{_text(other)} in the place of {_text(one)}, {characters(one.chars)} characters read of either"
    ranked = _ranked({m: after[m] for m in both})
    lowest = f"; the lowest of them is {_leaders(ranked, spread)}" if len(both) > 1 else ""
    return f"More text ({texts}) {_changes(changes)}{lowest}."


def _changes(changes: Mapping[str, float]) -> str:
    """By how much losses change: "lowers the loss of A by 0.1"; the smallest and the largest of several."""
    said = []
    for verb, sign in (("lowers", -1), ("raises", 1)):
        ordered = sorted((sign * change, m) for m, change in changes.items() if sign * change > 0)
        if ordered:
            (least, a), (most, b) = ordered[0], ordered[-1]
            much = (
                f"{least:.3f}"
                if len(ordered) == 1
                else f"{least:.3f} ({title(a)}) to {most:.3f} ({title(b)})"
            )
            said.append(f"{verb} the loss of {_all([m for _, m in ordered])} by {much}")
    if same := [m for m, change in changes.items() if not change]:
        said.append(f"leaves that of {_all(same)} as it is")
    return listed(said)


def _side(losses: Losses, spread: float) -> str:
    """Which kind is ahead: "recurrent", "level" or "transformer"; empty where one of the two was not run."""
    ranked = _ranked(losses)
    recurrent = [loss for loss, m in ranked if not attends(m)]
    transformers = [loss for loss, m in ranked if attends(m)]
    if not recurrent or not transformers:
        return ""
    gap = _gap(transformers[0], recurrent[0])
    if abs(gap) <= spread:
        return "level"
    return "recurrent" if gap > 0 else "transformer"


def _ahead(side: str, losses: Sequence[Losses]) -> str:
    """Which kind is ahead at some points, in words; "run" where further recurrent models may yet change that."""
    transformer = listed([title(m) for m in MODEL_NAMES if attends(m)])
    lacking = any(m not in found and not attends(m) for found in losses for m in MODEL_NAMES)
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


def _leaders(ranked: Sequence[tuple[float, str]], spread: float) -> str:
    """The lowest, or those that are level with it."""
    level = [m for loss, m in ranked if _gap(loss, ranked[0][0]) <= spread]
    return listed(_titles(level)) + " (level)" * (len(level) > 1)


def _ranked(losses: Losses) -> list[tuple[float, str]]:
    return sorted((mean(found), m) for m, found in losses.items())


def _gap(one: float, other: float) -> float:
    """The difference of two losses as they are printed."""
    return round(round(one, 3) - round(other, 3), 3)


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
