"""The cards of models, and the README and requirements of the Space."""

from __future__ import annotations

import re
import string
import tomllib
from typing import Any

import pytest
from huggingface_hub import ModelCard, SpaceCard

from minrnn.config import ModelConfig, TrainConfig
from minrnn.hub import cards
from minrnn.models import MIXERS, MODEL_NAMES, LanguageModel
from tests.hub.hub_client import ROOT, Client
from tests.hub.hub_server import Hub
from tests.hub.loopback import LOSSES, METRICS, REPOS, SAMPLE, publish


def card_of(mixer: str = "mingru", **metrics: Any) -> ModelCard:
    config = LanguageModel(ModelConfig(mixer, string.printable, n_layer=1, n_embd=32)).config
    return ModelCard(cards.model_card("ann/minrnn-base-x", config, METRICS | {"n_params": 12_345} | metrics))


def test_a_cards_front_matter_is_what_the_hub_reads() -> None:
    data = card_of().data
    assert (data.library_name, data.license, data.pipeline_tag) == ("minrnn", "mit", "text-generation")
    assert data.datasets == ["karpathy/tiny_shakespeare"] and data.language == "en"
    assert {"minrnn", "mingru", "rnn"} <= set(data.tags)
    assert data.model_name == "minrnn-base-x" and data.get("base_model") is None


def test_a_cards_results_are_those_of_the_metrics() -> None:
    results = card_of(train_loss=1.2).data.eval_results
    found = {(result.metric_name, result.dataset_split): result.metric_value for result in results}
    assert found == {
        ("Validation loss, nats per character", "validation"): 1.4534,
        ("Validation loss with the state carried on, nats per character", "validation"): 1.4321,
        ("Validation loss, bits per character", "validation"): 2.0968,
        ("Training loss, nats per character", "train"): 1.2,
    }
    assert {result.dataset_type for result in results} == {"karpathy/tiny_shakespeare"}


@pytest.mark.parametrize("mixer", MODEL_NAMES)
def test_a_card_tells_use_training_and_limits(mixer: str) -> None:
    text = card_of(mixer).text
    assert all(heading in text for heading in ("## Results", "## Use", "## How it was trained", "## Limits"))
    for fact in (
        "12,345",
        METRICS["command"],
        METRICS["corpus_sha256"],
        "bfloat16",
        "Some CPU",
        "1,200 iters",
    ):
        assert fact in text
    assert "init_std" not in text and "block_size 256" in text


def test_only_a_bundled_models_card_leads_to_a_space_of_its_account() -> None:
    config = LanguageModel(ModelConfig("lstm", string.printable, n_layer=1, n_embd=32)).config
    bundled, single = (
        cards.model_card(repo, config, METRICS | {"n_params": 1})
        for repo in ("ann/minrnn-base-lstm", "ann/minrnn-first")
    )
    assert bundled.count("spaces/ann/minrnn") == 2 and "spaces/" not in single
    assert "Any copy of the Space" in single and "pip install -r requirements.txt" in single


def test_a_card_names_the_teachers_and_their_share_and_is_silent_where_there_are_none() -> None:
    recipe = {**METRICS["train"], "teacher_share": 0.5}
    taught = [
        {"name": "ann/minrnn-base-lstm", "sha256": "1" * 64},
        {"name": "runs/a/model", "sha256": "2" * 64},
    ]
    text = card_of(train=recipe, teachers=taught).text
    assert f"`ann/minrnn-base-lstm` (SHA-256 `{'1' * 64}`), `runs/a/model` (SHA-256 `{'2' * 64}`)" in text
    assert "| taught by |" in text and "teacher_share 0.5" in text
    assert "taught by" not in (plain := card_of(train=recipe).text) and "teacher_share" not in plain


def test_the_sample_stands_in_a_card_as_it_was_written() -> None:
    assert f"\n`````text\n{SAMPLE}\n`````\n" in card_of().text


@pytest.mark.parametrize("name", ["tinyshakespeare", "own", "diary: 1"])
def test_a_text_of_ones_own_is_no_dataset_of_the_hub_whatever_its_name(name: str) -> None:
    card = card_of(corpus=name, corpus_sha256="0" * 64, init="ann/minrnn-base-mingru@main")
    assert card.data.datasets is None and card.data.language is None
    assert card.data.get("base_model") == "ann/minrnn-base-mingru"
    (result, *_) = card.data.eval_results
    assert (result.dataset_type, result.dataset_name) == ("text", "a text of its owner's")
    assert "tiny Shakespeare" not in str(card) and "tiny_shakespeare" not in str(card)


def test_the_benchmark_is_known_by_its_hash_under_any_name() -> None:
    assert card_of(corpus="input.txt").data.datasets == ["karpathy/tiny_shakespeare"]


def test_a_loss_over_a_sample_is_called_so() -> None:
    card = card_of(val_loss_streaming=None, tokens=32_640)
    names = [result.metric_name for result in card.data.eval_results]
    assert names == [
        "Validation loss, nats per character, over a sample of 32,640 characters",
        "Validation loss, bits per character, over a sample of 32,640 characters",
    ]
    assert f"| {names[0]} | 1.4534 |" in card.text


