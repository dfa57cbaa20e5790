"""What the figures of a reading say, in sentences. Each is made from the figures that the page shows beside it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from minrnn.inside.memory import Memory
from minrnn.inside.page import Page
from minrnn.results import inside as results
from minrnn.results import inside_page
from minrnn.results.figures import title

NEAR = 0.05
"""Nats from what a model reaches with everything in sight: closer than this is "nearly all"."""
NOT_SEEN = {
    "exact": "The shares are exact: the state is a sum over all earlier characters. Decay is what the state keeps of a "
    "write; depth and convolution add further paths.",
    "gated": "The cell is a sum over all earlier characters, and this is that sum; but its gates have read the state, "
    "so a character also acts through them.",
    "attention": "Attention says where a head looks, not what it takes from there; deeper layers look at what earlier "
    "layers have gathered.",
    "": "This model shows no shares.",
}


def surprise(page: Page, titles: Mapping[str, str]) -> dict[str, str]:
    """The sentence under the surprise of a text.

    Args:
        page: what the models made of the text.
        titles: the models' names, by key.
    """
    bits = {key: read["bits_per_char"] for key, read in page["models"].items()}
    known = {key: value for key, value in bits.items() if value is not None}
    if not known:
        return {"surprise": _unscored(page)}
    low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    said = f"{titles[low]} needs {known[low]:.2f} bits a character"
    if low != high:
        said = f"{said}, the fewest, and {titles[high]} {known[high]:.2f}, the most"
    return {"surprise": said + "." + _learning(page, titles)}


def _unscored(page: Page) -> str:
    """Why no model has been surprised."""
    if not page["text"]:
        return "The text is empty. Type or paste one, or choose an example, and press Read."
    if not any("".join(read["read"]) for read in page["models"].values()):
        return "No model knows a character of this text: they know plain letters and common signs. Try another text."
    if len(page["text"]) == 1:
        return "A text of one character surprises nobody: the first one is given."
    return "Of this text the models know one character, and it surprises nobody: the first one is given."


def _learning(page: Page, titles: Mapping[str, str]) -> str:
    gains = {
        key: (page["models"][key]["bits_per_char"] or 0.0) - (read["bits_per_char"] or 0.0)
        for key, read in page["learning"].items()
    }
    if not gains:
        return ""
    best = max(gains, key=gains.__getitem__)
    if gains[best] <= 0:
        return " None of them gains by learning while it reads this text."
    return (
        f" Learning while it reads saves {titles[best]} {gains[best]:.2f} bits a character, the most of all."
    )


def memory(page: Page, titles: Mapping[str, str]) -> dict[str, str]:
    """The sentences under the views of memory, by view."""
    found = page["memory"]
    said = {f"shares:{key}": NOT_SEEN[one["view"]["kind"]] for key, one in found.items()}
    return said | {
        "context": context(found, titles), "half_lives": half_lives(found, titles), "units": units(found, titles)
    }  # fmt: skip


def context(found: Mapping[str, Memory], titles: Mapping[str, str]) -> str:
    """How many characters in sight are nearly all that the models use."""
    enough = {key: _enough(one["context"]) for key, one in found.items()}
    known = {key: n for key, n in enough.items() if n is not None}
    if not known:
        return (
            "The text is too short to say how far back the models look; give it a hundred characters or more."
        )
    bests = {key: _best(found[key]["context"]) for key in known}
    if worse := {key: best for key, best in bests.items() if best is not None}:
        few, many = min(worse.values()), max(worse.values())
        best = f"{few}" if few == many else f"{few} to {many}"
        names = _listed([titles[key] for key in worse])
        return f"More is not better here: with {best} characters in sight {names} predict this text best."
    longest = max(n for one in found.values() for n, _ in one["context"])
    most = max(known.values())
    if most >= longest:
        behind = [titles[key] for key, n in known.items() if n == most]
        return f"{_listed(behind)} still gained from the last doubling, up to {longest} characters in sight."
    return f"With {most} characters in sight every model is within {NEAR:g} nats of what it reaches with {longest}."


def _enough(curve: list[tuple[int, float]]) -> int | None:
    """The fewest characters in sight from which on the loss stays near the last one; one point is no curve."""
    if len(curve) < 2:
        return None
    last = curve[-1][1]
    far = [place for place, (_, loss) in enumerate(curve) if loss > last + NEAR]
    return curve[far[-1] + 1][0] if far else curve[0][0]


def _best(curve: list[tuple[int, float]]) -> int | None:
    """The characters in sight with the lowest loss, where the loss with all of them is clearly higher."""
    best, loss = min(curve, key=lambda point: point[1])
    return best if curve[-1][1] > loss + NEAR else None


def half_lives(found: Mapping[str, Memory], titles: Mapping[str, str]) -> str:
    """How long units keep what is written into them."""
    parts = []
    for key, one in found.items():
        lives = [life if life is not None else float("inf") for layer in one["half_lives"] for life in layer]
        if lives:
            longest = max(lives)
            most = "for ever" if longest == float("inf") else f"{longest:.3g} characters"
            parts.append(
                f"{titles[key]}: a typical unit {statistics.median(lives):.2g} characters, the slowest {most}"
            )
    if not parts:
        return "None of these models has units that decay."
    return f"How soon a unit has lost half of what was written into it: {'; '.join(parts)}."


def units(found: Mapping[str, Memory], titles: Mapping[str, str]) -> str:
    """The unit that follows something nameable most closely."""
    listed = [(abs(u["correlation"]), titles[key], u) for key, one in found.items() for u in one["units"]]
    if not listed:
        return "The text is too short to find units that follow something."
    _, title, unit = max(listed, key=lambda entry: entry[0])
    return (
        f"{title}'s unit {unit['unit']} in layer {unit['layer'] + 1} follows “{unit['feature']}” most closely "
        f"(correlation {unit['correlation']:+.2f}). It was chosen among hundreds: in a short text that can be chance."
    )


def of_the_release(preset: str) -> dict[str, str]:
    """What the same views say of a preset's bundled weights on the whole validation split, by view; no text is read."""
    found = results.load(preset)
    if not found:
        return {}
    sentences = {
        "context": inside_page.context_sentence(found),
        "half_lives": inside_page.half_life_sentence(found),
        "units": inside_page.unit_sentence(found),
        "surprise": inside_page.learning_sentence(found),
    }
    missing = [title(name) for name in results.unmeasured(preset, found)]
    but = f" ({_listed(missing)} not measured)" if missing else ""
    there = f"On the whole validation split, the bundled weights of {preset}{but}: "
    return {f"stored:{view}": there + said[0].lower() + said[1:] for view, said in sentences.items()}


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
