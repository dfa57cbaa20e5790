"""/task_results, called as a script calls it."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from minrnn.tasks import TASKS
from minrnn.ui.tasks import api
from minrnn.ui.tasks.entrants import entrants


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with gr.Blocks(analytics_enabled=False) as demo:
        api.endpoints()
    _, url, _ = demo.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Client(url, verbose=False)
    demo.close()


@pytest.mark.parametrize("task", TASKS)
def test_every_task_tells_its_results_and_what_was_not_run(client: Client, task: str) -> None:
    found = client.predict(task, api_name="/task_results")
    assert list(found["models"]) == [entrant.key for entrant in entrants()]
    for model in found["models"].values():
        result = model["result"]
        assert result is None or list(map(int, result["mean"])) == list(TASKS[task].test_lengths)
    assert len(found["example"]["sees"]) == TASKS[task].trained_length


@pytest.mark.parametrize("task", ["no_such_task", "", 3, None, ["parity"]])
def test_a_task_that_is_not_known_is_refused_in_words(client: Client, task: Any) -> None:
    with pytest.raises(AppError, match="choose one of: parity"):
        client.predict(task, api_name="/task_results")
