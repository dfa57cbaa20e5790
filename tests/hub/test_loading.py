"""Loading from the Hub, over HTTP, with the real client: good days and bad ones."""

from __future__ import annotations

import json
import socket
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from minrnn.config import ModelConfig
from minrnn.models import MODEL_NAMES, LanguageModel
from tests.hub.hub_client import Client, environment
from tests.hub.hub_server import TOKEN, Hub

REPO = "ann/minrnn-base-mingru"
LARGE = "/large/"


def published(folder: Path, mixer: str = "mingru", seed: int = 0) -> dict[str, bytes]:
    """The files of a small model."""
    torch.manual_seed(seed)
    model = LanguageModel(ModelConfig(mixer, string.printable, n_layer=2, n_embd=64))
    model.save(folder)
    (folder / "metrics.json").write_text(json.dumps({"val_loss": 1.5, "seed": seed}))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return published(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return published(tmp_path_factory.mktemp("newer"), seed=1)


@pytest.fixture(scope="module")
def worker(server: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(server.url, tmp_path_factory.mktemp("home")) as client:
        client.run("import time; time.sleep = lambda seconds: None  # between the client's own tries")
        yield client


@pytest.fixture
def hub(server: Hub, files: dict[str, bytes]) -> Hub:
    """The Hub on a good day, with one model."""
    url = server.url
    server.__init__(url=url)  # type: ignore[misc]
    server.add("model", REPO, files)
    return server


@pytest.fixture
def client(worker: Client, tmp_path: Path) -> Client:
    """The client with an empty cache and no token."""
    worker.use_cache(tmp_path / "cache")
    worker.run("import os; os.environ.pop('HF_TOKEN', None)")
    return worker


def load(ref: str = REPO, **flags: bool) -> str:
    """Code that loads a checkpoint and tells what came."""
    return f"""
import hashlib
from minrnn import checkpoint
got = checkpoint.load({ref!r}, **{flags})
digest = hashlib.sha256(b"".join(w.numpy().tobytes() for w in got.model.state_dict().values())).hexdigest()
result = {{"weights": digest, "source": got.source, "revision": got.revision, "metrics": got.metrics}}
"""


def load_all(models: list[str], deadline_s: float = 10.0) -> str:
    """Code that loads models of the preset base and tells, for each, its revision or what was wrong."""
    return f"""
from minrnn.hub import loading
found = loading.load_all("ann", ["base"], {models!r}, {deadline_s})
result = {{key[1]: getattr(got, "revision", None) or f"{{type(got).__name__}}: {{got}}" for key, got in found.items()}}
"""


def cached_files(folder: Path, revision: str) -> dict[str, bytes]:
    (snapshot,) = folder.glob(f"cache/*/snapshots/{revision}")
    return {path.name: path.read_bytes() for path in snapshot.iterdir()}


def test_a_repo_is_read_byte_for_byte_and_pinned(
    hub: Hub, client: Client, files: dict[str, bytes], tmp_path: Path
) -> None:
    got = client.run(load())
    assert got["revision"] == hub.repos["model", REPO].branches["main"] and len(got["revision"]) == 40
    assert got["source"] == REPO and got["metrics"] == json.loads(files["metrics.json"])
    assert cached_files(tmp_path, got["revision"]) == files


def test_only_the_three_files_of_a_model_are_read(hub: Hub, client: Client) -> None:
    hub.repos["model", REPO].commit(
        hub.repos["model", REPO].files | {"code.py": b"0", "pytorch_model.bin": b"0"}
    )
    client.run(load())
    assert hub.reads() == ["config.json", "metrics.json"]
    assert len([line for line in hub.requests if line.startswith("GET /large/")]) == 1


def test_branches_tags_and_commits_can_be_named(hub: Hub, client: Client, newer: dict[str, bytes]) -> None:
    repo = hub.repos["model", REPO]
    first = repo.branches["v1"] = repo.branches["main"]
    second = repo.commit(newer)
    seen = [client.run(load(REPO + at)) for at in ("", "@main", f"@{second}", "@v1", f"@{first}")]
    assert [got["revision"] for got in seen] == [second, second, second, first, first]
    assert [got["metrics"]["seed"] for got in seen] == [1, 1, 1, 0, 0]


def test_what_is_cached_is_not_downloaded_again(hub: Hub, client: Client) -> None:
    first = client.run(load())
    hub.requests.clear()
    assert client.run(load()) == first
    assert not [line for line in hub.requests if line.startswith("GET")]
    hub.requests.clear()
    assert client.run(load(f"{REPO}@{first['revision']}")) == first
    assert not hub.requests


def test_a_moved_branch_brings_the_newer_model(hub: Hub, client: Client, newer: dict[str, bytes]) -> None:
    first = client.run(load())
    moved = hub.repos["model", REPO].commit(newer)
    second = client.run(load())
    assert second["revision"] == moved and second["weights"] != first["weights"]


def test_a_branch_that_moves_does_not_mix_two_models_for_the_class_either(
    hub: Hub, client: Client, newer: dict[str, bytes]
) -> None:
    repo = hub.repos["model", REPO]
    first = client.run(load())["weights"]
    hub.on_read = lambda path: (
        repo.commit(newer) if path == "model.safetensors" and len(repo.trees) == 1 else None
    )
    client.run("import shutil, huggingface_hub.constants as c; shutil.rmtree(c.HF_HUB_CACHE)")
    code = load().replace(
        f"got = checkpoint.load({REPO!r}, **{{}})",
        f"""
from minrnn.models import LanguageModel
got = checkpoint.Checkpoint(LanguageModel.from_pretrained({REPO!r}), {{}}, "")""",
    )
    assert client.run(code)["weights"] == first and len(repo.trees) == 2


@pytest.mark.parametrize("at", ["config.json", "model.safetensors", "metrics.json"])
def test_a_branch_that_moves_meanwhile_does_not_mix_two_models(
    hub: Hub, client: Client, newer: dict[str, bytes], at: str, tmp_path: Path
) -> None:
    repo = hub.repos["model", REPO]
    hub.on_read = lambda path: repo.commit(newer) if path == at and len(repo.trees) == 1 else None
    got = client.run(load())
    assert (
        len(repo.trees) == 2
        and cached_files(tmp_path, got["revision"]).items() <= repo.trees[got["revision"]].items()
    )


@pytest.fixture
def small_chunks(client: Client) -> Iterator[None]:
    """The client writes down each 10 kB that came; as it is shipped, each 10 MB."""
    client.run("from huggingface_hub import constants as c; c.DOWNLOAD_CHUNK_SIZE = 10_000")
    yield
    client.run("from huggingface_hub import constants as c; c.DOWNLOAD_CHUNK_SIZE = 10_485_760")


def test_a_dropped_connection_is_tried_again(
    hub: Hub, client: Client, files: dict[str, bytes], tmp_path: Path
) -> None:
    hub.drops[LARGE] = [50_000, 20_000]
    got = client.run(load())
    assert hub.drops[LARGE] == [] and cached_files(tmp_path, got["revision"]) == files


@pytest.mark.usefixtures("small_chunks")
def test_a_dropped_connection_is_resumed_where_it_broke(
    hub: Hub, client: Client, files: dict[str, bytes], tmp_path: Path
) -> None:
    hub.drops[LARGE] = [50_000, 20_000]
    got = client.run(load())
    assert hub.drops[LARGE] == [] and cached_files(tmp_path, got["revision"]) == files
    assert hub.ranges == ["bytes=50000-", "bytes=70000-"]


def test_a_connection_that_only_drops_is_given_up(hub: Hub, client: Client) -> None:
    hub.drops[LARGE] = [0] * 50
    message = client.error(load())
    assert message.startswith(f"HubError: {REPO}: model.safetensors could not be downloaded")
    hub.drops.clear()
    assert client.run(load())["revision"]


def test_half_a_download_is_finished_by_the_next_try(
    hub: Hub, client: Client, files: dict[str, bytes]
) -> None:
    hub.drops[LARGE] = [60_000, *[0] * 50]
    client.error(load())
    hub.drops.clear()
    assert client.run(load())["metrics"] == json.loads(files["metrics.json"])


NO_SUCH_REPO = "no such repo, or it is private; check the name, or log in with `hf auth login`."


def test_a_missing_repo_is_called_so(hub: Hub, client: Client) -> None:
    assert client.error(load("ann/nothing")) == f"HubError: ann/nothing: {NO_SUCH_REPO}"
    client.run(f"import os; os.environ['HF_TOKEN'] = {TOKEN!r}")
    assert client.error(load("ann/nothing")) == f"HubError: ann/nothing: {NO_SUCH_REPO}"


def test_a_private_repo_opens_with_a_token(hub: Hub, client: Client) -> None:
    hub.private.add(REPO)
    assert client.error(load()) == f"HubError: {REPO}: {NO_SUCH_REPO}"
    client.run(f"import os; os.environ['HF_TOKEN'] = {TOKEN!r}")
    assert client.run(load())["source"] == REPO


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_gated_repo_is_called_so(hub: Hub, client: Client, token: str | None) -> None:
    hub.gated.add(REPO)
    client.run(f"import os; os.environ.update({{'HF_TOKEN': {token!r}}} if {token!r} else {{}})")
    assert client.error(load()) == (
        f"HubError: {REPO}: the repo is gated; ask its owner for access and log in with `hf auth login`."
    )


def test_a_wrong_token_is_called_so_and_not_shown(hub: Hub, client: Client) -> None:
    client.run("import os; os.environ['HF_TOKEN'] = 'hf_wrong'")
    message = client.error(load())
    assert "the Hub answered 401 for config.json; your token is not valid" in message
    assert "hf_wrong" not in message


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(403, "ask its owner"), (429, "in a few minutes"), (500, "try again later"), (503, "later")],
)
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_status_of_the_hub_is_told_with_its_remedy(
    hub: Hub, client: Client, status: int, remedy: str, name: str
) -> None:
    hub.failing[name] = status
    message = client.error(load())
    assert message.startswith(f"HubError: {REPO}: the Hub answered {status} for {name}; ")
    assert remedy in message and "\n" not in message


