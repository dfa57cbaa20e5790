"""What the page's address sets."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
import torch
from gradio.components import Component

from minrnn.checkpoint import Checkpoint
from minrnn.config import ModelConfig
from minrnn.library import Entry, Library, Shelf
from minrnn.models import MODEL_NAMES, LanguageModel, mixer_class
from minrnn.serving.writers import Writers
from minrnn.ui.compare import address, tab
from minrnn.ui.compare.writing import Served
from minrnn.ui.listeners import Listeners

FIRST, *OTHERS = MODEL_NAMES


def shelf(names: list[str], says: str) -> Shelf:
    """Models of one preset, whose stored sample and origin say which one it is."""

    def entry(name: str) -> Entry:
        model = LanguageModel(ModelConfig(name, "\nabcdefgh", n_layer=1, n_embd=16, block_size=8)).eval()
        metrics = {"sample": {"prompt": "a", "text": says}}
        return Entry(name, mixer_class(name).title, Checkpoint(model, metrics, says), says)

    return Shelf(len(names), lambda: {name: entry(name) for name in names})


@pytest.fixture(scope="module")
def library() -> Library:
    torch.manual_seed(0)
    return Library({"base": shelf(list(MODEL_NAMES), "base"), "allplays": shelf([FIRST], "allplays")})


@pytest.fixture(scope="module")
def drawn(library: Library) -> Iterator[tuple[gr.Blocks, tab.Fields]]:
    with Writers() as writers, gr.Blocks(analytics_enabled=False) as demo:
        with gr.Tabs() as tabs, gr.Tab("Compare"):
            fields = tab.build(library, Served(writers, Listeners()), gr.State([]), gr.Button())
        address.link(fields, tabs, library)
        yield demo, fields


@pytest.fixture
def parts(drawn: tuple[gr.Blocks, tab.Fields]) -> Mapping[str, Component]:
    return drawn[1].parts


def arriving(drawn: tuple[gr.Blocks, tab.Fields], **query: str) -> dict[Any, Any]:
    """What the page gets when it opens at an address, by component."""
    (load,) = (fn for fn in drawn[0].fns.values() if getattr(fn.fn, "__name__", "") == "arrive")
    assert load.fn is not None
    return dict(zip(load.outputs, load.fn(SimpleNamespace(query_params=query)), strict=True))


def test_an_address_sets_what_makes_sense_and_nothing_else(
    library: Library, parts: Mapping[str, Component]
) -> None:
    given = {
        "prompt": "<b>&", "models": f"{FIRST},no_such_model", "seed": "7", "context": "3", "top_p": "nine",
        "temperature": "-4", "max_new_tokens": "20", "preset": "no_such_preset", "tab": "train",
    }  # fmt: skip
    found = address.read(given, parts, library)
    assert found.values == {"prompt": "<b>&", "seed": 7, "max_new_tokens": 20}
    assert (found.models, found.missing) == ([FIRST], ["no_such_model"])


def test_an_address_may_be_hostile(library: Library, parts: Mapping[str, Component]) -> None:
    for value in (
        "",
        "\0",
        "x" * 100_000,
        "1e999",
        "nan",
        "\ud800",
        "[]",
        "null",
        "-1",
        "," * 9_000,
        "a,b" * 9_000,
    ):
        found = address.read(dict.fromkeys([*parts, "tab"], value), parts, library)
        assert found.models and len(found.note) < 600


@pytest.mark.parametrize(
    ("name", "outside", "inside"),
    [
        ("top_k", ["500", "-1"], ["0", "100"]),
        ("top_p", ["0.01", "2", "nan"], ["0.05", "1"]),
        ("temperature", ["5", "-1"], ["0", "2"]),
        ("learn", ["6"], ["5"]),
        ("learn_rate", ["0.5", "0.001"], ["0.2"]),
        ("max_new_tokens", ["0", "6000"], ["1", "5000"]),
        ("seed", ["-1", "9" * 40], ["0", "7"]),
        ("context", ["3"], ["16"]),
    ],
)  # fmt: skip
def test_what_a_field_would_refuse_is_left_out(
    library: Library, parts: Mapping[str, Component], name: str, outside: list[str], inside: list[str]
) -> None:
    for value in outside:
        assert address.read({name: value}, parts, library).values == {}
    for value in inside:
        taken = address.read({name: value}, parts, library).values[name]
        assert taken == float(value) == parts[name].preprocess(taken)


def test_a_link_to_a_preset_offers_ticks_and_shows_the_models_of_that_preset(
    drawn: tuple[gr.Blocks, tab.Fields],
) -> None:
    fields = drawn[1]
    for query in ({"preset": "allplays"}, {"preset": "allplays", "seed": "5"}):
        found = arriving(drawn, **query)
        chosen, cards = found[fields.parts["models"]], found[fields.view]["cards"]
        assert (chosen["value"], [key for _, key in chosen["choices"]]) == ([FIRST], [FIRST])
        assert [(card["key"], card["text"]) for card in cards] == [(FIRST, "allplays")]
        assert dict(cards[0]["sheet"])["weights"] == "allplays"


def test_a_link_that_says_nothing_of_models_leaves_them_as_they_are(
    drawn: tuple[gr.Blocks, tab.Fields],
) -> None:
    found, fields = arriving(drawn, prompt="abc", seed="5"), drawn[1]
    skipped = gr.skip()
    assert found[fields.parts["models"]] == found[fields.view] == skipped
    assert found[fields.parts["prompt"]]["value"] == "abc" and list(found.values())[-1] is True


def test_a_model_that_a_link_names_and_is_not_here_is_told_and_its_texts_are_not_written_without_it(
    drawn: tuple[gr.Blocks, tab.Fields],
) -> None:
    fields = drawn[1]
    found = arriving(drawn, models=f"hub:ada/verse@abc,{FIRST},gone", seed="5")
    note = found[fields.view]["note"]
    assert "'ada/verse@abc' from the Hub: add it in the settings" in note and "'gone', which is not" in note
    assert found[fields.parts["models"]]["value"] == [FIRST]
    assert found[fields.parts["locked"]] is True and list(found.values())[-1] is False
