"""`python -m minrnn publish`, against a Hub on loopback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard

from minrnn.cli.publish import Space
from minrnn.errors import ConfigError
from tests.hub.hub_client import Client
from tests.hub.hub_server import Hub
from tests.hub.loopback import LOSSES, MODEL_FILES, REPOS, SPACE, finished_run, publish


def test_a_preset_can_be_published_alone(hub: Hub, client: Client) -> None:
    client.run(publish("models --namespace ann --preset replica"))
    assert list(hub.repos) == [("model", "ann/minrnn-replica-mingru")]


@pytest.mark.parametrize(("flag", "private"), [("", False), (" --private", True)])
def test_a_repo_is_private_if_asked(hub: Hub, client: Client, flag: str, private: bool) -> None:
    client.run(publish("models --namespace ann --preset replica" + flag))
    assert hub.repos["model", REPOS[2]].private == private


def test_a_dry_run_prints_files_and_cards_and_asks_nobody(hub: Hub, client: Client) -> None:
    client.run("import os; del os.environ['HF_TOKEN']")
    text = "\n".join(client.run(publish("models --namespace ann --dry-run")))
    assert not hub.requests
    for repo in REPOS:
        assert f"model {repo}" in text and f"{repo}: README.md" in text
    assert all(re.search(rf"[\d,]+ bytes  {name}\n", text) for name in MODEL_FILES)


@pytest.mark.parametrize("words", ["models --namespace ann", "space --namespace ann", "run {run}"])
def test_without_a_token_nothing_is_asked(hub: Hub, client: Client, words: str, checkout: Path) -> None:
    client.run("import os; del os.environ['HF_TOKEN']")
    message = client.error(publish(words.format(run=checkout / "checkpoints" / "base" / "lstm")))
    assert message == "HubError: publishing needs a token; log in with `hf auth login`, or set HF_TOKEN."
    assert not hub.requests


@pytest.mark.parametrize("namespace", ["a/b", "ünn", "."])
def test_a_namespace_that_cannot_be_is_refused(hub: Hub, client: Client, namespace: str) -> None:
    assert "cannot be a repo on the Hub" in client.error(publish(f"models --namespace {namespace}"))
    assert "cannot be a repo on the Hub" in client.error(publish(f"space --namespace {namespace} --dry-run"))


def test_an_unknown_preset_is_told(hub: Hub, client: Client) -> None:
    assert "holds no models of preset 'huge'" in client.error(publish("models --namespace ann --preset huge"))


def test_an_unknown_hardware_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="hardware is 'toaster'; choose one of: cpu-basic, .*zero-a10g"):
        Space("ann", hardware="toaster")


def test_a_run_is_shared_under_its_folders_name(hub: Hub, client: Client, tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "sonnets")
    (line,) = client.run(publish(f"run {folder}"))
    assert "/ann/minrnn-sonnets  commit" in line
    assert set(hub.repos["model", "ann/minrnn-sonnets"].files) == MODEL_FILES | {".gitattributes"}
    assert "unchanged" in client.run(publish(f"run {folder} --namespace ann"))[0]


def test_a_run_may_have_another_name(hub: Hub, client: Client, tmp_path: Path) -> None:
    client.run(publish(f"run {finished_run(tmp_path / 'x')} --name bard --private"))
    assert hub.repos["model", "ann/bard"].private


def test_paths_of_this_machine_are_pointed_out(hub: Hub, client: Client, tmp_path: Path) -> None:
    command = "python -m minrnn train --corpus /home/ann/diary.txt --out ~/x"
    folder = finished_run(tmp_path / "diary", command=command)
    lines = client.run(publish(f"run {folder} --dry-run"))
    assert [line.split(": ")[-1] for line in lines if line.startswith("note")] == [
        "/home/ann/diary.txt",
        "~/x",
    ]
    assert not hub.requests


def test_a_run_that_has_not_ended_is_refused(hub: Hub, client: Client, tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "half")
    (folder / "model" / "metrics.json").unlink()
    assert "holds no metrics.json; only a model whose training has ended" in client.error(
        publish(f"run {folder}")
    )


def test_a_damaged_model_is_not_published(hub: Hub, client: Client, tmp_path: Path) -> None:
    folder = finished_run(tmp_path / "broken")
    (folder / "model" / "model.safetensors").write_bytes(b"half")
    assert "not a whole safetensors file" in client.error(publish(f"run {folder}"))
    assert not any(line.startswith("POST") for line in hub.requests)


def test_the_space_knows_its_namespace_and_hardware(hub: Hub, client: Client) -> None:
    client.run(publish("space --namespace ann"))
    assert (
        hub.repos[SPACE].variables == {"MINRNN_HUB_NAMESPACE": "ann"}
        and hub.repos[SPACE].hardware == "zero-a10g"
    )


def test_a_space_that_was_set_otherwise_is_set_right(hub: Hub, client: Client) -> None:
    client.run(publish("space --namespace ann"))
    hub.repos[SPACE].variables["MINRNN_HUB_NAMESPACE"] = "bob"
    client.run(publish("space --namespace ann --hardware cpu-basic"))
    assert (
        hub.repos[SPACE].variables == {"MINRNN_HUB_NAMESPACE": "ann"}
        and hub.repos[SPACE].hardware == "cpu-basic"
    )
    assert (
        SpaceCard(hub.repos[SPACE].files["README.md"].decode()).data.get("suggested_hardware") == "cpu-basic"
    )


def test_models_that_are_published_are_preloaded(hub: Hub, client: Client) -> None:
    lines = client.run(publish("space --namespace ann"))
    assert lines[0] == "note: 3 models are not on the Hub; `publish models` puts them there."
    assert SpaceCard(hub.repos[SPACE].files["README.md"].decode()).data.get("preload_from_hub") is None
    client.run(publish("models --namespace ann"))
    assert len(client.run(publish("space --namespace ann"))) == 1
    data = SpaceCard(hub.repos[SPACE].files["README.md"].decode()).data
    assert data.models == REPOS
    assert data["preload_from_hub"] == [
        f"{repo} config.json,model.safetensors,metrics.json" for repo in REPOS
    ]


def test_a_dry_run_of_the_space_asks_nobody(hub: Hub, client: Client) -> None:
    text = "\n".join(client.run(publish("space --namespace ann --hardware cpu-basic --dry-run")))
    assert not hub.requests
    assert "space ann/minrnn\n" in text and "bytes  app.py" in text and "preload_from_hub:" in text
    assert "  --extra-index-url https://download.pytorch.org/whl/cpu\n" in text
    assert text.endswith("MINRNN_HUB_NAMESPACE=ann on cpu-basic")


def test_a_folder_that_is_not_there_is_no_repo_to_be_fetched(hub: Hub, client: Client) -> None:
    message = client.error(publish("run runs/mistyped --namespace ann"))
    assert message.startswith(
        "CheckpointError: runs/mistyped is no folder on this machine; name a run's folder"
    )
    assert not hub.requests


def test_a_run_that_was_stopped_is_shared_with_a_card_that_says_so(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    folder = finished_run(tmp_path / "stopped", **dict.fromkeys(LOSSES))
    assert "files: 5 written" in client.run(publish(f"run {folder}"))[-1]
    card = hub.repos["model", "ann/minrnn-stopped"].files["README.md"].decode()
    assert "so it was not scored" in card and "model-index" not in card
