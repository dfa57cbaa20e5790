const root = element.querySelector('.samples');
function draw(run) {
  const card = make('section', 'sample-run', document.createDocumentFragment());
  card.style.setProperty('--hue', run.color);
  card.dataset.run = run.run;
  make('h3', '', card, run.title);
  const list = make('div', 'list', card);
  list.tabIndex = 0;
  list.setAttribute('role', 'group');
  list.setAttribute('aria-label', 'Samples of ' + run.title + ', the newest first');
  for (const sample of run.samples) {
    make('p', 'at', list, sample.iter);
    make('pre', '', list, sample.text);
  }
  return card;
}
function render() {
  const value = (Array.isArray(props.value) ? props.value : []).filter(run => run.samples.length);
  const scrolled = new Map([...root.children].map(card => [card.dataset.run, card.querySelector('.list').scrollTop]));
  const read = [...root.children].find(card => card.contains(document.activeElement))?.dataset.run;
  root.replaceChildren(...value.map(draw));
  for (const card of root.children) {
    const list = card.querySelector('.list');
    list.scrollTop = scrolled.get(card.dataset.run) || 0;
    if (card.dataset.run === read) list.focus({preventScroll: true});
  }
  element.querySelector('.heading').hidden = !value.length;
}
watch('value', render);
render();