def test_a_hub_that_fails_while_a_file_is_read_is_told(hub: Hub, client: Client) -> None:
    hub.failing[LARGE] = 500
    assert "the Hub answered 500 for model.safetensors; try again later." in client.error(load())


def test_an_answer_that_is_not_the_hubs_is_told(hub: Hub, client: Client) -> None:
    hub.failing["config.json"] = 200  # a hotel's login page, say
    message = (
        f"HubError: {REPO}: what answered for config.json is not the Hub; check the network and HF_ENDPOINT."
    )
    assert client.error(load()) == message


def test_an_unknown_revision_is_named(hub: Hub, client: Client) -> None:
    assert "the repo has no revision 'v9'; leave it out" in client.error(load(REPO + "@v9"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_repo_without_a_file_is_told_which(hub: Hub, client: Client, name: str) -> None:
    repo = hub.repos["model", REPO]
    repo.commit(
        {path: content for path, content in repo.files.items() if path != name} | {"pytorch_model.bin": b"x"}
    )
    assert f"HubError: {REPO}: the repo has no {name}; only models published as" in client.error(load())


def test_a_model_without_metrics_is_still_a_model(hub: Hub, client: Client) -> None:
    repo = hub.repos["model", REPO]
    repo.commit({path: content for path, content in repo.files.items() if path != "metrics.json"})
    assert client.run(load())["metrics"] == {}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"<html>", "config.json is not JSON"),
        ("config.json", b'{"architectures": ["GPT2"]}', "not a minRNN model"),
        ("model.safetensors", b"\x80\x04cposix\nsystem\n", "not a whole safetensors file"),
    ],
)
def test_a_repo_with_something_else_in_it_is_refused(
    hub: Hub, client: Client, name: str, content: bytes, message: str
) -> None:
    repo = hub.repos["model", REPO]
    repo.commit(repo.files | {name: content})
    refusal = client.error(load())
    assert refusal.startswith("CheckpointError: ") and message in refusal


