"""What stands on record: the bundled checkpoints' own metrics, and the figures that others published."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from minrnn import checkpoint
from minrnn.corpora import CORPORA
from minrnn.errors import CheckpointError
from minrnn.models import MIXERS, MODEL_NAMES
from minrnn.presets import PRESETS
from minrnn.runs.events import read_evals

PARTS = ("embedding", "mixer", "mlp", "head")


@dataclass(frozen=True)
class Published:
    """A figure that somebody else published.

    Attributes:
        system: what was trained.
        group: who reports it: "paper", "nanoGPT" or "replication".
        loss: nats per character.
        split: the split it was taken on.
        params: weights; None where neither text nor files say.
        size: layers and width, as stated.
        cost: what training took, as stated.
        source: where the figure stands.
        url: a link to the source; empty where there is none.
        note: what must be known to compare it.
        drawn: whether charts show it from the start; the others are in the legend.
    """

    system: str
    group: str
    loss: float
    split: Literal["val", "train"]
    params: int | None
    size: str
    cost: str
    source: str
    url: str
    note: str
    drawn: bool


@dataclass(frozen=True)
class Result:
    """A bundled checkpoint's figures, from its metrics.json.

    Attributes:
        preset: the folder above the checkpoint's.
        model: the checkpoint's own folder: the name of its mixer.
        val_loss: over windows from an empty state, nats per character; None where a run was stopped unscored.
        val_loss_streaming: the same characters with the state carried; None where `val_loss` was not taken over
            the whole validation split.
        bits_per_char: val_loss / ln 2.
        train_loss: as val_loss, over the training split; None where it was not scored.
        n_params: weights.
        params: where they sit, one number for each of PARTS.
        iters: optimiser updates.
        tokens_seen: characters read.
        seconds: training time, evaluations included.
        device: the machine's own name for it.
        seed: of the run.
        command: what made it.
        folder: where it lies.
        accuracy: of a task: the share of right answers, by the length of a text.
        corpus: what it was trained on; empty where an older run does not say.
    """

    preset: str
    model: str
    val_loss: float | None
    val_loss_streaming: float | None
    bits_per_char: float | None
    train_loss: float | None
    n_params: int
    params: dict[str, int]
    iters: int
    tokens_seen: int
    seconds: float
    device: str
    seed: int
    command: str
    folder: Path = field(compare=False)
    accuracy: dict[str, float] = field(default_factory=dict)
    corpus: str = ""

    @property
    def title(self) -> str:
        """The model's name as it is written in tables."""
        return title(self.model)

    @property
    def text(self) -> str:
        """The name of the text it was trained on, for people; empty where nobody knows."""
        return CORPORA[self.corpus].title if self.corpus in CORPORA else self.corpus

    @property
    def loss(self) -> float:
        """`val_loss`, where the run was scored.

        Raises:
            CheckpointError: if it was not.
        """
        if self.val_loss is None:
            raise CheckpointError(f"{self.folder} was not scored; train it to the end of its budget.")
        return self.val_loss


@dataclass(frozen=True)
class Curve:
    """The estimates of the validation loss of one run, in order; all lists are equally long.

    Attributes:
        iters: updates made.
        tokens: characters read.
        seconds: training time.
        val_loss: nats per character.
    """

    iters: list[int]
    tokens: list[int]
    seconds: list[float]
    val_loss: list[float]


def title(model: str) -> str:
    """A mixer's name as it is written in tables; the name itself where it is unknown."""
    return MIXERS[model].title if model in MIXERS else model


@cache
def published() -> tuple[Published, ...]:
    """The published figures, in the order of published.json."""
    text = resources.files("minrnn.results").joinpath("published.json").read_text(encoding="utf-8")
    return tuple(Published(**entry) for entry in json.loads(text))


def bundled(root: Path | None = None) -> tuple[Result, ...]:
    """Every checkpoint under `root`/PRESET/MODEL that has metrics, in the order they are shown.

    Args:
        root: the folder of the bundled ones if None.

    Raises:
        CheckpointError: if a metrics.json cannot be read, or lacks more than losses.
    """
    found = [read(path.parent) for path in (root or checkpoint.BUNDLED).glob(f"*/*/{checkpoint.METRICS}")]
    return tuple(sorted(found, key=_position))


def read(folder: Path) -> Result:
    """The figures of one checkpoint folder.

    Raises:
        CheckpointError: if its metrics.json is missing, unreadable or lacks more than losses.
    """
    metrics = checkpoint.read_metrics(folder / checkpoint.METRICS)
    try:
        return _result(metrics, folder)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{folder / checkpoint.METRICS} is not what a training run writes ({error}); train it anew."
        ) from None


def curve(folder: Path) -> Curve:
    """The validation losses in a checkpoint's history.jsonl; empty lists where it has none."""
    path = folder / checkpoint.HISTORY
    evals = read_evals(path)
    return Curve(
        [event.iter for event in evals],
        [event.tokens for event in evals],
        [event.seconds for event in evals],
        [event.val_loss for event in evals],
    )


def _result(metrics: dict[str, Any], folder: Path) -> Result:
    return Result(
        preset=folder.parent.name,
        model=folder.name,
        val_loss=_optional(metrics, "val_loss"),
        val_loss_streaming=_optional(metrics, "val_loss_streaming"),
        bits_per_char=_optional(metrics, "bits_per_char"),
        train_loss=_optional(metrics, "train_loss"),
        n_params=int(metrics["n_params"]),
        params={part: int(metrics["params"][part]) for part in PARTS},
        iters=int(metrics["iters"]),
        tokens_seen=int(metrics["tokens_seen"]),
        seconds=float(metrics["seconds"]),
        device=str(metrics["device"]),
        seed=int(metrics["seed"]),
        command=str(metrics["command"]),
        accuracy={str(length): float(share) for length, share in metrics.get("accuracy", {}).items()},
        folder=folder,
        corpus=str(metrics.get("corpus", "")),
    )


def _optional(metrics: dict[str, Any], name: str) -> float | None:
    return None if metrics.get(name) is None else float(metrics[name])


def _position(result: Result) -> tuple[int, str, int, str]:
    def index(order: tuple[str, ...], name: str) -> int:
        return order.index(name) if name in order else len(order)

    preset, model = result.preset, result.model
    return index(tuple(PRESETS), preset), preset, index(MODEL_NAMES, model), model
