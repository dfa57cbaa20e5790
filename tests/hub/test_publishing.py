"""Commits on a Hub on loopback, with the real client: what differs, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub.hub_client import Client
from tests.hub.hub_server import TOKEN, Hub
from tests.hub.loopback import MODEL_FILES, PAIRS, REPOS, SPACE, publish


def test_models_are_published_byte_for_byte(hub: Hub, client: Client, checkout: Path) -> None:
    lines = client.run(publish("models --namespace ann"))
    assert len(lines) == 3 and all("commit" in line and line.endswith("files: 5 written") for line in lines)
    for (preset, model), repo in zip(PAIRS, REPOS, strict=True):
        files = hub.repos["model", repo].files
        assert set(files) == MODEL_FILES | {".gitattributes"}
        for name in MODEL_FILES - {"README.md"}:
            assert files[name] == (checkout / "checkpoints" / preset / model / name).read_bytes()


def test_what_was_published_is_what_is_loaded(hub: Hub, client: Client) -> None:
    client.run(publish("models --namespace ann"))
    same = client.run("""
from minrnn import checkpoint
from minrnn.hub import loading
result = []
for (preset, model), got in loading.load_all("ann", ["base"], ["mingru", "lstm"]).items():
    ours = checkpoint.load(checkpoint.bundled(preset, model))
    pairs = zip(got.model.state_dict().values(), ours.model.state_dict().values())
    result.append(all(bool((a == b).all()) for a, b in pairs) and got.metrics == ours.metrics)
""")
    assert same == [True, True]


def test_publishing_the_same_again_makes_no_commit(hub: Hub, client: Client) -> None:
    client.run(publish("models --namespace ann"))
    commits = {name: list(repo.trees) for name, repo in hub.repos.items()}
    hub.requests.clear()
    lines = client.run(publish("models --namespace ann"))
    assert all("unchanged at" in line for line in lines)
    assert {name: list(repo.trees) for name, repo in hub.repos.items()} == commits
    assert not [line for line in hub.requests if "preupload" in line or line.startswith("PUT")]


def test_only_what_changed_is_uploaded(hub: Hub, client: Client, checkout: Path) -> None:
    client.run(publish("models --namespace ann --preset replica"))
    folder = checkout / "checkpoints" / "replica" / "mingru"
    before = (folder / "history.jsonl").read_text()
    (folder / "history.jsonl").write_text(before + "{}\n")
    hub.requests.clear()
    assert "files: 1 written" in client.run(publish("models --namespace ann --preset replica"))[0]
    assert not [line for line in hub.requests if line.startswith("PUT")]
    (folder / "history.jsonl").write_text(before)


def test_what_others_put_into_a_model_repo_stays(hub: Hub, client: Client) -> None:
    client.run(publish("models --namespace ann --preset replica"))
    repo = hub.repos["model", REPOS[2]]
    repo.commit(repo.files | {"picture.png": b"1", "README.md": b"changed"})
    client.run(publish("models --namespace ann --preset replica"))
    assert repo.files["picture.png"] == b"1" and repo.files["README.md"] != b"changed"


def test_a_module_that_is_gone_leaves_the_space(hub: Hub, client: Client) -> None:
    client.run(publish("space --namespace ann"))
    repo = hub.repos[SPACE]
    repo.commit(repo.files | {"minrnn/old.py": b"1", "checkpoints/old/x": b"1", "notes.md": b"1"})
    (line,) = client.run(publish("space --namespace ann"))[-1:]
    assert line.endswith("files: 0 written, 2 deleted")
    assert {"minrnn/old.py", "checkpoints/old/x"}.isdisjoint(repo.files) and "notes.md" in repo.files


def test_publishing_the_same_space_again_changes_nothing(hub: Hub, client: Client) -> None:
    client.run(publish("space --namespace ann"))
    hub.requests.clear()
    assert "unchanged at" in client.run(publish("space --namespace ann"))[-1]
    assert [line for line in hub.requests if line.startswith("POST")] == ["POST /api/repos/create"]


def test_a_token_that_is_wrong_is_told_and_not_shown(hub: Hub, client: Client) -> None:
    client.run("import os; os.environ['HF_TOKEN'] = 'hf_wrong_one'")
    message = client.error(publish("models --namespace ann"))
    assert "the Hub does not accept your token; log in with" in message and "hf_wrong_one" not in message


def test_the_token_is_never_printed(hub: Hub, client: Client) -> None:
    lines = client.run(publish("models --namespace ann")) + client.run(publish("space --namespace ann"))
    hub.failing["/commit/"] = 500
    hub.repos.clear()
    assert TOKEN not in "\n".join(lines) and TOKEN not in client.error(publish("models --namespace ann"))


def test_another_ones_namespace_is_refused(hub: Hub, client: Client) -> None:
    message = client.error(publish("models --namespace bob"))
    assert message.startswith("HubError: bob/minrnn-base-lstm: your token may not write there")
    assert "check the namespace" in message


@pytest.mark.parametrize(
    ("status", "words"), [(412, "run the command again"), (500, "answered 500"), (429, "answered 429")]
)
def test_a_commit_that_fails_is_told(hub: Hub, client: Client, status: int, words: str) -> None:
    hub.failing["/commit/"] = status
    message = client.error(publish("models --namespace ann"))
    assert message.startswith(f"HubError: {REPOS[0]}: ") and words in message and "\n" not in message
