const root = element.querySelector('.samples');
function draw(run) {
  const card = make('section', 'sample-run', document.createDocumentFragment());
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