@pytest.mark.parametrize(
    ("name", "size", "limit"), [("config.json", 1_000_001, "1,000,000"), ("model.safetensors", 9_000_000, "")]
)
def test_a_file_that_is_too_large_is_not_downloaded(
    hub: Hub, client: Client, name: str, size: int, limit: str
) -> None:
    repo = hub.repos["model", REPO]
    repo.commit(repo.files | {name: b"0" * size})
    message = client.error(load())
    assert message.startswith(f"HubError: {REPO}: {name} has {size:,} bytes; at most {limit}")
    assert name not in hub.reads() and not [line for line in hub.requests if line.startswith("GET /large/")]


def test_weights_may_be_as_large_as_the_config_makes_them_and_no_larger(hub: Hub, client: Client) -> None:
    repo = hub.repos["model", REPO]
    wide = json.loads(repo.files["config.json"]) | {"n_embd": 1_024}
    content = repo.files | {"model.safetensors": b"0" * 9_000_000}
    repo.commit(content)
    assert "bytes; at most " in client.error(load())
    repo.commit(content | {"config.json": json.dumps(wide).encode()})
    assert "not a whole safetensors file" in client.error(load())


def test_weights_of_an_absurd_config_are_not_asked_for(hub: Hub, client: Client) -> None:
    repo = hub.repos["model", REPO]
    absurd = json.loads(repo.files["config.json"]) | {"n_embd": 4_096, "n_layer": 64}
    repo.commit(repo.files | {"config.json": json.dumps(absurd).encode()})
    assert "parameters; at most 50,000,000 are loaded" in client.error(load())
    assert not [line for line in hub.requests if "safetensors" in line or "/large/" in line]


