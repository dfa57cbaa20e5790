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
