"""The loss table, ours and the published figures, and their sources: data -> HTML, every word escaped.

On a narrow page the style sheet turns every row into a block, so the roles of a table are written out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from minrnn.results import Published, Result, tables
from minrnn.results.finding import characters
from minrnn.ui.results.summary import machine

COLUMNS = ("model", "windows", "carried", "bits/char", "train loss", "parameters", "read", "trained for")
GROUPS = {"paper": "The paper", "nanoGPT": "nanoGPT, as published", "replication": "The replication"}


def table(own: Sequence[Result], known: Sequence[Published]) -> str:
    """All figures as one HTML table.

    Args:
        own: the bundled checkpoints.
        known: the published figures; a number beside each leads to its source in `sources`.
    """
    head = "".join(f"<th scope='col' role='columnheader'>{name}</th>" for name in COLUMNS)
    body = [
        _section(_heading(preset, own), [_own_row(r) for r in own if r.preset == preset])
        for preset in dict.fromkeys(r.preset for r in own)
    ]
    notes = _notes(known)
    for group in dict.fromkeys(p.group for p in known):
        rows = [_published_row(p, notes.index(_note(p)) + 1) for p in known if p.group == group]
        body.append(_section(GROUPS.get(group, group), rows))
    return (
        "<table role='table' aria-label='Losses of every model'>"
        f"<thead role='rowgroup'><tr role='row'>{head}</tr></thead>{''.join(body)}</table>"
    )


def sources(known: Sequence[Published]) -> str:
    """Where each published figure stands, and what differs from ours, as a numbered list."""
    items = []
    for note in _notes(known):
        entries = [p for p in known if _note(p) == note]
        figures = ", ".join(f"{escape(p.system)} <b>{p.loss:g}</b>" for p in entries)
        items.append(f"<li><span>{figures}</span> {note}</li>")
    return f"<ol class='sources'>{''.join(items)}</ol>"


def _section(name: str, rows: Sequence[str]) -> str:
    heading = (
        f"<tr role='row'><th class='group' scope='rowgroup' role='rowheader' colspan='{len(COLUMNS)}'>"
        f"{escape(name)}</th></tr>"
    )
    return f"<tbody role='rowgroup'>{heading}{''.join(rows)}</tbody>"


def _heading(preset: str, own: Sequence[Result]) -> str:
    """A preset's name and what its models were trained on."""
    texts = dict.fromkeys(r.text for r in own if r.preset == preset and r.text)
    return f"Ours, {preset}" + f", trained on {'; '.join(texts)}" * bool(texts)


def _own_row(r: Result) -> str:
    cells = [
        _val_loss(r),
        tables.loss(r.val_loss_streaming),
        "" if r.bits_per_char is None else f"{r.bits_per_char:.3f}",
        tables.loss(r.train_loss),
        tables.params(r.n_params),
        characters(r.tokens_seen),
        f"{tables.duration(r.seconds)}, {escape(machine(r.device))}",
    ]
    return _row(escape(r.title), cells)


def _val_loss(r: Result) -> str:
    """The validation loss, and what it was taken over where that is not the whole split."""
    if r.val_loss is None:
        return "not scored"
    return f"<b>{tables.loss(r.val_loss)}</b>" + " (of a sample)" * (r.val_loss_streaming is None)


def _published_row(p: Published, note: int) -> str:
    loss, on_val = f"{p.loss:g}", p.split == "val"
    bits = f"{p.loss / math.log(2):.3f}" if on_val else ""
    size = f"{tables.params(p.params)}<small>{escape(p.size)}</small>"
    cells = [f"<b>{loss}</b>" * on_val, "", bits, f"<b>{loss}</b>" * (not on_val), size, "", escape(p.cost)]
    return _row(f"{escape(p.system)} <sup>{note}</sup>", cells)


def _row(name: str, cells: Sequence[str]) -> str:
    """A row of cells that are HTML already; an empty one is marked, so that a narrow page can leave it out."""
    filled = "".join(
        f"<td role='cell' data-label='{column}'{'' if cell else ' class=empty'}>{cell}</td>"
        for column, cell in zip(COLUMNS[1:], cells, strict=True)
    )
    return f"<tr role='row'><th scope='row' role='rowheader'>{name}</th>{filled}</tr>"


def _notes(known: Sequence[Published]) -> list[str]:
    return list(dict.fromkeys(_note(p) for p in known))


def _note(p: Published) -> str:
    """Source and note, as HTML."""
    source = f"<a href='{escape(p.url)}'>{escape(p.source)}</a>" if p.url else escape(p.source)
    return f"{source}: {escape(p.note)}."