def test_metrics_that_are_too_large_are_left_out(hub: Hub, client: Client) -> None:
    repo = hub.repos["model", REPO]
    repo.commit(repo.files | {"metrics.json": b"[" + b"0," * 600_000 + b"0]"})
    assert client.run(load())["metrics"] == {} and "metrics.json" not in hub.reads()


STRANGE = [
    "a" * 300,
    "a" * 5_000 + "/b",
    "a\0b/c",
    "ann/\ud800",
    f"{REPO}@\ud800",
    f"{REPO}@../../x",
    f"{REPO}@-",
]


@pytest.mark.parametrize("ref", STRANGE)
@pytest.mark.parametrize("function", ["load", "load_repo", "read_config"])
def test_what_can_be_no_repo_is_refused_without_asking(
    hub: Hub, client: Client, ref: str, function: str
) -> None:
    message = client.error(f"from minrnn import checkpoint; checkpoint.{function}({ref!r})")
    assert message.startswith("CheckpointError: ") and len(message) < 300 and not hub.requests


def test_a_model_that_a_visitor_adds_is_loaded_once(hub: Hub, client: Client) -> None:
    seen = client.run(f"""
from minrnn import checkpoint
from minrnn.library import Library
loads, load_repo = [], checkpoint.load_repo
checkpoint.load_repo = lambda ref: loads.append(ref) or load_repo(ref)
try:
    library = Library({{}})
    key = library.add_from_hub({REPO!r})
    result = [key, library.further(key) is library.further(key), loads]
finally:
    checkpoint.load_repo = load_repo
""")
    assert seen == [f"hub:{REPO}@{hub.repos['model', REPO].branches['main']}", True, [REPO]]


