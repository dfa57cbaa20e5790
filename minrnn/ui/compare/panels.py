"""The cards in which models write: one `gr.HTML` whose value is data, so a further model costs nothing.

Text enters the page as textContent only, and only what is new is appended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import gradio as gr

from minrnn.checked import SHOWN_CHARS
from minrnn.corpora import CORPORA
from minrnn.library import Entry
from minrnn.models import MODEL_NAMES, Committee, mixer_class
from minrnn.settings import MAX_NEW_TOKENS
from minrnn.side_by_side import Written
from minrnn.ui.compare.writing import Writing
from minrnn.ui.theme import color, static

FINISH = {None: "", "length": "done", "stopped": "stopped", "deadline": "out of time"}


class Card(TypedDict):
    """Data for one card, as the page's script expects it.

    Attributes:
        key: unique among the cards.
        title: the model's name.
        year: when it was published, or where a further model came from; empty where that says nothing.
        family: what theory counts it among, as its mixer says; empty if unknown.
        color: its hue.
        prompt: the prompt in its own characters.
        text: what it has written.
        rate: characters a second; 0 where nobody measured.
        status: "sample", "starting", "learning", "writing", "done", "stopped" or "out of time".
        learnt: what it learnt first, and how long that took; empty where it did not.
        sheet: name and value of everything that is known of the model.
    """

    key: str
    title: str
    year: str
    family: str
    color: str
    prompt: str
    text: str
    rate: float
    status: str
    learnt: str
    sheet: list[tuple[str, str]]


class Cards(TypedDict):
    """The cards at one moment.

    Attributes:
        run: the moment of the click that began this text, in the page's milliseconds; 0 for stored samples.
        cards: in the order they are shown.
        note: what had to be changed in the prompt, which model is not here, or the place in line.
    """

    run: float
    cards: list[Card]
    note: str


def panels(value: Cards) -> gr.HTML:
    """The component."""
    return gr.HTML(
        value=value,
        html_template='<div class="cards"></div><p class="note"></p><p class="live" aria-live="polite"></p>',
        css_template=static("texts.css"),
        js_on_load=static("make.js", "link.js", "texts.js"),
        apply_default_css=False,
        elem_id="texts",
    )


def stored(entries: Sequence[Entry]) -> Cards:
    """Before the first click: what each model wrote when it was trained."""
    return {"run": 0, "cards": [_stored(entry) for entry in entries], "note": ""}


def at_moment(run: float, writing: Writing, snapshot: dict[str, Written]) -> Cards:
    """The cards at one moment of a generation."""
    cards = [_card(entry, writing.prompts[entry.key], snapshot[entry.key]) for entry in writing.entries]
    place = max(text.place for text in snapshot.values())
    return {"run": run, "cards": cards, "note": waiting(place) if place else writing.note}


def waiting(place: int) -> str:
    """What a visitor in line is told."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"You are {place}{ending} in line: more visitors write now than this machine serves at once."


def _stored(entry: Entry) -> Card:
    sample = entry.checkpoint.metrics.get("sample")
    sample = sample if isinstance(sample, dict) else {}
    prompt, text = (str(sample.get(name, ""))[:MAX_NEW_TOKENS] for name in ("prompt", "text"))
    card = _card(entry, prompt, Written(text=text))
    return {**card, "status": "sample"}


def _card(entry: Entry, prompt: str, written: Written) -> Card:
    own = entry.key in MODEL_NAMES
    return {
        "key": entry.key,
        "title": entry.title,
        "year": str(mixer_class(entry.key).year or "") if own else entry.origin,
        "family": "" if entry.committee else mixer_class(entry.checkpoint.model.config.mixer).family,
        "color": color(entry.key),
        "prompt": prompt,
        "text": written.text,
        "rate": round(written.tokens_per_s, 1),
        "status": FINISH[written.finish_reason] or _going(written),
        "learnt": f"learnt the prompt in {written.learn_s:.1f} s" if written.text and written.learn_s else "",
        "sheet": sheet(entry),
    }


def _going(written: Written) -> str:
    """What a model does whose text has no end yet. Its seconds of learning count up until it writes."""
    if written.text:
        return "writing"
    return "learning" if written.learn_s else "starting"


def sheet(entry: Entry) -> list[tuple[str, str]]:
    """What is known of a model, for people: name and value."""
    if isinstance(entry.model, Committee):
        return [
            ("what", "one text, drawn from the mean of all models' probabilities"),
            ("weights", entry.origin),
        ]
    config, metrics = entry.model.config, entry.checkpoint.metrics
    rows = [
        ("equation", mixer_class(config.mixer).equation),
        ("parameters", f"{entry.model.n_params:,}"),
        ("shape", f"{config.n_layer} layers of {config.n_embd}, trained on windows of {config.block_size}"),
        ("convolution", f"over {config.conv_kernel} characters" if config.conv_kernel else "none"),
        ("dropout", f"{config.dropout:g}"),
    ]
    if isinstance(metrics.get("tokens_seen"), int):
        corpus = str(metrics.get("corpus", "a text"))
        text = CORPORA[corpus].title if corpus in CORPORA else corpus[:SHOWN_CHARS]
        rows.append(("characters read", f"{metrics['tokens_seen'] / 1e6:.1f} M of {text}"))
    if isinstance(metrics.get("val_loss"), float):
        rows.append(("validation loss", f"{metrics['val_loss']:.4f} nats a character"))
    return [*rows, ("weights", entry.origin)]
