"""Checkpoints from the Hub, one and all of an account together, over HTTP with the real client."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from minrnn import settings
from minrnn.models import MODEL_NAMES
from tests.hub.hub_client import Client, environment
from tests.hub.hub_server import TOKEN, Hub
from tests.hub.published_model import NO_SUCH_REPO, REPO, load, load_all, published


def test_a_model_without_metrics_is_still_a_model(model_hub: Hub, reader: Client) -> None:
    repo = model_hub.repos["model", REPO]
    repo.commit({path: content for path, content in repo.files.items() if path != "metrics.json"})
    assert reader.run(load())["metrics"] == {}


def test_metrics_that_are_too_large_are_left_out(model_hub: Hub, reader: Client) -> None:
    repo = model_hub.repos["model", REPO]
    repo.commit(repo.files | {"metrics.json": b"[" + b"0," * 600_000 + b"0]"})
    assert reader.run(load())["metrics"] == {} and "metrics.json" not in model_hub.reads()


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
    model_hub: Hub, reader: Client, ref: str, function: str
) -> None:
    message = reader.error(f"from minrnn import checkpoint; checkpoint.{function}({ref!r})")
    assert message.startswith("CheckpointError: ") and len(message) < 300 and not model_hub.requests


def test_a_model_that_a_visitor_adds_is_loaded_once(model_hub: Hub, reader: Client) -> None:
    seen = reader.run(f"""
from minrnn import checkpoint
from minrnn.library import Library
loads, load_repo = [], checkpoint.load_repo
checkpoint.load_repo = lambda ref, **how: loads.append(ref) or load_repo(ref, **how)
try:
    library = Library({{}})
    (key,) = library.add_from_hub({REPO!r}, [])
    result = [key, library.further(key) is library.further(key), loads]
finally:
    checkpoint.load_repo = load_repo
""")
    assert seen == [f"hub:{REPO}@{model_hub.repos['model', REPO].branches['main']}", True, [REPO]]


def add(mode: str, added: Sequence[str] = ()) -> str:
    """A program that adds the repo to those that its visitor has added, in an app that trains in that mode."""
    return f"""
import os; os.environ.update(HF_TOKEN={TOKEN!r}, MINRNN_TRAINING={mode!r})
from minrnn.library import Library
try:
    (result,) = Library({{}}).add_from_hub({REPO!r}, {list(added)!r})
finally:
    del os.environ["MINRNN_TRAINING"]
