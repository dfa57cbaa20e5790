"""Training inside the app: on ZeroGPU, where only the app's own process is lent a GPU, and only for one call."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
from gradio.events import Dependency

from minrnn import settings
from minrnn.errors import MinrnnError
from minrnn.runs.folder import read_spec
from minrnn.runs.queue import TrainingQueue, train_in_process
from minrnn.train import Event
from minrnn.ui.components import visible_errors

STARTING_S = 30
"""What loading, the final scores and the saves take beside the training itself."""


def on_gpu(task: Callable[[str], Iterator[Event]]) -> Callable[[str], Iterator[Event]]:
    """Lend a GPU to a generator, for as long as its run's budget says; elsewhere the task as it is."""
    if not settings.on_zero_gpu():
        return task
    import spaces

    lent: Callable[[str], Iterator[Event]] = spaces.GPU(duration=seconds)(task)
    return lent


def seconds(path: str) -> int:
    """How long a run may hold the GPU."""
    budget = read_spec(Path(path)).train.max_seconds
    return int(budget or settings.MAX_TRAIN_SECONDS_LIMITED) + STARTING_S


def train_waiting(
    queue: TrainingQueue, token: str, task: Callable[[str], Iterator[Event]]
) -> Iterator[Event]:
    """Train the visitor's waiting runs, one after another. A run that fails says so in its folder."""
    while run := queue.claim_next(token):
        with contextlib.suppress(MinrnnError):
            yield from task(str(run.path))


def chain(queue: TrainingQueue, event: Dependency, token: gr.BrowserState) -> None:
    """After an event that asks for runs, train them here, where no process of their own would do."""
    if not settings.on_zero_gpu():
        return
    task = on_gpu(train_in_process)  # now, as ZeroGPU wants to know at the start which functions need a GPU

    def train(token: str) -> Iterator[None]:
        yield
        for _ in train_waiting(queue, token, task):
            yield

    event.then(
        visible_errors(train), token, None, concurrency_id="train-here", concurrency_limit=1,
        show_progress="hidden", api_visibility="private",
    )  # fmt: skip
