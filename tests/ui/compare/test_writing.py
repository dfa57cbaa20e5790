"""What a page or a script asks to be written, and what an address sets."""

from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest
import torch

from minrnn.checkpoint import Checkpoint
from minrnn.config import ModelConfig
from minrnn.errors import ConfigError
from minrnn.library import Entry, Library
from minrnn.models import MODEL_NAMES, LanguageModel, mixer_class
from minrnn.ui.compare import panels, tab, writing
from minrnn.ui.compare.writing import Stops

VOCAB = "\nabcdefgh"


@pytest.fixture(scope="module")
def library() -> Library:
    torch.manual_seed(0)

    def entry(name: str) -> Entry:
        model = LanguageModel(ModelConfig(name, VOCAB, n_layer=1, n_embd=16, block_size=8)).eval()
        return Entry(name, mixer_class(name).title, Checkpoint(model, {}, "made here"), "made here")

    return Library({"base": {name: entry(name) for name in MODEL_NAMES}})


def page(name: str) -> gr.Request:
    return cast(gr.Request, SimpleNamespace(session_hash=name))


def test_a_request_takes_sampling_and_choice_by_name_and_none_keeps_a_default() -> None:
    asked = writing.request({"prompt": "a", "models": "x, y,x", "temperature": None, "top_k": 3.0})
    assert (asked.models, asked.sampling.top_k, asked.sampling.temperature) == (["x", "y"], 3, 0.8)


@pytest.mark.parametrize(
    "wrong", [{"prompt": 3}, {"prompt": "a", "no_such_field": 1}, {"prompt": "a", "models": [1]}]
)
def test_what_is_no_request_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        writing.request(wrong)


def test_a_page_stops_what_it_began_before_and_nothing_else() -> None:
    stops = Stops()
    stops.ask(100.0, page("one"))
    assert stops.since(100.0, page("one")) and stops.since(99.0, page("one"))
    assert not stops.since(101.0, page("one")) and not stops.since(100.0, page("two"))
    stops.forget(page("one"))
    assert not stops.since(100.0, page("one"))


def test_a_stop_that_is_asked_for_ends_every_text(library: Library) -> None:
    asked = writing.request({"prompt": "ab", "max_new_tokens": 2_000})
    snapshots = list(writing.begin(asked, library, lambda: True).snapshots)
    assert {text.finish_reason for text in snapshots[-1].values()} == {"stopped"}


def test_the_cards_of_all_models_have_a_sheet_and_a_colour(library: Library) -> None:
    cards = panels.stored(list(library.models("base").values()))["cards"]
    assert len({card["color"] for card in cards}) == len(MODEL_NAMES)
    assert all(dict(card["sheet"])["equation"] for card in cards)


def test_an_address_sets_what_makes_sense_and_nothing_else(library: Library) -> None:
    given = {
        "prompt": "<b>&", "models": f"{MODEL_NAMES[0]},no_such_model", "seed": "7", "context": "3", "top_p": "nine",
        "temperature": "-4", "max_new_tokens": "20", "preset": "no_such_preset", "tab": "train",
    }  # fmt: skip
    assert tab._from_query(given, library) == {
        "prompt": "<b>&", "models": [MODEL_NAMES[0]], "seed": 7, "max_new_tokens": 20
    }  # fmt: skip


def test_an_address_may_be_hostile(library: Library) -> None:
    for value in ("", "\0", "x" * 100_000, "1e999", "\ud800", "[]", "null", "-1"):
        names = (
            "prompt",
            "models",
            "preset",
            "seed",
            "context",
            "learn",
            "learn_rate",
            "temperature",
            "top_k",
        )
        tab._from_query(dict.fromkeys(names, value), library)
