"""Units that know something: those whose value follows what a reader can name.

A feature is a number for every character of a text. A unit follows it as closely as the two correlate (Pearson)
along the text. The unit is chosen among hundreds, so in a short text a high correlation can be chance.

Source: Karpathy, Johnson & Fei-Fei 2015, arXiv 1506.02078, section 4.2, showed such cells of an LSTM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from minrnn.inside.layers import Layer

Feature = Callable[[str], list[float]]
OPENING, CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Follower:
    """A unit that follows a feature.

    Attributes:
        feature: a key of `FEATURES`.
        layer: from 0.
        unit: from 0.
        correlation: Pearson's, in [-1, 1].
    """

    feature: str
    layer: int
    unit: int
    correlation: float


def followers(found: Sequence[Layer | None], text: str, each: int = 1) -> list[Follower]:
    """The units that follow each feature most closely, the closest of all first.

    Args:
        found: what a model's layers show of the text.
        text: as the model has read it.
        each: units for each feature.
    """
    shown = [(number, layer.units.cpu()) for number, layer in enumerate(found) if layer is not None]
    if not shown or len(text) < 2:
        return []
    units = torch.cat([values for _, values in shown], dim=1)
    places = [(number, unit) for number, values in shown for unit in range(values.shape[1])]
    best = []
    for name, values in features(text).items():
        found_here = correlations(units, values)
        for index in found_here.abs().topk(min(each, len(places))).indices.tolist():
            layer, unit = places[index]
            best.append(Follower(name, layer, unit, found_here[index].item()))
    return sorted(best, key=lambda follower: -abs(follower.correlation))


def features(text: str) -> dict[str, Tensor]:
    """(T,) float32 for every feature that is not the same all along the text."""
    found = {name: torch.tensor(feature(text), dtype=torch.float32) for name, feature in FEATURES.items()}
    return {name: values for name, values in found.items() if len(values) and values.min() < values.max()}


def correlations(units: Tensor, feature: Tensor) -> Tensor:
    """(C,) Pearson's correlation of (T, C) units with a (T,) feature; 0 for a unit that never changes."""
    centred, wanted = units.double() - units.double().mean(dim=0), feature.double() - feature.double().mean()
    size = centred.norm(dim=0) * wanted.norm()
    return torch.where(size > 1e-12, wanted @ centred / size.clamp_min(1e-12), 0.0).float()


def _name(text: str) -> list[float]:
    """1 in a line that ends with a colon, follows an empty line or begins the text, and so names a speaker."""
    lines, found = text.split("\n"), []
    for number, line in enumerate(lines):
        speaks = line.endswith(":") and (number == 0 or not lines[number - 1])
        found += [float(speaks)] * len(line) + [0.0]
    return found[:-1]


def _column(text: str) -> list[float]:
    """Characters since the line began."""
    return list(accumulate((float(char != "\n") for char in text), lambda n, one: n + 1 if one else 0.0))


def _in_word(text: str) -> list[float]:
    """Letters of the word so far; 0 between words."""
    return list(accumulate((float(c.isalpha()) for c in text), lambda n, one: n + 1 if one else 0.0))


def _after_apostrophe(text: str) -> list[float]:
    """1 at an apostrophe and the letters that follow it."""
    found, on = [], False
    for char in text:
        on = char == "'" or (on and char.isalpha())
        found.append(float(on))
    return found


def _depth(text: str) -> list[float]:
    """Brackets that are open."""
    return list(accumulate(float((char in OPENING) - (char in CLOSING)) for char in text))


def _indent(text: str) -> list[float]:
    """Spaces that the line begins with, so far."""
    return [float(len(line) - len(line.lstrip(" "))) for line in _begun_lines(text)]


def _begun_lines(text: str) -> list[str]:
    """For every character the first 64 characters of its line, up to and with itself."""
    found, line = [], ""
    for char in text:
        line = "" if char == "\n" else (line + char)[:64]
        found.append(line)
    return found


def _each(says: Callable[[str], bool]) -> Feature:
    return lambda text: [float(says(char)) for char in text]


FEATURES: Mapping[str, Feature] = {
    "inside a speaker's name": _name,
    "column in the line": _column,
    "letters of the word so far": _in_word,
    "after an apostrophe": _after_apostrophe,
    "capital letters": _each(str.isupper),
    "vowels": _each(lambda char: char.lower() in "aeiou"),
    "spaces": _each(lambda char: char == " "),
    "line breaks": _each(lambda char: char == "\n"),
    "ends of sentences": _each(lambda char: char in ".!?"),
    "commas and semicolons": _each(lambda char: char in ",;"),
    "digits": _each(str.isdigit),
    "open brackets": _depth,
    "indentation": _indent,
}
"""What a reader can name, by the name a reader gives it."""
