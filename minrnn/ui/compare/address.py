"""What the page's address sets when it opens: the fields, the models on offer, the stored samples, the tab."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import Context

from minrnn.checked import shown
from minrnn.errors import ConfigError
from minrnn.library import HUB, Library
from minrnn.ui.compare import panels, writing
from minrnn.ui.compare.panels import Cards
from minrnn.ui.compare.tab import AT_ONCE, Fields, choices, ticked
from minrnn.ui.compare.writing import ALL

TABS = ("compare", "inside", "tasks", "train", "results")
_KINDS: dict[str, Callable[[str], Any]] = {
    "prompt": str, "preset": str, "max_new_tokens": int, "temperature": float, "top_k": int, "top_p": float,
    "seed": int, "context": int, "learn": int, "learn_rate": float,
}  # fmt: skip


@dataclass(frozen=True)
class Linked:
    """What an address asks for.

    Attributes:
        values: by name; what makes no sense, or what its field would refuse, is left out.
        models: keys of the models of its preset that shall write; the usual ones where it names none.
        missing: models that it names and its preset does not have.
        chooses: whether it says anything of models or preset.
    """

    values: dict[str, Any]
    models: list[str]
    missing: list[str] = field(default_factory=list)
    chooses: bool = False

    def preset(self, library: Library) -> str:
        """Its preset, or the one that a page starts with."""
        return str(self.values.get("preset", library.first))

    @property
    def writes(self) -> bool:
        """Whether its texts can be written as they were; the first click would write others."""
        return "seed" in self.values and not self.missing

    @property
    def note(self) -> str:
        """What is said of the missing models; empty where there are none."""
        parts = []
        if hub := [key.removeprefix(HUB) for key in self.missing if key.startswith(HUB)]:
            parts.append(
                f"This link names {_listed(hub)} from the Hub: add it in the settings (⚙), then press Write."
            )
        if others := [key for key in self.missing if not key.startswith(HUB)]:
            parts.append(f"This link names {_listed(others)}, which is not among the models here.")
        return " ".join(parts)


def link(fields: Fields, tabs: gr.Tabs, library: Library) -> None:
    """Fill the fields from the page's address when it opens, then let the page's script know."""
    page = Context.root_block
    assert page is not None
    names = [name for name in fields.parts if name not in ("extra", "clicked", "locked")]
    defaults = {name: getattr(fields.parts[name], "value", None) for name in names} | {"tab": "compare"}
    starts = gr.Checkbox(False, visible=False)

    def arrive(request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        linked = read(query, fields.parts, library)
        updates = {name: gr.update(value=value) for name, value in linked.values.items()}
        if linked.chooses:
            updates["models"] = gr.update(
                choices=choices(library, linked.preset(library)), value=linked.models
            )
        kept = True if linked.missing and "seed" in linked.values else gr.skip()
        tab = query.get("tab", "compare")
        return [
            *(updates.get(name, gr.skip()) for name in names),
            kept,
            samples(linked, library) if linked.chooses else gr.skip(),
            gr.Tabs(selected=tab) if tab in TABS else gr.skip(),
            linked.writes,
        ]

    outputs = [*(fields.parts[name] for name in names), fields.parts["locked"], fields.view, tabs, starts]
    page.load(arrive, None, outputs, **AT_ONCE).then(
        None, starts, None, js=f"starts => window.minrnn.arrive(starts, {json.dumps(defaults)})"
    )


def read(given: Mapping[str, str], parts: Mapping[str, Component], library: Library) -> Linked:
    """What an address asks for.

    Args:
        given: its fields.
        parts: the page's fields by the same names: each takes what it would take from a visitor.
        library: the models at hand.
    """
    values: dict[str, Any] = {}
    for name in given.keys() & _KINDS.keys():
        with suppress(ValueError, ConfigError, gr.Error):
            value = _KINDS[name](given[name])
            writing.request({"prompt": "", name: value})
            parts[name].preprocess(value)
            values[name] = value
    preset = values.get("preset", library.first)
    known = library.models(preset) if preset else {}
    asked = [key for key in given.get("models", "").split(",") if key not in ("", ALL)]
    models = [key for key in known if key in asked] or [entry.key for entry in ticked(library, preset)]
    missing = [key for key in dict.fromkeys(asked) if key not in known]
    return Linked(values, models, missing, bool(asked) or "preset" in values)


def samples(linked: Linked, library: Library) -> Cards:
    """The stored samples of what an address asks for, and a word on what is missing."""
    known = library.models(preset) if (preset := linked.preset(library)) else {}
    return {**panels.stored([known[key] for key in linked.models]), "note": linked.note}


def _listed(names: Sequence[str]) -> str:
    """Names for a sentence; an address may hold thousands."""
    named = [shown(name) for name in names[:2]]
    return ", ".join(named) + f" and {len(names) - 2} more" if len(names) > 2 else " and ".join(named)
