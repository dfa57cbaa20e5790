"""The components that draw runs and samples. Titles and samples enter the page as textContent only."""

from __future__ import annotations

import gradio as gr


def table() -> gr.HTML:
    """The component that draws a list of rows."""
    return gr.HTML(
        value=[], html_template='<div class="runs"></div>', css_template=_TABLE_CSS, js_on_load=_TABLE_JS,
        apply_default_css=False, elem_id="train-table",
    )  # fmt: skip


def samples_panel(render: bool = True) -> gr.HTML:
    """The component that draws a list of what runs have written."""
    return gr.HTML(
        value=[], html_template='<div class="tales"></div>', css_template=_SAMPLES_CSS, js_on_load=_SAMPLES_JS,
        apply_default_css=False, elem_id="train-samples", render=render,
    )  # fmt: skip


_MAKE = """
function make(tag, className, parent, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}
"""
_TABLE_JS = (
    _MAKE
    + """
const root = element.querySelector('.runs');
function draw(run) {
  const card = make('section', 'run', document.createDocumentFragment());
  card.style.setProperty('--hue', run.color);
  card.dataset.status = run.status;
  const head = make('header', '', card);
  make('h2', '', head, run.title);
  make('span', 'phase', head, run.status);
  make('span', 'spent', head, run.spent);
  const bar = make('div', 'bar', card);
  bar.setAttribute('role', 'progressbar');
  bar.setAttribute('aria-label', run.title);
  bar.setAttribute('aria-valuenow', Math.round(100 * run.done));
  make('div', 'fill', bar).style.width = (100 * run.done).toFixed(1) + '%';
  if (run.problem) make('p', 'problem', card, run.problem);
  const list = make('dl', '', card);
  for (const cell of run.cells) {
    const pair = make('div', '', list);
    make('dt', '', pair, cell.label);
    make('dd', '', pair, cell.text);
    if (cell.more) make('dd', 'more', pair, cell.more);
  }
  return card;
}
function render() {
  root.replaceChildren(...(Array.isArray(props.value) ? props.value : []).map(draw));
}
watch('value', render);
render();
"""
)
_TABLE_CSS = """
.runs { display: grid; gap: 10px; }
.run { border: 1px solid var(--border-color-primary); border-left: 4px solid var(--hue);
  border-radius: var(--radius-lg); background: var(--background-fill-primary); padding: 10px 14px; min-width: 0; }
.run header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; }
.run h2 { font-size: 1rem; font-weight: 650; margin: 0; overflow-wrap: anywhere; }
.phase { font-size: .82rem; font-weight: 600; color: var(--body-text-color-subdued); }
.run[data-status="training"] .phase { color: var(--body-text-color); }
.spent { margin-left: auto; font-size: .85rem; color: var(--body-text-color-subdued);
  font-variant-numeric: tabular-nums; }
.bar { height: 6px; border-radius: 3px; background: var(--border-color-primary); margin: 6px 0 8px; overflow: hidden; }
.fill { height: 100%; background: var(--hue); transition: width .3s; }
.problem { margin: 0 0 8px; font-size: .88rem; color: var(--error-text-color, #b91c1c); overflow-wrap: anywhere; }
.run dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: 6px 12px; margin: 0; }
.run dl div:first-child { grid-column: span 2; }
.run dt { font-size: .74rem; color: var(--body-text-color-subdued); }
.run dd { margin: 0; font-variant-numeric: tabular-nums; font-weight: 600; font-size: .95rem; }
.run dd.more { font-size: .72rem; font-weight: 400; color: var(--body-text-color-subdued); line-height: 1.3; }
@media (prefers-reduced-motion: reduce) { .fill { transition: none; } }
"""
_SAMPLES_JS = (
    _MAKE
    + """
const root = element.querySelector('.tales');
function draw(run) {
  const card = make('section', 'tale', document.createDocumentFragment());
  card.style.setProperty('--hue', run.color);
  make('h2', '', card, run.title);
  const list = make('div', 'list', card);
  list.tabIndex = 0;
  list.setAttribute('role', 'group');
  list.setAttribute('aria-label', 'Samples of ' + run.title);
  for (const sample of run.samples) {
    make('p', 'at', list, sample.iter);
    make('pre', '', list, sample.text);
  }
  return card;
}
function render() {
  const value = Array.isArray(props.value) ? props.value : [];
  root.replaceChildren(...value.filter(run => run.samples.length).map(draw));
}
watch('value', render);
render();
"""
)
_SAMPLES_CSS = """
.tales { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(270px, 100%), 1fr)); gap: 12px; }
.tale { border: 1px solid var(--border-color-primary); border-top: 4px solid var(--hue); min-width: 0;
  border-radius: var(--radius-lg); background: var(--background-fill-primary); padding: 10px 14px; }
.tale h2 { font-size: 1rem; font-weight: 650; margin: 0 0 4px; overflow-wrap: anywhere; }
.list { max-height: 20rem; overflow-y: auto; }
.at { margin: 8px 0 2px; font-size: .76rem; color: var(--body-text-color-subdued); }
.tale pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-family: inherit; font-size: .9rem;
  line-height: 1.45; background: none; border: 0; padding: 0; color: var(--body-text-color); }
"""
