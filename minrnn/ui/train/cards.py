"""What a run's card says and offers, as plain data for the page's script; figures of a run for the API."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from minrnn import settings
from minrnn.errors import MinrnnError
from minrnn.models import mixer_class
from minrnn.runs.events import History
from minrnn.runs.listing import Listing, Run
from minrnn.runs.spec import command
from minrnn.ui.components import bytes_text
from minrnn.ui.theme import color, dash
from minrnn.ui.train.charts import Curve, Look

MAX_LABEL_CHARS = 13
REPEAT_DASH = "5px,3px"
LABELS = {
    "stop": "Stop", "remove": "Remove from the queue", "go_on": "Go on", "retry": "Try again",
    "further": "Train further", "use": "Use in Compare", "download": "Download", "rename": "Rename",
    "delete": "Delete",
}  # fmt: skip
"""What can be done with a run, and what its button says."""


@dataclass(frozen=True)
class Shown:
    """A run with what a page shows of it.

    Attributes:
        run: as its folder tells it.
        history: what it has reported.
        look: how it is drawn.
        label: its name at the end of its line.
    """

    run: Run
    history: History
    look: Look
    label: str = ""


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


def shown(listing: Listing, runs: Sequence[Run]) -> list[Shown]:
    """Runs with their looks, in the order given. The oldest run of a model has the model's own look."""
    seen: dict[str, int] = {}
    looks: dict[str, tuple[Look, str]] = {}
    for run in sorted(runs, key=lambda run: (run.asked, -run.order)):
        model = run.spec.model.mixer
        count = seen[model] = seen.get(model, 0) + 1
        look = Look(color(model), dash(model)) if count == 1 else Look(color(model), REPEAT_DASH, True)
        looks[run.name] = look, _label(run, count)
    return [Shown(run, listing.history(run), *looks[run.name]) for run in runs]


def _label(run: Run, count: int) -> str:
    """The model's title and a number, or the name that the visitor gave the run."""
    model = mixer_class(run.spec.model.mixer).title
    if run.title.startswith(f"{model} "):
        return model if count == 1 else f"{model} {count}"
    return run.title if len(run.title) <= MAX_LABEL_CHARS else run.title[: MAX_LABEL_CHARS - 1] + "…"


def curve(item: Shown) -> Curve:
    """The run as the chart draws it."""
    return Curve(item.run.name, item.run.title, item.label, item.look, item.history)


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
    """Exactly what can be done with a run now, the likeliest first.

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
        found += ["use", "download"]
    if run.status == "finished" and not shared:
        found.append("further")
    return [*found, "rename"] + ([] if run.active else ["delete"])


def _command(run: Run) -> str:
    """The same on the command line; nothing for a run of a preset that is no more."""
    shared = settings.training_mode() == "limited"  # the visitor has another machine
    with contextlib.suppress(MinrnnError):
        return command(run.spec, f"runs/{run.name}" if shared else run.path)
    return ""


def phase(item: Shown) -> str:
    """A run's status, and what a running one is at."""
    if item.run.status != "running":
        return item.run.status
    if item.run.stopping:
        return "stopping"
    if not item.history.iters:
        return "starting"
    return "scoring" if progress(item) >= 1 else "training"


def progress(item: Shown) -> float:
    """The share of the budget that is spent: of iters or of seconds, whichever is further."""
    if item.run.status == "finished":
        return 1.0
    if not item.history.iters:
        return 0.0
    last, recipe = item.history.iters[-1], item.run.spec.train
    shares = [
        last.iter / recipe.max_iters if recipe.max_iters else 0.0,
        last.seconds / recipe.max_seconds if recipe.max_seconds else 0.0,
    ]
    return min(1.0, max(shares))


def seconds_left(item: Shown) -> float | None:
    """Seconds of training until the budget is spent, at the pace so far; None if that is not known."""
    done = progress(item)
    if not item.run.active or not 0 < done < 1:
        return None
    return item.history.iters[-1].seconds * (1 - done) / done


def figures(item: Shown) -> dict[str, float | None]:
    """The numbers of a run: losses in nats per character, None where there is none yet.

    Once the validation split is scored at the end, that is the validation loss; before, it is an estimate.
    """
    history, scores = item.history, item.run.scores
    estimate = history.evals[-1].val_loss if history.evals else None
    val_loss = scores.get("val_loss", estimate)
    return {
        "train_loss": history.smooth[-1] if history.iters else None,
        "val_loss": val_loss,
        "bits_per_char": val_loss / math.log(2) if val_loss is not None else None,
        "chars_per_s": history.chars_per_s if history.iters else None,
        "iter_ms": history.iter_ms if history.iters else None,
        "grad_norm": history.iters[-1].grad_norm if history.iters else None,
        "peak_bytes": history.evals[-1].peak_bytes if history.evals else None,
    }


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
