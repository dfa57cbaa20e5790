"""The training tab's API: the same runs for a script, with `gradio_client` or plain HTTP."""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any

from minrnn import presets
from minrnn.checked import shown
from minrnn.corpora import OWN
from minrnn.errors import ConfigError
from minrnn.runs import limits, listing
from minrnn.runs.events import thinned
from minrnn.runs.listing import Listing, Run
from minrnn.runs.queue import TrainingQueue
from minrnn.runs.request import TrainRequest
from minrnn.ui.components import endpoint
from minrnn.ui.train import looks

AT_ONCE: dict[str, Any] = {"concurrency_id": "train-api", "concurrency_limit": 4}


def endpoints(queue: TrainingQueue) -> None:
    """Add /train_start, /train_status and /train_stop to the current Blocks' API."""

    def train_start(
        models: str = presets.FIRST_MODELS[0], preset: str = "tiny", corpus: str | None = None, text: str = "",
        init: str = "", max_iters: int | None = None, max_seconds: float | None = None,
        target_val_loss: float | None = None, learning_rate: float | None = None, batch_size: int | None = None,
        block_size: int | None = None, dropout: float | None = None, seed: int | None = None,
        eval_interval: int | None = None, sample_interval: int | None = None, device: str = "auto",
        dtype: str = "auto", token: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Start training runs, one after another on the same text. None keeps what the preset says.

        Args:
            models: names: a list, or a text with commas between them; mingru-signed is minGRU with decays that may be
                negative. Without meaning where init is given.
            preset: shape and recipe: tiny, sprint, base, allplays or replica, and task for a task.
            corpus: a text's name: tinyshakespeare, plays, allplays or python; or a task's, such as parity. None takes
                the preset's text: all plays for allplays, tiny Shakespeare for the others.
            text: a text of your own, in place of the corpus.
            init: checkpoint to tune instead of starting from nothing: a folder that the app offers.
            max_iters: budget in optimiser updates; 0 is off, as for the other two. What is spent first ends the run.
            max_seconds: budget in seconds of training.
            target_val_loss: stop once an evaluation is at or below it, in nats per character.
            learning_rate: the optimisers' rate after the warm-up.
            batch_size: windows an iter.
            block_size: length of a window, in characters; fixed with init.
            dropout: probability of dropping an activation while training.
            seed: of the weights, the data order and dropout.
            eval_interval: iters between evaluations.
            sample_interval: iters between samples.
            device: auto, cpu, cuda or mps.
            dtype: auto, float32 or bfloat16.
            token: a secret of yours, at least 16 characters. On a shared machine whoever knows it, and nobody else,
                can see and stop the runs; empty makes a new one.

        Returns:
            {runs, token}: the runs' names in the order they train, and the token.
        """
        listing.check_on()
        token = _token(token) or secrets.token_urlsafe(24)
        request = TrainRequest(
            models=[] if init else models,  # type: ignore[arg-type]
            preset=preset, inits=[init] if init else [], corpus=OWN if text else corpus, text=text,
            max_iters=max_iters, max_seconds=max_seconds, target_val_loss=target_val_loss,
            learning_rate=learning_rate, batch_size=batch_size, block_size=block_size, dropout=dropout,
            seed=seed, eval_interval=eval_interval, sample_interval=sample_interval,
            device=device, dtype=dtype,  # type: ignore[arg-type]
        )  # fmt: skip
        started = queue.start(request, token)
        queue.step()
        return {"runs": started, "token": token}

    def train_status(run: str = "", token: str = "") -> dict[str, Any]:
        """How a run is doing. On a shared machine asking keeps all your runs alive: ask at least every two minutes.

        Args:
            run: its name; empty lists all that the token may see.
            token: the one that it was started with.

        Returns:
            {run, title, status, problem, iter, seconds, seconds_left, train_loss, val_loss, bits_per_char,
            accuracy, chars_per_s, iter_ms, grad_norm, peak_bytes, params, losses, val_losses, accuracies,
            accuracy_by_length, sample}: status is waiting, running, stopped, finished, failed or killed; losses are in
            nats per character, as [iter, loss], at most 2,000 of them. For a run on a task, accuracies are the shares
            of right answers at the trained length, as [iter, share], and accuracy_by_length, once the run has
            finished, those by the length of a text. Without a name {runs}: a list of {run, title, status}.
        """
        listing.check_on()
        every = queue.runs.listed(_token(token))
        limits.follow(every)  # also those that wait behind the one that is asked for
        if not _text("run", run):
            return {"runs": [_named(found) for found in every]}
        return _reported(queue.runs, queue.runs.find(run, _token(token)))

    def train_stop(run: str, token: str = "") -> dict[str, Any]:
        """Ask a run to save and end after its current iter; one that waits is taken out of the queue.

        Args:
            run: its name.
            token: the one that it was started with.

        Returns:
            {run, title, status} at this moment; ask /train_status until it is "stopped".
        """
        queue.stop(_text("run", run), _token(token))
        return _named(queue.runs.find(run, token))

    endpoint(train_start, "train_start", **AT_ONCE)
    endpoint(train_status, "train_status", **AT_ONCE)
    endpoint(train_stop, "train_stop", **AT_ONCE)


def _token(token: Any) -> str:
    return _text("token", token)


def _text(name: str, value: Any) -> str:
    """A text as a client sent it; None stands for an empty one.

    Raises:
        ConfigError: for anything else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConfigError(f"{name} is {shown(value)}; it must be a text.")
    return value


def _named(run: Run) -> dict[str, Any]:
    return {"run": run.name, "title": run.title, "status": run.status}


def _reported(runs: Listing, run: Run) -> dict[str, Any]:
    (item,) = looks.with_looks(runs, [run])
    history = item.history
    last = history.iters[-1] if history.iters else None
    drawn = [history.iters[point] for point in thinned(len(history.iters))]
    return {
        **_named(run),
        "problem": run.problem,
        "iter": last.iter if last else 0,
        "seconds": last.seconds if last else 0.0,
        "seconds_left": looks.seconds_left(item),
        **looks.figures(item),
        "params": run.params,
        "losses": [[event.iter, event.loss] for event in drawn],
        "val_losses": [[event.iter, event.val_loss] for event in history.evals],
        "accuracies": [[e.iter, e.accuracy] for e in history.evals if e.accuracy is not None],
        "accuracy_by_length": {str(T): share for T, share in looks.accuracy_by_length(run).items()},
        "sample": dataclasses.asdict(history.samples[-1]) if history.samples else None,
    }
