"""/read over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from minrnn import checkpoint
from minrnn.inside.reading import Reading, read
from minrnn.library import open_library
from minrnn.models import MODEL_NAMES
from minrnn.ui.inside import api
from minrnn.ui.listeners import Slots
from tests.models.small import build

TEXT = "the cat\n<b>&\"' 5 €  sat"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for name in MODEL_NAMES:
        build(name).save(folder / "base" / name)
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    with gr.Blocks(analytics_enabled=False) as demo:
        api.endpoints(open_library(folder), Slots())
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Client(url, verbose=False)
    demo.close()


def test_every_model_reads_the_text_and_marks_what_it_does_not_know(client: Client, folder: Path) -> None:
    found = client.predict(TEXT, top=5, api_name="/read")
    assert list(found) == list(MODEL_NAMES)
    for name in MODEL_NAMES:
        model = checkpoint.load(folder / "base" / name).model
        assert found[name] == json.loads(json.dumps(read(model, Reading(TEXT, top=5))))
        assert len(found[name]["bits"]) == len(TEXT) and found[name]["read"][TEXT.index("€")] == ""


def test_models_can_be_chosen_the_committee_too(client: Client) -> None:
    found = client.predict("abc", models="lstm, committee", api_name="/read")
    assert list(found) == ["lstm", "committee"]
    assert found["lstm"]["top"] == [] and found["lstm"]["bits"][0] is None


def test_learning_is_told_apart(client: Client) -> None:
    text = "the cat sat on the mat.\n" * 10
    plain, learning = (
        client.predict(text, models="mingru", learn=rate, api_name="/read")["mingru"] for rate in (0.0, 0.1)
    )
    assert (plain["learn"], learning["learn"]) == (0.0, 0.1)
    assert learning["bits_per_char"] < plain["bits_per_char"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"text": "a" * 5_001}, "5,001 characters; at most 5,000"),
        ({"text": ["a"]}, "text is"),
        ({"text": None}, "text is missing"),
        ({"models": "no_such_model"}, "no_such_model"),
        ({"models": 7}, "models is 7"),
        ({"models": ""}, "no model is chosen"),
        ({"preset": "huge"}, "huge"),
        ({"preset": ["base"]}, "preset"),
        ({"learn": 2}, "learn is 2"),
        ({"top": 21}, "top is 21"),
        ({"top": 2.5}, "top is 2.5"),
    ],
)
def test_what_is_out_of_range_is_refused(client: Client, arguments: dict[str, object], hint: str) -> None:
    with pytest.raises(AppError, match=hint):
        client.predict(**{"text": "a", **arguments}, api_name="/read")


def test_each_parameter_is_described(client: Client) -> None:
    described = client.view_api(return_format="dict")["named_endpoints"]["/read"]["parameters"]
    assert [p["parameter_name"] for p in described] == ["text", "models", "preset", "learn", "top"]
