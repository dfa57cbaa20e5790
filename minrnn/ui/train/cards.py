"""What a run's card says and offers, as plain data for the page's script."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from dataclasses import dataclass, field

from minrnn import settings
from minrnn.errors import MinrnnError
from minrnn.runs.listing import Run
from minrnn.runs.spec import command
from minrnn.tasks import TASKS, share_text
from minrnn.ui.components import bytes_text
from minrnn.ui.train.looks import Shown, accuracy_by_length, figures, phase, progress, seconds_left

LABELS = {
    "stop": "Stop", "remove": "Remove from the queue", "go_on": "Go on", "retry": "Try again",
    "further": "Train further", "use": "Use in Compare", "download": "Download", "rename": "Rename",
    "delete": "Delete",
}  # fmt: skip
"""What can be done with a run, and what its button says."""


@dataclass(frozen=True)
class Fact:
    """A figure on a card: "1.88" of "loss"."""

    text: str
    label: str


@dataclass(frozen=True)
class Card:
    """What the page's script draws for a run. Titles, problems and all the rest are plain text.

    Attributes:
        run: its name; empty for the stored example.
        title: its title.
        color: of its edge and its bar.
        dash: of its line in the chart.
        repeat: whether its line is a lighter one.
        drawn: whether its line is in the chart.
        phase: what it is at, in a word.
        problem: why it failed, and what to do.
        done: the share of the budget that is spent, between 0 and 1.
        facts: what stands under the bar.
        details: what one more click shows.
        command: the same on the command line.
        actions: names of `LABELS`: exactly what can be done now.
        iters: updates made so far, a first answer to "how many more?".
    """

    run: str
    title: str
    color: str
    dash: str
    repeat: bool
    drawn: bool
    phase: str
    problem: str = ""
    done: float = 0.0
    facts: list[Fact] = field(default_factory=list)
    details: list[Fact] = field(default_factory=list)
    command: str = ""
    actions: list[str] = field(default_factory=list)
    iters: int = 0


def card(item: Shown, drawn: bool, free: bool) -> Card:
    """The run's card.

    Args:
        item: the run.
        drawn: whether its line is in the chart.
        free: whether none of the visitor's runs is active.
    """
    return Card(
        run=item.run.name, title=item.run.title, color=item.look.color, dash=item.look.dash,
        repeat=item.look.repeat, drawn=drawn, phase=phase(item), problem=item.run.problem, done=progress(item),
        facts=_facts(item), details=details(item), command=_command(item.run),
        actions=actions(item.run, free), iters=item.history.iters[-1].iter if item.history.iters else 0,
    )  # fmt: skip


def as_data(card: Card) -> dict[str, object]:
    """A card as JSON takes it, each action with its label."""
    named = [{"name": name, "label": LABELS[name]} for name in card.actions]
    return {**dataclasses.asdict(card), "actions": named}


def actions(run: Run, free: bool) -> list[str]:
    """Exactly what can be done with a run now, the likeliest first. A model that learned a task has nothing to write.

    Args:
        run: the run.
        free: whether none of the visitor's runs is active; a shared machine takes one job a visitor.
    """
    shared = settings.training_mode() == "limited"
    found = []
    if run.status == "running" and not run.stopping:
        found.append("stop")
    if run.status == "waiting":
        found.append("remove")
    if run.status in ("stopped", "failed", "killed") and (free or not shared):
        found.append("go_on" if run.begun else "retry")
    if run.begun:
        found += ["download"] if run.spec.corpus in TASKS else ["use", "download"]
    if run.status == "finished" and not shared:
        found.append("further")
    return [*found, "rename"] + ([] if run.active else ["delete"])


def _command(run: Run) -> str:
    """The same on the command line; nothing for a run of a preset that is no more."""
    shared = settings.training_mode() == "limited"  # the visitor has another machine
    with contextlib.suppress(MinrnnError):
        return command(run.spec, f"runs/{run.name}" if shared else run.path)
    return ""


def duration(seconds: float) -> str:
    """A time for people: 8 s, 3 min 20 s, 2 h 05 min."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02d} min"


def _facts(item: Shown) -> list[Fact]:
    """Loss, pace, and the time left or taken."""
    numbers, history = figures(item), item.history
    found = [
        _fact(numbers["val_loss"], ".2f", "loss"),
        _share(numbers["accuracy"], "accuracy"),
        _fact(numbers["chars_per_s"], ",.0f", "characters/s"),
    ]
    if (left := seconds_left(item)) is not None:
        found.append(Fact(duration(left), "left"))
    elif history.iters:
        found.append(Fact(duration(history.iters[-1].seconds), "of training"))
    return [fact for fact in found if fact]


def details(item: Shown) -> list[Fact]:
    """Everything else that is known of a run."""
    numbers, history = figures(item), item.history
    whole = "val_loss" in item.run.scores
    found = [
        _fact(history.iters[-1].iter if history.iters else None, ",.0f", _of_iters(item)),
        _fact(numbers["train_loss"], ".3f", "training loss"),
        _fact(numbers["val_loss"], ".3f", "validation loss, " + ("at the end" if whole else "estimate")),
        _fact(numbers["bits_per_char"], ".3f", "bits a character"),
        *(
            _share(share, f"accuracy at {T:,} characters")
            for T, share in accuracy_by_length(item.run).items()
        ),
        _fact(numbers["iter_ms"], ",.1f", "ms an iter"),
        _fact(numbers["grad_norm"], ".3f", "gradient norm"),
        Fact(bytes_text(int(numbers["peak_bytes"])), "peak memory") if numbers["peak_bytes"] else None,
        _params(item.run.params),
        Fact(*_device(item.run.compute)) if item.run.compute else None,
        Fact(item.run.name, "folder"),
    ]
    return [fact for fact in found if fact]


def _of_iters(item: Shown) -> str:
    budget = item.run.spec.train.max_iters
    return f"of {budget:,} iters" if budget else "iters"


def _fact(value: float | None, form: str, label: str) -> Fact | None:
    """A figure; None where it is not known."""
    return Fact(format(value, form), label) if value is not None and math.isfinite(value) else None


def _share(value: float | None, label: str) -> Fact | None:
    """An accuracy; None where it is not known."""
    return Fact(share_text(value), label) if value is not None else None


def _params(counts: dict[str, int]) -> Fact | None:
    """The total, and where the weights sit."""
    if not counts:
        return None
    parts = ", ".join(f"{part} {_count(n)}" for part, n in counts.items() if n)
    return Fact(_count(sum(counts.values())), f"parameters: {parts}")


def _count(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.1f} k"


def _device(reason: str) -> tuple[str, str]:
    """Device and dtype out of the sentence that says why, and the sentence: `cpu: as asked; float32: as asked`."""
    names = [part.split(":")[0].strip() for part in reason.split(";") if part.strip()]
    return " ".join(names), reason
