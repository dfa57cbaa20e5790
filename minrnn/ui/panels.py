"""The panels in which models write: one `gr.HTML` whose value is a list, so a further model costs nothing.

Text enters the page as textContent only, and only what is new is appended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from minrnn.library import Entry
from minrnn.ui.race import Lane, Snapshot, folded_for
from minrnn.ui.style import color

Panel = dict[str, Any]
"""What the page's script knows of one panel; every value a string."""

FINISH = {None: "", "length": "done", "stopped": "stopped", "deadline": "out of time"}


def panels(value: Sequence[Panel]) -> gr.HTML:
    """The component."""
    return gr.HTML(
        value=list(value),
        html_template='<div class="panels"></div>',
        css_template=_CSS,
        js_on_load=_JS,
        apply_default_css=False,
        elem_id="panels",
    )


def saved(entries: Sequence[Entry]) -> list[Panel]:
    """Before the first click: what each model wrote when it was trained."""
    return [_saved(entry, place) for place, entry in enumerate(entries)]


def written(entries: Sequence[Entry], prompt: str, snapshot: Snapshot) -> list[Panel]:
    """The panels at one moment of a generation."""
    return [
        _panel(entry, place, folded_for(entry.model, prompt).text, snapshot[entry.key])
        for place, entry in enumerate(entries)
    ]


def bytes_text(count: int) -> str:
    """A size for people: 512 B, 24.6 kB, 2.9 MB."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _saved(entry: Entry, place: int) -> Panel:
    sample = entry.checkpoint.metrics.get("sample") or {}
    panel = _panel(entry, place, str(sample.get("prompt", "")), Lane(text=str(sample.get("text", ""))))
    return {
        **panel,
        "status": "sample from its training" if panel["text"] else "",
        "rate": "",
        "first": "",
        "state": "",
    }


def _panel(entry: Entry, place: int, prompt: str, lane: Lane) -> Panel:
    return {
        "key": entry.key,
        "title": entry.title,
        "color": color(entry.key, place),
        "about": _about(entry),
        "origin": entry.origin,
        "prompt": prompt,
        "text": lane.text,
        "rate": f"{lane.tokens_per_s:,.0f}" if lane.tokens_per_s else "–",
        "first": f"{lane.ttft_s * 1000:,.0f} ms" if lane.ttft_s else "–",
        "state": bytes_text(lane.state_bytes) if lane.state_bytes else "–",
        "status": FINISH[lane.finish_reason] or "writing",
    }


def _about(entry: Entry) -> str:
    loss = entry.checkpoint.metrics.get("val_loss")
    size = f"{entry.model.n_params / 1e6:.2f} M parameters"
    return f"{size} · loss {loss:.3f}" if isinstance(loss, float) else size


_JS = """
const root = element.querySelector('.panels');
const cards = new Map();
const FIGURES = [['rate', 'characters/s'], ['first', 'to first'], ['state', 'state']];

function make(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.append(node);
  return node;
}
function card(key) {
  const node = document.createElement('article');
  node.className = 'panel';
  const parts = {node};
  const head = make('header', '', node);
  parts.title = make('h2', '', head);
  parts.status = make('span', 'status', head);
  parts.about = make('p', 'about', node);
  parts.scroll = make('div', 'text', node);
  parts.scroll.tabIndex = 0;
  parts.prompt = make('span', 'prompt', parts.scroll);
  parts.text = make('span', 'new', parts.scroll);
  const list = make('dl', '', node);
  for (const [name, label] of FIGURES) {
    const cell = make('div', '', list);
    make('dt', '', cell).textContent = label;
    parts[name] = make('dd', '', cell);
  }
  parts.origin = make('p', 'origin', node);
  return parts;
}
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function append(node, text) {
  const old = node.textContent;
  if (old && text.startsWith(old)) node.firstChild.appendData(text.slice(old.length));
  else put(node, text);
}
function show(panel) {
  if (!cards.has(panel.key)) cards.set(panel.key, card(panel.key));
  const parts = cards.get(panel.key);
  parts.node.style.setProperty('--hue', panel.color);
  parts.node.dataset.status = panel.status;
  parts.scroll.setAttribute('aria-label', panel.title + ' writes');
  for (const name of ['title', 'about', 'origin', 'status', 'prompt', 'rate', 'first', 'state'])
    put(parts[name], panel[name]);
  parts.node.querySelector('dl').hidden = !panel.rate;
  append(parts.text, panel.text);
  if (panel.status === 'writing') parts.scroll.scrollTop = parts.scroll.scrollHeight;
}
function order(keys) {
  const now = [...root.children];
  const wanted = keys.map(key => cards.get(key).node);
  if (now.length !== wanted.length || now.some((node, i) => node !== wanted[i])) root.replaceChildren(...wanted);
}
function render() {
  const list = Array.isArray(props.value) ? props.value : [];
  list.forEach(show);
  order(list.map(panel => panel.key));
}
watch('value', render);
render();
"""
_CSS = """
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(270px, 100%), 1fr)); gap: 12px; }
.panel { border: 1px solid var(--border-color-primary); border-top: 4px solid var(--hue);
  border-radius: var(--radius-lg); background: var(--background-fill-primary);
  padding: 12px 14px; display: flex; flex-direction: column; min-width: 0; }
.panel header { display: flex; justify-content: space-between; align-items: baseline; gap: 8px; }
.panel h2 { font-size: 1.15rem; font-weight: 650; margin: 0; overflow-wrap: anywhere; }
.panel p { margin: 0; font-size: .82rem; color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
.status { font-size: .78rem; color: var(--body-text-color-subdued); white-space: nowrap; }
.panel[data-status="writing"] .status::after { content: "…"; }
.text { height: 21rem; overflow-y: auto; white-space: pre-wrap; overflow-wrap: anywhere; margin: 8px 0;
  font-size: .92rem; line-height: 1.5; color: var(--body-text-color); border-radius: 4px; }
.text:focus-visible { outline: 3px solid var(--color-accent); outline-offset: 2px; }
.prompt { color: var(--body-text-color-subdued); font-weight: 600; }
.panel dl { display: grid; grid-template-columns: repeat(3, auto); gap: 8px; margin: 0 0 6px; }
.panel dl[hidden] { visibility: hidden; display: grid; }
.panel dt { font-size: .72rem; color: var(--body-text-color-subdued); }
.panel dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; font-size: .95rem; min-height: 1.4em; }
@media (max-width: 640px) { .text { height: 15rem; } }
"""
