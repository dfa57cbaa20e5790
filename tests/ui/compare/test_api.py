"""Compare over HTTP: what scripts get, and what is refused whatever they send."""

from collections.abc import Iterator

import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError

from minrnn.config import ModelConfig
from minrnn.library import open_library
from minrnn.models import MODEL_NAMES, LanguageModel
from minrnn.runs.queue import TrainingQueue
from minrnn.ui import app

FIELDS = {"text", "tokens_per_s", "ttft_s", "n_params", "state_bytes", "finish_reason", "learn_s", "place"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    for name in MODEL_NAMES:
        model = LanguageModel(ModelConfig(name, "\nabcdefgh", n_layer=1, n_embd=16, block_size=8))
        model.save_pretrained(folder / "base" / name)
    demo = app.build(open_library(folder), TrainingQueue())
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Client(url, verbose=False)
    demo.close()


def test_generate_returns_every_models_continuation_and_figures(client: Client) -> None:
    found = client.predict("ab", max_new_tokens=12, api_name="/generate")
    assert list(found) == list(MODEL_NAMES)
    for text in found.values():
        assert set(text) == FIELDS
        assert len(text["text"]) == 12 and text["finish_reason"] == "length"


def test_generate_streams_before_it_is_over(client: Client) -> None:
    job = client.submit("ab", max_new_tokens=3000, api_name="/generate")
    job.result()
    lengths = [sum(len(text["text"]) for text in snapshot.values()) for snapshot in job.outputs()]
    assert len(lengths) > 3 and lengths[0] < lengths[len(lengths) // 2] < lengths[-1]
    assert {len(text["text"]) for text in job.outputs()[-1].values()} == {3000}


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
        ({"max_new_tokens": 2.5}, "max_new_tokens is 2.5; it must be a whole number"),
        ({"max_new_tokens": "9"}, "max_new_tokens is '9'"),
        ({"top_k": True}, "top_k"),
        ({"seed": -1}, "seed"),
        ({"context": -1}, "context"),
        ({"learn": 99}, "learn is 99"),
        ({"models": "no_such_model"}, "model 'no_such_model' is not loaded"),
        ({"models": 7}, "models"),
        ({"models": []}, "no model is chosen"),
        ({"preset": ["base"]}, "preset"),
        ({"prompt": 5}, "the prompt is 5; it must be a text"),
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


def test_an_error_reaches_a_script_in_plain_words(client: Client) -> None:
    with pytest.raises(AppError, match="model '<b>&' is not loaded"):
        client.predict("a", models="<b>&", api_name="/generate")


def test_a_whole_number_that_arrives_as_5_0_is_5_and_models_may_be_a_list(client: Client) -> None:
    found = client.predict("ab", models=["lstm"], max_new_tokens=5.0, api_name="/generate")
    assert len(found["lstm"]["text"]) == 5


def test_none_keeps_the_default(client: Client) -> None:
    found = client.predict(
        "ab", models="lstm", max_new_tokens=3, temperature=None, seed=None, api_name="/generate"
    )
    assert len(found["lstm"]["text"]) == 3


def test_the_committee_writes_one_text(client: Client) -> None:
    found = client.predict("ab", models="committee", max_new_tokens=4, api_name="/generate")
    assert list(found) == ["committee"] and len(found["committee"]["text"]) == 4


def test_a_model_that_sees_one_character_writes_as_from_that_one_alone(client: Client) -> None:
    options = {"max_new_tokens": 1, "temperature": 0, "models": "all", "api_name": "/generate"}
    long = client.predict("abcabcabc", context=1, **options)
    short = client.predict("c", **options)
    assert {k: v["text"] for k, v in long.items()} == {k: v["text"] for k, v in short.items()}


def test_learning_the_prompt_takes_time_and_leaves_the_model_as_it_was(client: Client) -> None:
    options = {"models": "lstm", "max_new_tokens": 20, "temperature": 0, "api_name": "/generate"}
    before = client.predict("abcdefgh" * 20, **options)["lstm"]
    taught = client.predict("abcdefgh" * 20, learn=3, learn_rate=0.2, **options)["lstm"]
    after = client.predict("abcdefgh" * 20, **options)["lstm"]
    assert taught["learn_s"] > 0 == before["learn_s"] and after["text"] == before["text"]


def test_every_parameter_is_described_in_the_docstrings_words(client: Client) -> None:
    for name, endpoint in client.view_api(return_format="dict")["named_endpoints"].items():
        for parameter in endpoint["parameters"]:
            assert len(parameter["python_type"]["description"]) > 8, (name, parameter["parameter_name"])
