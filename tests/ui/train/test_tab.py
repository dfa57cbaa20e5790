"""The Train tab as a whole: what it says where, and ZeroGPU's way through it."""

import multiprocessing
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch

from minrnn import checkpoint, train
from minrnn.runs.queue import TrainingQueue, train_in_process
from minrnn.runs.request import TrainRequest
from minrnn.ui.train import tab, zero_gpu
from minrnn.ui.visitor import visitor
from tests.ui.train.trained import ME, SHEEP


def config(mode: str, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setenv("MINRNN_TRAINING", mode)
    queue = TrainingQueue()
    with gr.Blocks(analytics_enabled=False) as demo, gr.Tabs() as tabs, gr.Tab("Train"):
        tab.build(queue, visitor(), gr.State([]), tabs)
    queue.close()
    return list(demo.config["components"])


@pytest.mark.parametrize("mode", ["full", "limited", "off"])
def test_the_tab_says_what_is_allowed_here(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = config(mode, monkeypatch)
    assert tab.NOTES[mode] in [part["props"].get("value") for part in parts]
    assert any(part["props"].get("elem_id") == "train-start" for part in parts) == (mode != "off")


@pytest.mark.parametrize(("mode", "longest"), [("full", "5 min"), ("limited", "1 min")])
def test_no_budget_is_offered_that_would_be_refused(
    mode: str, longest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (budget,) = [part for part in config(mode, monkeypatch) if part["props"].get("elem_id") == "train-budget"]
    assert [value for _, value in budget["props"]["choices"]][-2:] == [longest, "loss"]


def _lend_a_gpu(path: str, wire: Any) -> None:
    """What ZeroGPU does: the generator runs in a process of its own, and every event is pickled."""
    torch.set_num_threads(1)
    for event in train_in_process(path):
        wire.send_bytes(pickle.dumps(event))
    wire.send_bytes(pickle.dumps(None))


def lent(path: str) -> Iterator[train.Event]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_lend_a_gpu, args=(pickle.loads(pickle.dumps(path)), theirs))
    process.start()
    try:
        while (event := pickle.loads(ours.recv_bytes())) is not None:
            yield event
    finally:
        process.join(30)


@pytest.mark.slow
def test_on_zero_gpu_a_run_trains_inside_a_call(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    monkeypatch.setenv("MINRNN_TRAINING", "limited")
    queue = TrainingQueue()
    request = TrainRequest(["mingru"], corpus="own", text=SHEEP, max_iters=4, device="cpu")
    (name,) = queue.start(request, ME)
    assert zero_gpu.seconds(str(runs_dir / name)) == 180 + zero_gpu.STARTING_S
    queue.step()
    assert queue.runs.find(name, ME).status == "waiting"
    events = list(zero_gpu.train_waiting(queue, ME, lent))
    assert events[-1] == train.Done(4, "max_iters")
    assert queue.runs.find(name, ME).status == "finished"
    checkpoint.load(runs_dir / name / "model")


def test_elsewhere_nothing_is_lent_and_nothing_imported() -> None:
    assert zero_gpu.on_gpu(train_in_process) is train_in_process
