"""The training tab's API: the same runs for a script, with `gradio_client` or plain HTTP."""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any

from gradio.events import api

from minrnn import jobs, runlist, sharing
from minrnn.runlist import Run
from minrnn.runlog import thinned
from minrnn.ui import training_view
from minrnn.ui import training_wish as wishes
from minrnn.ui.components import visible_errors
from minrnn.ui.training_wish import FRESH, OWN, TUNED, Wish

LANE: dict[str, Any] = {"concurrency_id": "train-api", "concurrency_limit": 4}


def endpoints() -> None:
    """Add /train_start, /train_status and /train_stop to the current Blocks' API."""
    api(visible_errors(start), api_name="train_start", **LANE)
    api(visible_errors(status), api_name="train_status", **LANE)
    api(visible_errors(stop), api_name="train_stop", **LANE)


def start(
    models: str = "mingru", preset: str = "tiny", corpus: str = "tinyshakespeare", text: str = "", init: str = "",
    max_iters: int = -1, max_seconds: float = -1, target_val_loss: float = -1, learning_rate: float = -1,
    batch_size: int = -1, block_size: int = -1, dropout: float = -1, seed: int = 1337, eval_interval: int = -1,
    sample_interval: int = -1, device: str = "auto", dtype: str = "auto", token: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Start training runs, one after another on the same text. A number of -1 keeps what the preset says.

    Args:
        models: names separated by commas: mingru, minlstm, lstm, nanogpt. Without meaning where init is given.
        preset: shape and recipe: tiny, base or replica.
        corpus: tinyshakespeare, plays or python.
        text: a text of your own, in place of the corpus.
        init: checkpoint to tune instead of starting from nothing: a folder that the app offers.
        max_iters: budget in optimiser updates; 0 is off, as for the other two. What is spent first ends the run.
        max_seconds: budget in seconds of training.
        target_val_loss: stop once an evaluation is at or below it, in nats per character.
        learning_rate: of AdamW, after the warm-up.
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
    token = token or secrets.token_urlsafe(24)
    names = [name.strip() for name in models.split(",") if name.strip()]
    source, inits = (TUNED, [init]) if init else (FRESH, [])
    budget = wishes.budgets(wishes.preset_of(init) if init else preset, names)
    left_open = [None if value < 0 else value for value in (max_iters, max_seconds, target_val_loss)]
    given = {
        "learning_rate": learning_rate, "batch_size": batch_size, "block_size": block_size, "dropout": dropout,
        "eval_interval": eval_interval, "sample_interval": sample_interval,
    }  # fmt: skip
    values: dict[str, Any] = {name: None if value < 0 else value for name, value in given.items()}
    for name, value, preset_value in zip(wishes.BUDGET, left_open, budget, strict=True):
        values[name] = preset_value if value is None else value
    wish = Wish(
        source=source, models=names, preset=preset, inits=inits, corpus=OWN if text else corpus, text=text, file=None,
        seed=seed, device=device, dtype=dtype, **values,
    )  # fmt: skip
    started = jobs.start(wishes.specs(wish), token, wishes.own_text(wish))
    jobs.step()
    return {"runs": started, "token": token}


def status(run: str = "", token: str = "") -> dict[str, Any]:
    """How a run is doing; on a shared machine asking also keeps it alive: ask at least every two minutes.

    Args:
        run: its name; empty lists all that the token may see.
        token: the one that it was started with.

    Returns:
        {run, title, status, problem, iter, seconds, seconds_left, train_loss, val_loss, bits_per_char, chars_per_s,
        iter_ms, grad_norm, peak_bytes, params, losses, val_losses, sample}: status is waiting, running, stopped,
        finished, failed or killed; losses are in nats per character, as [iter, loss], at most 2,000 of them. Without
        a name {runs}: a list of {run, title, status}.
    """
    runlist.check_on()
    if not run:
        return {"runs": [_named(found) for found in runlist.listed(token)]}
    found = runlist.find(run, token)
    sharing.follow([found])
    return _told(found)


def stop(run: str, token: str = "") -> dict[str, Any]:
    """Ask a run to save and end after its current iter; one that waits is taken out of the queue.

    Args:
        run: its name.
        token: the one that it was started with.

    Returns:
        {run, title, status} at this moment; ask /train_status until it is "stopped".
    """
    jobs.stop(run, token)
    return _named(runlist.find(run, token))


def _named(run: Run) -> dict[str, Any]:
    return {"run": run.name, "title": run.title, "status": run.status}


def _told(run: Run) -> dict[str, Any]:
    (item,) = training_view.shown([run])
    history = item.history
    last = history.iters[-1] if history.iters else None
    drawn = [history.iters[place] for place in thinned(len(history.iters))]
    return {
        **_named(run),
        "problem": run.problem,
        "iter": last.iter if last else 0,
        "seconds": last.seconds if last else 0.0,
        "seconds_left": training_view.seconds_left(item),
        **training_view.figures(item),
        "params": item.config.get("params", {}),
        "losses": [[event.iter, event.loss] for event in drawn],
        "val_losses": [[event.iter, event.val_loss] for event in history.evals],
        "sample": dataclasses.asdict(history.samples[-1]) if history.samples else None,
    }
