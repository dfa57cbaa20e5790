"""Everything that the page shows of one text, in one piece of plain data, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from minrnn.inside.memory import Memory, memory
from minrnn.inside.reading import Difference, Read, Reading, differences, read
from minrnn.models import CharModel


class Page(TypedDict):
    """Everything the page shows of one text. `learning` and `memory` are there where they were asked for."""

    text: str
    models: dict[str, Read]
    learning: dict[str, Read]
    memory: dict[str, Memory]
    differences: list[Difference]


def page(models: Mapping[str, CharModel], reading: Reading, *, with_memory: bool = True) -> Page:
    """Let every model read a text, and gather what the page shows.

    Args:
        models: by key, in evaluation mode.
        reading: with `learn`, `learning` holds the surprise of copies that learnt beside that of the models.
        with_memory: whether to look at layers, units and context, too.
    """
    plain = Reading(reading.text, 0.0, reading.top)
    found = {key: read(model, plain) for key, model in models.items()}
    learning = {key: read(model, reading) for key, model in models.items()} if reading.learn else {}
    return {
        "text": reading.text,
        "models": found,
        "learning": learning,
        "memory": {key: memory(model, reading.text) for key, model in models.items()} if with_memory else {},
        "differences": differences(found),
    }