"""


def test_nothing_is_fetched_for_a_visitor_who_has_added_enough(model_hub: Hub, reader: Client) -> None:
    enough = [f"hub:ada/{number}@0" for number in range(settings.MAX_FURTHER)]
    message = reader.error(add("full", enough))
    assert f"{settings.MAX_FURTHER} is the limit" in message and not model_hub.requests


@pytest.mark.parametrize("mode", ["limited", "off"])
@pytest.mark.parametrize("kind", ["private", "gated"])
def test_a_stranger_reads_nothing_with_the_apps_token(
    model_hub: Hub, reader: Client, kind: str, mode: str
) -> None:
    getattr(model_hub, kind).add(REPO)
    message = reader.error(add(mode))
    assert (
        message.startswith(f"HubError: {REPO}: no such repo, or it is not public") and not model_hub.reads()
    )


def test_on_ones_own_machine_a_private_repo_is_added_with_the_token(model_hub: Hub, reader: Client) -> None:
    model_hub.private.add(REPO)
    assert reader.run(add("full")).startswith(f"hub:{REPO}@")


def test_a_stranger_adds_a_public_repo(model_hub: Hub, reader: Client) -> None:
    assert reader.run(add("limited")).startswith(f"hub:{REPO}@")


def test_without_network_all_models_come_from_the_cache(
    model_hub: Hub, reader: Client, no_network: Client
) -> None:
    online = reader.run(load_all(["mingru"]))
    no_network.run("from minrnn.hub import loading")  # what it takes to import is not waited for
    began = time.monotonic()
    offline = no_network.run(load_all(["mingru", "lstm"]))
    assert offline["mingru"] == online["mingru"] and len(online["mingru"]) == 40
    assert offline["lstm"].startswith("HubError: ann/minrnn-base-lstm: ") and "network" in offline["lstm"]
    assert time.monotonic() - began < 10


def test_all_models_are_loaded_together_each_at_its_revision(
    model_hub: Hub, reader: Client, tmp_path: Path
) -> None:
    names = list(MODEL_NAMES)
    for name in names:
        model_hub.add("model", f"ann/minrnn-base-{name}", published(tmp_path / name, name))
    found = reader.run(load_all(names))
    assert found == {
        name: model_hub.repos["model", f"ann/minrnn-base-{name}"].branches["main"] for name in names
    }


def test_each_model_that_cannot_be_had_is_told_and_the_others_come(
    model_hub: Hub, reader: Client, files: dict[str, bytes]
) -> None:
    model_hub.add("model", "ann/minrnn-base-lstm", files)
    model_hub.add("model", "ann/minrnn-base-minlstm", {**files, "config.json": b"{}"})
    found = reader.run(load_all(["mingru", "minlstm", "lstm", "nanogpt"]))
    assert len(found["mingru"]) == 40
    assert "not a minRNN model" in found["minlstm"]
    assert (
        found["lstm"]
        == "CheckpointError: ann/minrnn-base-lstm holds a mingru, not a lstm; publish the right one."
    )
    assert found["nanogpt"] == f"HubError: ann/minrnn-base-nanogpt: {NO_SUCH_REPO}"


def test_a_model_that_comes_late_is_dropped(model_hub: Hub, reader: Client, files: dict[str, bytes]) -> None:
    model_hub.add("model", "ann/minrnn-base-lstm", files)
    model_hub.slow["minrnn-base-lstm/resolve"] = 30.0
    began = time.monotonic()
    found = reader.run(load_all(["mingru", "lstm"], deadline_s=3.0))
    assert time.monotonic() - began < 15
    assert len(found["mingru"]) == 40
    assert found["lstm"].startswith("HubError: ann/minrnn-base-lstm did not come within 3 seconds")


def test_a_hub_that_is_down_leaves_the_cache(model_hub: Hub, reader: Client) -> None:
    online = reader.run(load_all(["mingru"]))
    model_hub.failing["/"] = 503
    assert reader.run(load_all(["mingru"])) == online


def test_a_repo_that_was_taken_away_is_not_served_from_the_cache(model_hub: Hub, reader: Client) -> None:
    reader.run(load_all(["mingru"]))
    model_hub.private.add(REPO)
    assert reader.run(load_all(["mingru"]))["mingru"] == f"HubError: {REPO}: {NO_SUCH_REPO}"


@pytest.mark.parametrize("namespace", ["", "a b", "ann/..", "ünn", "../ann", "a" * 97])
def test_a_namespace_that_cannot_be_is_told(model_hub: Hub, reader: Client, namespace: str) -> None:
    found = reader.run(load_all(["mingru"]).replace('"ann"', repr(namespace)))
    assert "cannot be a repo on the Hub" in found["mingru"] and not model_hub.requests


def test_a_download_that_hangs_does_not_keep_the_process(model_hub: Hub, tmp_path: Path) -> None:
    model_hub.slow["/resolve/"] = 30.0
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", load_all(["mingru"], deadline_s=0.5)],
        env=environment(model_hub.url, tmp_path),
        check=True,
        timeout=25,
    )
    assert time.monotonic() - began < 20


def test_a_model_can_be_pushed_by_the_mixin_and_loaded(model_hub: Hub, reader: Client) -> None:
    reader.run(f"""
import os; os.environ["HF_TOKEN"] = {TOKEN!r}
from minrnn.models import LanguageModel
LanguageModel.from_pretrained({REPO!r}).push_to_hub("ann/copy")
""")
    assert reader.run(load("ann/copy"))["weights"] == reader.run(load())["weights"]
