"""What a click on a run's card does. Rights are checked anew each time: the page may be old, or not a page."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from minrnn.checked import Checked, from_mapping
from minrnn.errors import CheckpointError
from minrnn.runs import events, listing
from minrnn.runs.listing import Run
from minrnn.runs.queue import TrainingQueue
from minrnn.ui.train import cards
from minrnn.ui.train.view import OLDER, Choices

SHOW, HIDE = "show", "hide"
"""Actions on the chart, beside those of `cards.LABELS`; with an empty run they concern the older runs."""
VERBS = {
    "stop": "stopped", "remove": "removed from the queue", "go_on": "continued", "retry": "tried again",
    "further": "trained further", "use": "used in Compare", "download": "downloaded", "rename": "renamed",
    "delete": "deleted",
}  # fmt: skip


@dataclass(frozen=True)
class Click(Checked):
    """A click on a card, as the page's script sends it.

    Attributes:
        action: a key of `cards.LABELS`, or "show" or "hide".
        run: the run's name.
        title: the new name, for "rename".
        iters: how many more, for "further".
    """

    action: str
    run: str = ""
    title: str = ""
    iters: Annotated[int, Interval(ge=0, le=10**9)] = 0


@dataclass(frozen=True)
class Outcome:
    """What came of a click.

    Attributes:
        message: what happened and where it now is; empty where the page shows it.
        model: checkpoint that Compare shall show.
        file: name and contents of a download.
    """

    message: str = ""
    model: str = ""
    file: tuple[str, bytes] | None = None


def read(data: object) -> Click:
    """A click out of what the page sent.

    Raises:
        ConfigError: if it is none.
    """
    return from_mapping(Click, data)


def chosen(click: Click, choices: Choices) -> Choices:
    """The visitor's choices of lines, after a click on one of them."""
    return {**choices, click.run or OLDER: click.action == SHOW}


def act(queue: TrainingQueue, click: Click, token: str) -> Outcome:
    """Do what a click asks for.

    Raises:
        MinrnnError: if the run is not the visitor's, or cannot do this now.
    """
    run = queue.runs.find(click.run, token)
    free = not any(other.active for other in queue.runs.listed(token))
    if click.action not in cards.actions(run, free):
        raise CheckpointError(
            f"{run.title} is {run.status} and cannot be {VERBS.get(click.action, 'changed like this')} now; "
            "its card shows what can be done."
        )
    match click.action:
        case "stop" | "remove":
            queue.stop(run.name, token)
            return Outcome(_stopped(run))
        case "go_on" | "retry" | "further":
            queue.resume(run.name, token, _more(click))
            queue.step()
            return Outcome(_goes_on(queue.runs.find(run.name, token)))
        case "use":
            return Outcome(
                f"{run.title} now stands in Compare, after the other models.", model=str(run.model)
            )
        case "download":
            return Outcome(
                f"{run.title}: checkpoint and history, one zip file, in your downloads.",
                file=(f"{run.path.name}.zip", zipped(queue, run)),
            )
        case "rename":
            queue.rename(run.name, click.title, token)
            return Outcome(f"{run.title} is now called {listing.clean_title(click.title)}.")
        case _:
            queue.delete(run.name, token)
            return Outcome(f"{run.title} is deleted, its model and its text included.")


def _goes_on(run: Run) -> str:
    if run.status == "waiting":
        return f"{run.title} waits for the run before it, then it goes on from where it ended."
    return f"{run.title} goes on; its curve grows from where it ended."


def _stopped(run: Run) -> str:
    if run.status == "waiting":
        return f"{run.title} no longer waits. Its card stays here; it can start from there."
    return f"{run.title} saves and stops. Its card stays here, and it can go on later."


def _more(click: Click) -> int:
    """How many more iters a run trains; 0 for the rest of its budget."""
    if click.action == "further" and not click.iters:
        raise CheckpointError("0 further iters are asked for; say at least 1.")
    return click.iters if click.action == "further" else 0


def zipped(queue: TrainingQueue, run: Run) -> bytes:
    """The run's checkpoint and its history as one zip file.

    Raises:
        CheckpointError: if a file cannot be read.
    """
    try:
        buffer = io.BytesIO(listing.zipped_model(run))
    except OSError as error:  # such as figures that a save has just put aside
        raise CheckpointError(
            f"{run.title}: {error.filename or run.model} cannot be read ({error.strerror or error}); try again, and "
            "check its permissions if that does not help."
        ) from error
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        # without the time of the click: the same run gives the same file, which is stored once
        history = zipfile.ZipInfo(f"{run.path.name}/history.csv")
        history.compress_type, history.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        archive.writestr(history, events.to_csv(queue.runs.history(run)))
    return buffer.getvalue()