@pytest.fixture
def no_network(hub: Hub, client: Client, tmp_path: Path) -> Iterator[Client]:
    """A second client with the same cache, whose Hub is a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Client(address, tmp_path) as offline:
        offline.use_cache(tmp_path / "cache")
        yield offline


def test_without_network_the_cache_serves_and_else_a_message(
    hub: Hub, client: Client, no_network: Client
) -> None:
    unreachable = "the Hub cannot be reached and config.json is not in the local cache; check the network."
    assert no_network.error(load()) == f"HubError: {REPO}: {unreachable}"
    online = client.run(load())
    assert no_network.run(load()) == online == no_network.run(load(local_files_only=True))


def test_without_network_all_models_come_from_the_cache(hub: Hub, client: Client, no_network: Client) -> None:
    online = client.run(load_all(["mingru"]))
    began = time.monotonic()
    offline = no_network.run(load_all(["mingru", "lstm"]))
    assert offline["mingru"] == online["mingru"] and len(online["mingru"]) == 40
    assert offline["lstm"].startswith("HubError: ann/minrnn-base-lstm: ") and "network" in offline["lstm"]
    assert time.monotonic() - began < 10


def test_all_models_are_loaded_together_each_at_its_revision(
    hub: Hub, client: Client, tmp_path: Path
) -> None:
    names = list(MODEL_NAMES)
    for name in names:
        hub.add("model", f"ann/minrnn-base-{name}", published(tmp_path / name, name))
    found = client.run(load_all(names))
    assert found == {name: hub.repos["model", f"ann/minrnn-base-{name}"].branches["main"] for name in names}


def test_each_model_that_cannot_be_had_is_told_and_the_others_come(
    hub: Hub, client: Client, files: dict[str, bytes]
) -> None:
    hub.add("model", "ann/minrnn-base-lstm", files)
    hub.add("model", "ann/minrnn-base-minlstm", {**files, "config.json": b"{}"})
    found = client.run(load_all(["mingru", "minlstm", "lstm", "nanogpt"]))
    assert len(found["mingru"]) == 40
    assert "not a minRNN model" in found["minlstm"]
    assert (
        found["lstm"]
        == "CheckpointError: ann/minrnn-base-lstm holds a mingru, not a lstm; publish the right one."
    )
    assert found["nanogpt"] == f"HubError: ann/minrnn-base-nanogpt: {NO_SUCH_REPO}"


def test_a_model_that_comes_late_is_dropped(hub: Hub, client: Client, files: dict[str, bytes]) -> None:
    hub.add("model", "ann/minrnn-base-lstm", files)
    hub.slow["minrnn-base-lstm/resolve"] = 3.0
    began = time.monotonic()
    found = client.run(load_all(["mingru", "lstm"], deadline_s=1.5))
    assert time.monotonic() - began < 2.5
    assert len(found["mingru"]) == 40
    assert found["lstm"].startswith("HubError: ann/minrnn-base-lstm did not come within 1.5 seconds")


def test_a_hub_that_is_down_leaves_the_cache(hub: Hub, client: Client) -> None:
    online = client.run(load_all(["mingru"]))
    hub.failing["/"] = 503
    assert client.run(load_all(["mingru"])) == online


def test_a_repo_that_was_taken_away_is_not_served_from_the_cache(hub: Hub, client: Client) -> None:
    client.run(load_all(["mingru"]))
    hub.private.add(REPO)
    assert client.run(load_all(["mingru"]))["mingru"] == f"HubError: {REPO}: {NO_SUCH_REPO}"


@pytest.mark.parametrize("namespace", ["", "a b", "ann/..", "ünn", "../ann", "a" * 97])
def test_a_namespace_that_cannot_be_is_told(hub: Hub, client: Client, namespace: str) -> None:
    found = client.run(load_all(["mingru"]).replace('"ann"', repr(namespace)))
    assert "cannot be a repo on the Hub" in found["mingru"] and not hub.requests


def test_a_download_that_hangs_does_not_keep_the_process(hub: Hub, tmp_path: Path) -> None:
    hub.slow["/resolve/"] = 30.0
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", load_all(["mingru"], deadline_s=0.5)],
        env=environment(hub.url, tmp_path),
        check=True,
        timeout=25,
    )
    assert time.monotonic() - began < 20


def test_a_model_can_be_pushed_by_the_mixin_and_loaded(hub: Hub, client: Client) -> None:
    client.run(f"""
import os; os.environ["HF_TOKEN"] = {TOKEN!r}
from minrnn.models import LanguageModel
LanguageModel.from_pretrained({REPO!r}).push_to_hub("ann/copy")
""")
    assert client.run(load("ann/copy"))["weights"] == client.run(load())["weights"]
