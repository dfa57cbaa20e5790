"""The app over HTTP: its endpoints, and what it refuses whatever the page sends."""

from collections.abc import Iterator

import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError

from minrnn.config import ModelConfig
from minrnn.library import open_library
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.ui import app

FIELDS = {"text", "tokens_per_s", "ttft_s", "n_params", "state_bytes", "finish_reason"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name in MODEL_NAMES:
        model = LanguageModel(ModelConfig(name, "\nabcdefgh", n_layer=1, n_embd=16, block_size=8))
        model.save_pretrained(folder / "base" / name)
    demo = app.build(open_library(folder))
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Client(url, verbose=False)
    demo.close()


def test_generate_returns_every_models_continuation_and_figures(client: Client) -> None:
    found = client.predict("ab", max_new_tokens=12, api_name="/generate")
    assert list(found) == list(MODEL_NAMES)
    for lane in found.values():
        assert set(lane) == FIELDS
        assert len(lane["text"]) == 12 and lane["finish_reason"] == "length"


def test_generate_streams_before_it_is_over(client: Client) -> None:
    job = client.submit("ab", max_new_tokens=3000, api_name="/generate")
    job.result()
    lengths = [len(snapshot["lstm"]["text"]) for snapshot in job.outputs()]
    assert len(lengths) > 3 and lengths[0] < lengths[len(lengths) // 2] < lengths[-1] == 3000


def test_the_same_seed_gives_the_same_texts(client: Client) -> None:
    texts = [
        {
            k: v["text"]
            for k, v in client.predict("a", seed=seed, max_new_tokens=30, api_name="/generate").items()
        }
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_models_can_be_chosen(client: Client) -> None:
    found = client.predict("ab", models="lstm, mingru", max_new_tokens=2, api_name="/generate")
    assert list(found) == ["mingru", "lstm"]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ({"max_new_tokens": 10**9}, "max_new_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"models": "gru"}, "gru"),
        ({"preset": "huge"}, "huge"),
        ({"prompt": "a" * 20_001}, "20,000"),
    ],
)
def test_what_is_out_of_range_is_refused(client: Client, arguments: dict[str, object], hint: str) -> None:
    with pytest.raises(AppError, match=hint):
        client.predict(**{"prompt": "a", **arguments}, api_name="/generate")


def test_models_lists_what_is_loaded(client: Client) -> None:
    found = client.predict(api_name="/models")
    assert list(found["base"]) == list(MODEL_NAMES)
    assert found["base"]["lstm"]["config"]["vocab_size"] == 9


def test_the_endpoints_are_documented(client: Client) -> None:
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert {"/generate", "/models"} <= set(named)
    assert "side by side" in named["/generate"]["description"]
