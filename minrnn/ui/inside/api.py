"""Inside for scripts: /read."""

from __future__ import annotations

from typing import Any

import gradio as gr

from minrnn.checked import from_mapping, shown
from minrnn.errors import ConfigError
from minrnn.inside.reading import Reading, read
from minrnn.library import COMMITTEE, Entry, Library
from minrnn.runs.request import names
from minrnn.ui.compare.writing import ALL
from minrnn.ui.components import endpoint
from minrnn.ui.listeners import Slots


def endpoints(library: Library, slots: Slots) -> None:
    """Add /read to the current Blocks' API."""

    async def read_text(
        text: str,
        models: str = ALL,
        preset: str = "base",
        learn: float = 0.0,
        top: int = 0,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """How likely each character of a text is for the models. One token is one character.

        Args:
            text: up to 5,000 characters. Those that a model does not know are replaced by similar ones or left out.
            models: "all", or names: a list, or a text with commas between them. "committee" is the mean of all models'
                probabilities.
            preset: which weights, such as "allplays", "base" or "replica"; /models lists them.
            learn: the rate at which a copy of each model learns each 64 characters after they were scored, 0 to 1; 0
                only reads. 0.05 suits the base weights.
            top: how many of the likeliest characters to list, 0 to 20.

        Returns:
            For every model {read, bits, bits_per_char, probability, rank, top, learn}. All lists have one entry for
            each character (code point) of the text: what the model read in its place ("" for nothing), its surprise
            in bits (null for the first character and where nothing was read), its probability, its rank from 1, and
            the likeliest as [character, probability].
        """
        asked = {"text": text, "learn": learn, "top": top}
        reading = from_mapping(Reading, {name: value for name, value in asked.items() if value is not None})
        each = ((entry.key, read(entry.model, reading)) for entry in chosen(library, models, preset))
        return {key: found async for key, found in slots.steps(request, each)}

    endpoint(read_text, "read", concurrency_id="read", concurrency_limit=None)


def chosen(library: Library, models: Any = ALL, preset: Any = "base") -> list[Entry]:
    """The models of a preset that a script or a page asks for; "all" leaves the committee out.

    Raises:
        ConfigError: if `models` or `preset` is of the wrong kind.
        CheckpointError: if one of them is not loaded, or none is named.
    """
    asked = names(ALL if models is None else models)
    preset = "base" if preset is None else preset
    listed = isinstance(asked, list) and all(isinstance(name, str) for name in asked)
    if not listed or not isinstance(preset, str):
        raise ConfigError(f"models is {shown(models)} and preset {shown(preset)}; give names, as texts.")
    if asked == [ALL]:
        asked = [name for name in library.models(preset) if name != COMMITTEE]
    return library.choose(preset, asked)
