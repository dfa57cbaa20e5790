"""The head of the Results tab: the finding, its limits, and a card for each model. Data -> HTML, every word escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from minrnn import checkpoint, results
from minrnn.config import ModelConfig
from minrnn.errors import CheckpointError
from minrnn.presets import ALLPLAYS
from minrnn.results import PARTS, Result, tables, together, verdicts, weights
from minrnn.results.finding import characters, finding, listed, order
from minrnn.ui.theme import color

PART_NAMES = {"mixer": "mixer", "mlp": "MLP", "embedding": "embedding", "head": "head"}
"""Where the weights sit, in the order of the bar: what differs between the models comes first."""
assert set(PART_NAMES) == set(PARTS)

IN_TABLE = ("base", ALLPLAYS)
"""The presets whose models the table of budgets compares: above their cards stands what it says."""

RISE = 0.05
"""How far a live estimate must rise before the page says so, in nats: less can be chance."""

MEASURED = (
    "Loss is in nats per character on the last tenth of tiny Shakespeare, which no model was trained on; lower is "
    "better. The large figure reads that text in windows, each from an empty state. Carried means that the state is "
    "kept from window to window."
)
CHOSEN = (
    "Every figure is one run with one seed. Recipes were compared on this text. The moment within a run was not "
    "chosen on it: a checkpoint is the last moving average of its run."
)


def summary(own: Sequence[Result]) -> str:
    """The finding and the cards of one preset.

    Args:
        own: its bundled checkpoints, in the order they are shown.
    """
    reached = weights.stored()
    said = finding(own, reached.spread)
    in_table = bool(said) and own[0].preset in IN_TABLE
    head, below = (
        (verdicts.headline(reached), [f"The weights here: {_inner(said)}"]) if in_table else (said, [])
    )
    cards = "".join(card(result) for result in own)
    first = "".join(f"<p class='but'>{escape(text)}</p>" for text in (*below, *_risen(own)))
    items = "".join(f"<li>{escape(text)}</li>" for text in limits(own, reached.spread))
    return (
        f"<h2 class='finding'>{escape(head)}</h2>{first}<div class='cards'>{cards}</div>"
        f"<ul class='limits'>{items}</ul>"
    )


def limits(own: Sequence[Result], spread: float) -> list[str]:
    """How the figures were taken, and what they do not say, each a paragraph.

    Args:
        own: the checkpoints of one preset.
        spread: how far one model's loss moves with the seed.
    """
    return [
        text for text in (order(own, spread), _convolutions(own), _together(own), MEASURED, CHOSEN) if text
    ]


def _together(own: Sequence[Result]) -> str:
    """What the models reach together; empty where their preset was not measured so."""
    one = together.stored().get(own[0].preset) if own else None
    return together.sentence(one, own) if one and set(one.weights) == {r.model for r in own} else ""


def card(result: Result) -> str:
    """One model: its losses, its weights, what its training took, and the command behind a click."""
    name = escape(result.title)
    facts = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in _facts(result).items())
    return (
        f"<article class='model' style='--hue: {color(result.model)}' aria-label='{escape(result.title)}'>"
        f"<h3>{name}</h3>"
        f"<p class='loss'><b>{result.loss:.3f}</b> nats per character</p>"
        f"<p class='also'><span>carried <b>{result.val_loss_streaming:.3f}</b></span> "
        f"<span><b>{result.bits_per_char:.3f}</b> bits a character</span></p>"
        f"{_weights(result)}<dl>{facts}</dl>"
        f"<details><summary>Command</summary><pre tabindex='0'>{escape(result.command)}</pre></details></article>"
    )


def machine(device: str) -> str:
    """A machine's name with its threads in the right number."""
    return device.replace("1 thread(s)", "1 thread").replace("thread(s)", "threads")


def _inner(sentence: str) -> str:
    """A sentence that follows a colon; a model's name keeps its letters."""
    return sentence.replace("The best", "the best", 1)


def _count(number: int) -> str:
    """A number of weights that does not break over a line."""
    return f"{number / 1000:,.0f}\N{NO-BREAK SPACE}k" if number >= 1000 else f"{number}"


def _facts(result: Result) -> dict[str, str]:
    """What a card lists, by name."""
    facts = {"Text": result.text} if result.text else {}
    facts |= {
        "Read": f"{characters(result.tokens_seen)} characters",
        "Training": tables.duration(result.seconds),
        "Machine": machine(result.device),
    }
    if result.train_loss is not None:
        facts["Train loss"] = f"{result.train_loss:.3f}"
    config = _config(result)
    if config is None:
        return facts
    conv = f"over {config.conv_kernel} characters" if config.conv_kernel else "none"
    return facts | {"Convolution": conv, "Dropout": f"{config.dropout:g}" if config.dropout else "none"}


def _weights(result: Result) -> str:
    """Where the weights sit: a bar and its numbers."""
    held = {part: count for part in PART_NAMES if (count := result.params[part])}
    spans = "".join(f"<i class='{part}' style='flex-grow: {count}'></i>" for part, count in held.items())
    parts = " · ".join(f"{PART_NAMES[part]} {_count(count)}" for part, count in held.items())
    return (
        f"<p class='size'><b>{tables.params(result.n_params)}</b> parameters</p>"
        f"<div class='bar' aria-hidden='true'>{spans}</div><p class='parts'>{parts}</p>"
    )


def _risen(own: Sequence[Result]) -> list[str]:
    """Which models were better before their end, by their live estimates: their last figure is not their best."""
    curves = [(r, results.curve(r.folder)) for r in own]
    lowest = [
        (r, c.val_loss[-1], *min(zip(c.val_loss, c.tokens, strict=True))) for r, c in curves if c.val_loss
    ]
    return [
        f"{r.title} was better before its end: its live estimate rose from {loss:.3f} after {characters(tokens)} "
        f"characters to {last:.3f}."
        for r, last, loss, tokens in lowest
        if last - loss > RISE
    ]


def _convolutions(own: Sequence[Result]) -> str:
    """Which models have a convolution and which have none; empty where none has."""
    configs = [(r.title, config) for r in own if (config := _config(r))]
    having = [name for name, config in configs if config.conv_kernel]
    plain = [name for name, config in configs if not config.conv_kernel]
    if not having:
        return ""
    if not plain:
        return "Every model has a short convolution in each layer, which the paper gives minGRU and minLSTM alone."
    return (
        f"{listed(having)} {_verb(having)} a short convolution in each layer, as in the paper; "
        f"{listed(plain)} {_verb(plain)} none."
    )


def _verb(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _config(result: Result) -> ModelConfig | None:
    """The shape of a checkpoint; None where it cannot be read, for its figures stand without it."""
    try:
        return checkpoint.read_config(str(result.folder)) if result.folder.is_dir() else None
    except CheckpointError:
        return None
