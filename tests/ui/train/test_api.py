"""The Train tab's API, called as a script calls it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from minrnn.runs.listing import FOLLOWED
from minrnn.runs.queue import TrainingQueue
from minrnn.ui.train import api, tab
from minrnn.ui.visitor import visitor
from tests.ui.tasks.trained import scored
from tests.ui.train.trained import ME, SHEEP, waiting


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    queue = TrainingQueue()
    with gr.Blocks(analytics_enabled=False) as demo:
        extra = gr.State([])
        with gr.Tabs() as tabs, gr.Tab("Train"):
            tab.build(queue, visitor(), extra, tabs)
        api.endpoints(queue)
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Client(url, verbose=False)
    demo.close()
    queue.close()


def wait(client: Client, name: str, token: str, *wanted: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (found := client.predict(name, token, api_name="/train_status"))["status"] not in wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return dict(found)


@pytest.mark.slow
def test_a_script_starts_follows_and_stops_a_run(client: Client, runs_dir: Path) -> None:
    started = client.predict(
        models="mingru", text=SHEEP, max_iters=200_000, device="cpu", block_size=16, batch_size=2, eval_interval=5,
        api_name="/train_start",
    )  # fmt: skip
    (name,), token = started["runs"], started["token"]
    assert client.predict(api_name="/train_status")["runs"][0]["run"] == name
    while len(wait(client, name, token, "running")["val_losses"]) < 3:
        time.sleep(0.2)
    client.predict(name, token, api_name="/train_stop")
    found = wait(client, name, token, "stopped")
    assert found["iter"] == found["losses"][-1][0] > 0
    assert found["val_loss"] < 4 and found["sample"]["text"] and found["params"]["mixer"] > 0


def test_the_api_explains_itself(client: Client) -> None:
    found = client.view_api(return_format="dict")["named_endpoints"]
    assert {"/train_start", "/train_status", "/train_stop"} <= set(found)
    assert not [name for name in found if not name.startswith("/train_")]
    assert "max_iters" in str(found["/train_start"]["parameters"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"models": "no_such_model"}, "has no model"),
        ({"text": "short"}, "5 characters and at least 1,000"),
        ({"corpus": "/etc/passwd"}, "is not known"),
        ({"learning_rate": 99}, "learning_rate is 99"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
    ],
)
def test_the_api_refuses_in_words(client: Client, given: dict[str, Any], message: str) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(**given, api_name="/train_start")


@pytest.mark.parametrize("endpoint", ["/train_start", "/train_status", "/train_stop"])
def test_the_api_is_off_where_training_is(
    client: Client, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINRNN_TRAINING", "off")
    with pytest.raises(AppError, match="switched off"):
        client.predict("mingru", api_name=endpoint)


@pytest.mark.parametrize("asked", ["", "a"])
def test_whoever_asks_keeps_all_their_runs_alive_and_nobody_elses(
    client: Client, runs_dir: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(TrainingQueue, "step", lambda self: None)
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    for name, token in (("a", ME), ("b", ME), ("other", "o" * 20)):
        waiting(runs_dir, name, token)
    client.predict(asked, ME, api_name="/train_status")
    assert [(runs_dir / name / FOLLOWED).exists() for name in ("a", "b", "other")] == [True, True, False]


def test_a_run_on_a_task_tells_its_accuracy(client: Client, runs_dir: Path) -> None:
    scored(runs_dir, "a", share=0.75)
    found = client.predict("a", api_name="/train_status")
    assert (found["accuracy"], found["bits_per_char"]) == (0.75, None)
    assert found["accuracies"] == [[600, 0.75]]
    assert found["accuracy_by_length"] == {str(T): 0.75 for T in (32, 64, 128, 256, 512)}