def test_a_run_without_figures_claims_none() -> None:
    card = card_of(**dict.fromkeys(LOSSES))
    assert card.data.eval_results is None and "it was not scored" in card.text and "1.4" not in card.text


@pytest.mark.parametrize("mixer", list(MIXERS))
def test_a_model_that_carries_a_state_is_tagged_as_recurrent(mixer: str) -> None:
    tags = card_of(mixer).data.tags
    assert mixer in tags and ("rnn" in tags) == (not MIXERS[mixer].learned_positions)


def test_a_command_that_no_shell_takes_is_still_searched_for_paths() -> None:
    assert cards.local_paths({"command": "python -m minrnn train --out runs/x"}) == []
    assert cards.local_paths({"command": "it's /home/ann/x"}) == ["/home/ann/x"]


def test_a_teacher_in_a_folder_of_this_machine_is_a_path_that_a_card_would_tell() -> None:
    taught = [{"name": name, "sha256": "1" * 64} for name in ("/home/ann/x", "ann/minrnn-base-lstm")]
    assert cards.local_paths({"teachers": taught}) == ["/home/ann/x"]


def test_the_same_metrics_give_the_same_card() -> None:
    assert str(card_of()) == str(card_of())


def test_the_three_lines_of_a_card_run(hub: Hub, client: Client) -> None:
    client.run(publish("models --namespace ann --preset replica"))
    card = hub.repos["model", REPOS[2]].files["README.md"].decode()
    (lines,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(lines.splitlines()) == 3
    printed = client.run(f"""
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as out:
    exec({lines!r}, {{}})
result = out.getvalue()
""")
    assert len(printed) > 100


def test_a_default_recipe_is_told_without_its_zeros() -> None:
    text = card_of(train=TrainConfig().__dict__).text
    assert "learning_rate 0.003" in text and "target_val_loss" not in text


@pytest.mark.parametrize(
    ("hardware", "first", "torch_line"),
    [
        ("zero-a10g", "torch>=2.9,<2.12", "torch>=2.9,<2.12"),
        ("cpu-basic", "--extra-index-url https://download.pytorch.org/whl/cpu", "torch>=2.9,<2.14"),
        ("t4-small", "torch>=2.9,<2.14", "torch>=2.9,<2.14"),
    ],
)
def test_requirements_fit_the_hardware(hardware: str, first: str, torch_line: str) -> None:
    lines = cards.requirements("torch>=2.9,<2.14\ntorch-x<3\ngradio==6.31.0\n", hardware).splitlines()
    assert lines[0] == first and lines[-3:] == [torch_line, "torch-x<3", "gradio==6.31.0"]


def test_the_real_requirements_stop_at_zerogpus_torch() -> None:
    lines = cards.requirements((ROOT / "requirements.txt").read_text(), "zero-a10g").splitlines()
    assert [line for line in lines if re.match(r"torch\b", line)] == ["torch>=2.9,<2.12"]


def test_pictures_that_are_not_uploaded_leave_the_readme() -> None:
    text = "---\ntitle: x\nsdk: gradio\n---\n\nA\n\n![one](docs/a.png)\n![two](minrnn/b.png)\n![three](https://x.y/c.png)\nB\n"
    body = SpaceCard(cards.space_readme(text, "ann/minrnn", "cpu-basic", [], ["minrnn/b.png"])).text
    assert body == "\nA\n\n![two](minrnn/b.png)\n![three](https://x.y/c.png)\nB\n"


# The project's own README is the Space's


@pytest.fixture(scope="module")
def readme() -> SpaceCard:
    return SpaceCard((ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_readmes_front_matter_is_complete(readme: SpaceCard) -> None:
    data = readme.data
    names = ("title", "emoji", "colorFrom", "colorTo")
    texts = (*names, "short_description", "tags", "datasets", "suggested_hardware")
    assert [key for key in texts if not data.get(key)] == []
    assert (data.sdk, data.python_version, data.license) == ("gradio", "3.12", "mit")
    assert (ROOT / str(data.app_file)).is_file()


def test_the_readmes_front_matter_is_what_the_hub_allows(readme: SpaceCard) -> None:
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {readme.data["colorFrom"], readme.data["colorTo"]} <= colours
    assert len(readme.data["short_description"]) <= 60


def test_gradio_is_the_spaces_version(readme: SpaceCard) -> None:
    pins = re.findall(r"^gradio==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pins == [str(readme.data.sdk_version)]


def test_the_licence_is_the_same_everywhere(readme: SpaceCard) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"].lower() == readme.data.license == "mit"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_a_space_shows_its_own_picture_beside_a_link() -> None:
    readme = cards.space_readme("---\nsdk: gradio\n---\nText", "ann/minrnn", "cpu-basic", [], [cards.PREVIEW])
    assert SpaceCard(readme).data["thumbnail"] == (
        "https://huggingface.co/spaces/ann/minrnn/resolve/main/minrnn/ui/static/preview.png"
    )
