"""Files of a repo on the Hub, over HTTP with the real client: good days and bad ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.hub_client import Client
from tests.hub.hub_server import TOKEN, Hub
from tests.hub.published_model import NO_SUCH_REPO, REPO, cached_files, load

LARGE = "/large/"


def test_a_repo_is_read_byte_for_byte_and_pinned(
    model_hub: Hub, reader: Client, files: dict[str, bytes], tmp_path: Path
) -> None:
    got = reader.run(load())
    assert got["revision"] == model_hub.repos["model", REPO].branches["main"] and len(got["revision"]) == 40
    assert got["source"] == REPO and got["metrics"] == json.loads(files["metrics.json"])
    assert cached_files(tmp_path, got["revision"]) == files


def test_only_the_three_files_of_a_model_are_read(model_hub: Hub, reader: Client) -> None:
    model_hub.repos["model", REPO].commit(
        model_hub.repos["model", REPO].files | {"code.py": b"0", "pytorch_model.bin": b"0"}
    )
    reader.run(load())
    assert model_hub.reads() == ["config.json", "metrics.json"]
    assert len([line for line in model_hub.requests if line.startswith("GET /large/")]) == 1


def test_branches_tags_and_commits_can_be_named(
    model_hub: Hub, reader: Client, newer: dict[str, bytes]
) -> None:
    repo = model_hub.repos["model", REPO]
    first = repo.branches["v1"] = repo.branches["main"]
    second = repo.commit(newer)
    seen = [reader.run(load(REPO + at)) for at in ("", "@main", f"@{second}", "@v1", f"@{first}")]
    assert [got["revision"] for got in seen] == [second, second, second, first, first]
    assert [got["metrics"]["seed"] for got in seen] == [1, 1, 1, 0, 0]


def test_what_is_cached_is_not_downloaded_again(model_hub: Hub, reader: Client) -> None:
    first = reader.run(load())
    model_hub.requests.clear()
    assert reader.run(load()) == first
    assert not [line for line in model_hub.requests if line.startswith("GET")]
    model_hub.requests.clear()
    assert reader.run(load(f"{REPO}@{first['revision']}")) == first
    assert not model_hub.requests


def test_a_moved_branch_brings_the_newer_model(
    model_hub: Hub, reader: Client, newer: dict[str, bytes]
) -> None:
    first = reader.run(load())
    moved = model_hub.repos["model", REPO].commit(newer)
    second = reader.run(load())
    assert second["revision"] == moved and second["weights"] != first["weights"]


def test_a_branch_that_moves_does_not_mix_two_models_for_the_class_either(
    model_hub: Hub, reader: Client, newer: dict[str, bytes]
) -> None:
    repo = model_hub.repos["model", REPO]
    first = reader.run(load())["weights"]
    model_hub.on_read = lambda path: (
        repo.commit(newer) if path == "model.safetensors" and len(repo.trees) == 1 else None
    )
    reader.run("import shutil, huggingface_hub.constants as c; shutil.rmtree(c.HF_HUB_CACHE)")
    code = load().replace(
        f"got = checkpoint.load({REPO!r}, **{{}})",
        f"""
