"""What a model's card says of its figures, its sample, its use and its limits: of a text's model, or of a task's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minrnn.config import ModelConfig
from minrnn.tasks import TASKS, Task

_LOSSES = {
    "val_loss": ("loss", "Validation loss, nats per character"),
    "val_loss_streaming": ("loss", "Validation loss with the state carried on, nats per character"),
    "bits_per_char": ("bits_per_character", "Validation loss, bits per character"),
    "train_loss": ("loss", "Training loss, nats per character"),
}
_UNSCORED = "This run was stopped before its budget was spent, so it was not scored."
_LETTERS = "- It knows the {n_chars} characters of its vocabulary; others are replaced by similar ones or left out.\n"
_ONE_SEED = "\n- The figures come from one run with one seed on one {what}."
_CHOSEN = (
    "\n- Recipes were compared on the validation split, more of them for some models than for others; there is no "
    "further\n  split that nobody looked at."
)


@dataclass(frozen=True)
class Figure:
    """One figure of a run: what is measured, its name for people, its value, and the split it was taken on."""

    metric: str
    name: str
    value: float
    split: str


@dataclass(frozen=True)
class Words:
    """Parts of a card.

    Attributes:
        scoring: how the figures were taken.
        sample_head: what the sample is.
        use: how to try the model, as Markdown.
        limits: what it cannot do, as a list.
    """

    scoring: str
    sample_head: str
    use: str
    limits: str


def of(repo: str, config: ModelConfig, metrics: Mapping[str, Any]) -> Words:
    """The parts for a model.

    Args:
        repo: "user/repo".
        config: the model's shape.
        metrics: its metrics.json.
    """
    task = task_of(metrics)
    return _of_text(repo, config, metrics) if task is None else _of_task(repo, config, metrics, task)


def task_of(metrics: Mapping[str, Any]) -> Task | None:
    """The task that a model was trained on; its hash must be that of today's task. None for a text's model."""
    task = TASKS.get(str(metrics.get("corpus")))
    return task if task is not None and task.sha256 == metrics.get("corpus_sha256") else None


def figures(metrics: Mapping[str, Any]) -> list[Figure]:
    """The figures there are. A run may have been scored on a sample of the validation split."""
    if task_of(metrics) is not None:
        lengths = (metrics.get("accuracy") or {}).items()
        named = [(f"Accuracy on texts of {int(length):,} characters", share) for length, share in lengths]
        return [Figure("accuracy", name, share, "test") for name, share in named]
    whole = metrics.get("val_loss_streaming") is not None
    sample = "" if whole else f", over a sample of {metrics.get('tokens', 0):,} characters"
    return [
        Figure(metric, name, metrics[key], "train")
        if key == "train_loss"
        else Figure(metric, name + sample, metrics[key], "validation")
        for key, (metric, name) in _LOSSES.items()
        if metrics.get(key) is not None
    ]


def recipe(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the recipe that had an effect."""
    unused = () if metrics.get("teachers") else ("teacher_share",)
    return {name: value for name, value in metrics["train"].items() if value and name not in unused}


def teacher_names(metrics: Mapping[str, Any]) -> list[str]:
    """The folders or repos of the models that taught this one; none where nobody did."""
    return [str(each["name"]) for each in metrics.get("teachers") or ()]


def teachers(metrics: Mapping[str, Any]) -> str:
    """The models whose mean probabilities were part of the target, each with the digest of its weights."""
    return ", ".join(f"`{each['name']}` (SHA-256 `{each['sha256']}`)" for each in metrics["teachers"])


def _of_text(repo: str, config: ModelConfig, metrics: Mapping[str, Any]) -> Words:
    sample = metrics["sample"]
    scoring = (
        "The validation split is the end of the text, which this run did not train on. It is cut into windows of\n"
        f'{config.block_size} characters that do not overlap, each read from an empty state; "carried on" scores the '
        "same characters with\nthe state passed from window to window."
    )
    return Words(
        scoring=scoring if figures(metrics) else _UNSCORED,
        sample_head=f"What it wrote after {sample['prompt']!r} when it was trained, at temperature "
        f"{sample['temperature']} with seed {sample['seed']}:",
        use="```python\nfrom minrnn import checkpoint, config, generate\n"
        f'model = checkpoint.load("{repo}").model\n'
        f'print("".join(chunk.text for chunk in generate.stream(model, {sample["prompt"]!r}, '
        "config.Sampling(seed=1))))\n```",
        limits=_LETTERS.format(n_chars=len(config.vocab))
        + "- It writes what looks like its training text. It knows no facts, follows no instructions, and what it "
        "writes,\n  names and opinions included, means nothing." + _ONE_SEED.format(what="text") + _CHOSEN,
    )


def _of_task(repo: str, config: ModelConfig, metrics: Mapping[str, Any], task: Task) -> Words:
    scoring = (
        f"{task.question} {task.why_hard}\nIt was trained on texts of {task.trained_length} characters, drawn anew for "
        "every batch. Accuracy is the share of answers\nthat are right on texts of each length. These come from a "
        "stream of seeds of their own; the\nlikeliest character is the answer."
    )
    return Words(
        scoring=scoring if figures(metrics) else _UNSCORED,
        sample_head="A worked example: what it saw, what was wanted, and what it answered:",
        use=f"```sh\npython -m minrnn eval {repo} --corpus {task.name} --json\n```",
        limits=_LETTERS.format(n_chars=len(config.vocab))
        + "- It answers the questions of this one task and writes no text worth reading."
        + _ONE_SEED.format(what="task"),
    )
