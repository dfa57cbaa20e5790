"""What the settings of Compare do to each other."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch

from minrnn.checkpoint import Checkpoint
from minrnn.library import Entry, Library, Shelf
from minrnn.models import MODEL_NAMES, mixer_class
from minrnn.results import inside
from minrnn.serving.writers import Writers
from minrnn.ui.compare import tab
from minrnn.ui.compare.writing import Served
from minrnn.ui.listeners import Listeners
from minrnn.ui.theme import STATIC
from tests.models.small import build
from tests.results.bundled_copy import NAMES, change, copied
from tests.results.test_inside import MADE

FIRST, SECOND, *OTHERS = MODEL_NAMES
CHOSEN = [name for name in MODEL_NAMES if mixer_class(name).chosen_first]
Called = Callable[..., dict[str, Any]]


def shelf(names: list[str]) -> Shelf:
    models = {
        name: Entry(name, mixer_class(name).title, Checkpoint(build(name), {}, name), "") for name in names
    }
    return Shelf(len(names), lambda: models)


@pytest.fixture(scope="module")
def call() -> Iterator[Called]:
    """Calls one of the tab's handlers by its name."""
    torch.manual_seed(0)
    library = Library({"base": shelf(list(MODEL_NAMES)), "taught": shelf([FIRST])})
    with Writers() as writers, gr.Blocks(analytics_enabled=False) as demo:
        tab.build(library, Served(writers, Listeners()), gr.State([]), gr.Button())

        def one(name: str, *given: Any) -> dict[str, Any]:
            (fn,) = (fn.fn for fn in demo.fns.values() if getattr(fn.fn, "__name__", "") == name)
            assert fn is not None
            found: gr.CheckboxGroup = fn(*given)
            return {"value": found.value, "keys": [key for _, key in found.choices]}

        yield one


def saved(folder: Path) -> str:
    """The model of a run, as Compare is told of it."""
    build(SECOND).save(folder)
    return str(folder)


def test_a_model_that_is_added_writes_beside_those_that_were_ticked(call: Called, tmp_path: Path) -> None:
    one, two = saved(tmp_path / "one" / "model"), saved(tmp_path / "two" / "model")
    assert call("add", "base", [SECOND], [one]) == {"value": [SECOND, one], "keys": [*MODEL_NAMES, one]}
    assert call("add", "base", [SECOND], [one, two])["value"] == [SECOND, two]  # one was unticked meanwhile
    assert call("add", "base", [SECOND, two], [one, two])["value"] == [SECOND, two]


def test_other_weights_bring_the_models_that_are_chosen_first_and_keep_what_was_added(
    call: Called, tmp_path: Path
) -> None:
    one, two = saved(tmp_path / "one" / "model"), saved(tmp_path / "two" / "model")
    assert call("change_preset", "taught", [SECOND, two], [one, two])["value"] == [FIRST, two]
    assert call("change_preset", "base", [FIRST], [one, two])["value"] == CHOSEN


def test_a_run_that_was_deleted_is_neither_offered_nor_ticked(call: Called, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone" / "model")
    assert call("add", "base", [FIRST], [gone]) == {"value": [FIRST], "keys": list(MODEL_NAMES)}


def test_how_near_the_models_are_is_said_only_where_all_of_their_weights_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied("base", tmp_path, monkeypatch)
    figures = {name: dataclasses.replace(MADE, weights=inside.weights_digest(name)) for name in NAMES}
    monkeypatch.setattr(inside, "read", lambda preset, path=None: figures)
    assert tab._measured("base") == figures
    change("base", NAMES[1])
    assert tab._measured("base") == {}


def test_the_room_kept_for_the_first_line_while_the_page_loads_is_its_height() -> None:
    """Else the texts move when it arrives: on a telephone, too, where a slow machine shows it."""
    style = (STATIC / "page.css").read_text(encoding="utf-8")
    kept = re.findall(r"#compare \{[^}]*grid-template-rows: minmax\((\w+), auto\)", style)
    assert len(kept) == 2 and set(kept) == set(re.findall(r"\.lead \{ min-height: (\w+);", style))