from minrnn.models import LanguageModel
got = checkpoint.Checkpoint(LanguageModel.from_pretrained({REPO!r}), {{}}, "")""",
    )
    assert reader.run(code)["weights"] == first and len(repo.trees) == 2


@pytest.mark.parametrize("at", ["config.json", "model.safetensors", "metrics.json"])
def test_a_branch_that_moves_meanwhile_does_not_mix_two_models(
    model_hub: Hub, reader: Client, newer: dict[str, bytes], at: str, tmp_path: Path
) -> None:
    repo = model_hub.repos["model", REPO]
    model_hub.on_read = lambda path: repo.commit(newer) if path == at and len(repo.trees) == 1 else None
    got = reader.run(load())
    assert (
        len(repo.trees) == 2
        and cached_files(tmp_path, got["revision"]).items() <= repo.trees[got["revision"]].items()
    )


@pytest.fixture
def small_chunks(reader: Client) -> Iterator[None]:
    """The client writes down each 10 kB that came; as it is shipped, each 10 MB."""
    reader.run("from huggingface_hub import constants as c; c.DOWNLOAD_CHUNK_SIZE = 10_000")
    yield
    reader.run("from huggingface_hub import constants as c; c.DOWNLOAD_CHUNK_SIZE = 10_485_760")


def test_a_dropped_connection_is_tried_again(
    model_hub: Hub, reader: Client, files: dict[str, bytes], tmp_path: Path
) -> None:
    model_hub.drops[LARGE] = [50_000, 20_000]
    got = reader.run(load())
    assert model_hub.drops[LARGE] == [] and cached_files(tmp_path, got["revision"]) == files


@pytest.mark.usefixtures("small_chunks")
def test_a_dropped_connection_is_resumed_where_it_broke(
    model_hub: Hub, reader: Client, files: dict[str, bytes], tmp_path: Path
) -> None:
    model_hub.drops[LARGE] = [50_000, 20_000]
    got = reader.run(load())
    assert model_hub.drops[LARGE] == [] and cached_files(tmp_path, got["revision"]) == files
    assert model_hub.ranges == ["bytes=50000-", "bytes=70000-"]


def test_a_connection_that_only_drops_is_given_up(model_hub: Hub, reader: Client) -> None:
    model_hub.drops[LARGE] = [0] * 50
    message = reader.error(load())
    assert message.startswith(f"HubError: {REPO}: model.safetensors could not be downloaded")
    model_hub.drops.clear()
    assert reader.run(load())["revision"]


def test_half_a_download_is_finished_by_the_next_try(
    model_hub: Hub, reader: Client, files: dict[str, bytes]
) -> None:
    model_hub.drops[LARGE] = [60_000, *[0] * 50]
    reader.error(load())
    model_hub.drops.clear()
    assert reader.run(load())["metrics"] == json.loads(files["metrics.json"])


def test_a_missing_repo_is_called_so(model_hub: Hub, reader: Client) -> None:
    assert reader.error(load("ann/nothing")) == f"HubError: ann/nothing: {NO_SUCH_REPO}"
    reader.run(f"import os; os.environ['HF_TOKEN'] = {TOKEN!r}")
    assert reader.error(load("ann/nothing")) == f"HubError: ann/nothing: {NO_SUCH_REPO}"


def test_a_private_repo_opens_with_a_token(model_hub: Hub, reader: Client) -> None:
    model_hub.private.add(REPO)
    assert reader.error(load()) == f"HubError: {REPO}: {NO_SUCH_REPO}"
    reader.run(f"import os; os.environ['HF_TOKEN'] = {TOKEN!r}")
    assert reader.run(load())["source"] == REPO


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_gated_repo_is_called_so(model_hub: Hub, reader: Client, token: str | None) -> None:
    model_hub.gated.add(REPO)
    reader.run(f"import os; os.environ.update({{'HF_TOKEN': {token!r}}} if {token!r} else {{}})")
    assert reader.error(load()) == (
        f"HubError: {REPO}: the repo is gated; ask its owner for access and log in with `hf auth login`."
    )


def test_a_wrong_token_is_called_so_and_not_shown(model_hub: Hub, reader: Client) -> None:
    reader.run("import os; os.environ['HF_TOKEN'] = 'hf_wrong'")
    message = reader.error(load())
    assert "the Hub answered 401 for config.json; your token is not valid" in message
    assert "hf_wrong" not in message


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(403, "ask its owner"), (429, "in a few minutes"), (500, "try again later"), (503, "later")],
)
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_status_of_the_hub_is_told_with_its_remedy(
    model_hub: Hub, reader: Client, status: int, remedy: str, name: str
) -> None:
    model_hub.failing[name] = status
    message = reader.error(load())
    assert message.startswith(f"HubError: {REPO}: the Hub answered {status} for {name}; ")
    assert remedy in message and "\n" not in message


def test_a_hub_that_fails_while_a_file_is_read_is_told(model_hub: Hub, reader: Client) -> None:
    model_hub.failing[LARGE] = 500
    assert "the Hub answered 500 for model.safetensors; try again later." in reader.error(load())


def test_an_answer_that_is_not_the_hubs_is_told(model_hub: Hub, reader: Client) -> None:
    model_hub.failing["config.json"] = 200  # a hotel's login page, say
    message = (
        f"HubError: {REPO}: what answered for config.json is not the Hub; check the network and HF_ENDPOINT."
    )
    assert reader.error(load()) == message


def test_an_unknown_revision_is_named(model_hub: Hub, reader: Client) -> None:
    assert "the repo has no revision 'v9'; leave it out" in reader.error(load(REPO + "@v9"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_repo_without_a_file_is_told_which(model_hub: Hub, reader: Client, name: str) -> None:
    repo = model_hub.repos["model", REPO]
    repo.commit(
        {path: content for path, content in repo.files.items() if path != name} | {"pytorch_model.bin": b"x"}
    )
    assert f"HubError: {REPO}: the repo has no {name}; only models published as" in reader.error(load())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"<html>", "config.json is not JSON"),
        ("config.json", b'{"architectures": ["GPT2"]}', "not a minRNN model"),
        ("model.safetensors", b"\x80\x04cposix\nsystem\n", "not a whole safetensors file"),
    ],
)
def test_a_repo_with_something_else_in_it_is_refused(
    model_hub: Hub, reader: Client, name: str, content: bytes, message: str
) -> None:
    repo = model_hub.repos["model", REPO]
    repo.commit(repo.files | {name: content})
    refusal = reader.error(load())
    assert refusal.startswith("CheckpointError: ") and message in refusal


@pytest.mark.parametrize(
    ("name", "size", "limit"), [("config.json", 1_000_001, "1,000,000"), ("model.safetensors", 9_000_000, "")]
)
def test_a_file_that_is_too_large_is_not_downloaded(
    model_hub: Hub, reader: Client, name: str, size: int, limit: str
) -> None:
    repo = model_hub.repos["model", REPO]
    repo.commit(repo.files | {name: b"0" * size})
    message = reader.error(load())
    assert message.startswith(f"HubError: {REPO}: {name} has {size:,} bytes; at most {limit}")
    assert name not in model_hub.reads() and not [
        line for line in model_hub.requests if line.startswith("GET /large/")
    ]


def test_weights_may_be_as_large_as_the_config_makes_them_and_no_larger(
    model_hub: Hub, reader: Client
) -> None:
    repo = model_hub.repos["model", REPO]
    wide = json.loads(repo.files["config.json"]) | {"n_embd": 1_024}
    content = repo.files | {"model.safetensors": b"0" * 9_000_000}
    repo.commit(content)
    assert "bytes; at most " in reader.error(load())
    repo.commit(content | {"config.json": json.dumps(wide).encode()})
    assert "not a whole safetensors file" in reader.error(load())


def test_weights_of_an_absurd_config_are_not_asked_for(model_hub: Hub, reader: Client) -> None:
    repo = model_hub.repos["model", REPO]
    absurd = json.loads(repo.files["config.json"]) | {"n_embd": 4_096, "n_layer": 64}
    repo.commit(repo.files | {"config.json": json.dumps(absurd).encode()})
    assert "parameters; at most 50,000,000 are loaded" in reader.error(load())
    assert not [line for line in model_hub.requests if "safetensors" in line or "/large/" in line]


def test_without_network_the_cache_serves_and_else_a_message(
    model_hub: Hub, reader: Client, no_network: Client
) -> None:
    unreachable = "the Hub cannot be reached and config.json is not in the local cache; check the network."
    assert no_network.error(load()) == f"HubError: {REPO}: {unreachable}"
    online = reader.run(load())
    assert no_network.run(load()) == online == no_network.run(load(local_files_only=True))
