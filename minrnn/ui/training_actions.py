"""What the buttons of the training tab do. Each checks anew who asks, and what is allowed here."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from minrnn import jobs, library, runlist
from minrnn.errors import CheckpointError
from minrnn.runs import MODEL
from minrnn.ui import training_wish as wishes
from minrnn.ui.training_wish import Wish


def start(token: str, *values: Any) -> None:
    """Ask for the runs that the form describes."""
    wish = Wish(*values)
    jobs.start(wishes.specs(wish), token, wishes.own_text(wish))
    jobs.step()


def stop_all(token: str) -> None:
    """Stop all of the visitor's runs, those that wait included."""
    runlist.check_on()
    active = [run for run in runlist.listed(token) if run.active]
    if not active:
        raise CheckpointError("nothing is training.")
    for run in sorted(
        active, key=lambda run: run.status == "running"
    ):  # the waiting ones first, lest one starts
        jobs.stop(run.name, token)


def stop(token: str, run: str | None) -> None:
    """Stop one run."""
    jobs.stop(run or "", token)


def resume(token: str, run: str | None, more_iters: float | None) -> None:
    """Let one run go on."""
    jobs.resume(run or "", token, int(more_iters or 0))
    jobs.step()


def rename(token: str, run: str | None, title: str) -> None:
    """Give one run another title."""
    jobs.rename(run or "", title, token)


def delete(token: str, run: str | None) -> None:
    """Delete one run."""
    if run:  # empty: the visitor thought better of it
        jobs.delete(run, token)


def use(token: str, name: str | None, extra_models: list[str]) -> tuple[list[str], Any]:
    """Add a run's model to the Compare tab, and open that."""
    run = runlist.find(name or "", token)
    if not run.begun:
        raise CheckpointError(f"{run.title} has no checkpoint yet; wait until it has begun.")
    ref = str(run.path / MODEL)
    return library.added(extra_models, ref), gr.Tabs(selected="compare")


def download(files: gr.File) -> Any:
    """A handler that writes the files where Gradio keeps its own, under names that cannot be guessed."""

    def download(token: str, name: str | None) -> Any:
        run = runlist.find(name or "", token)
        stem = run.path.name
        parts = [
            (f"{stem}.zip", runlist.zipped_model(run)),
            (f"{stem}.csv", runlist.history_csv(run).encode("utf-8")),
        ]
        paths = [save_bytes_to_cache(data, part, files.GRADIO_CACHE) for part, data in parts]
        return gr.update(value=paths, visible=True)

    return download
