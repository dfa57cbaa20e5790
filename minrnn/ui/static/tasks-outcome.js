// The prediction, then one row a model: what is stored, what was trained here, and theory's word.
// Rows stay in place while their figures change, so the focus survives.
const root = element.querySelector('.outcome');
const states = {};
let rows = new Map(), parts = {}, drawn = '';
const state = () => states[props.value.task] ||= {guess: new Set(), shown: false, said: ''};
function put(node, text) { if (node.textContent !== text) node.textContent = text; }
function button(parent, className, text, act) {
  const node = make('button', className, parent, text);
  node.type = 'button';
  node.addEventListener('click', act);
  return node;
}
function reveal(said) {
  Object.assign(state(), {shown: true, said});
  trigger('click', {action: 'reveal', task: props.value.task});
  render();
  parts.said.focus();
}
function check() {
  const known = props.value.models.filter(model => model.stored);
  const hits = known.filter(model => model.stored.right === state().guess.has(model.key)).length;
  reveal(known.length ? `You were right about ${hits} of ${known.length}.` : 'No model has a stored result here yet.');
}
function build(value) {
  root.replaceChildren();
  rows = new Map();
  const longest = value.factors[value.factors.length - 1];
  parts = {};
  const ask = make('section', 'ask', root);
  make('h2', '', ask, `Predict first: who is right at ${longest} the trained length?`);
  const chips = make('div', 'guesses', ask);
  parts.chips = value.models.map(model => {
    const chip = button(chips, 'pill', model.title, () => {
      const guess = state().guess;
      if (!guess.delete(model.key)) guess.add(model.key);
      chip.setAttribute('aria-pressed', guess.has(model.key));
    });
    chip.setAttribute('aria-pressed', state().guess.has(model.key));
    return chip;
  });
  parts.check = button(chips, 'pill strong', 'Check', check);
  parts.skip = button(chips, 'text', 'Show me', () => reveal(''));
  parts.said = make('p', 'said', root);
  parts.said.tabIndex = -1;
  parts.said.setAttribute('role', 'status');
  const table = make('table', '', root);
  make('caption', 'hidden-text', table, 'Accuracy of each model by the length of a text');
  const head = make('tr', '', make('thead', '', table));
  for (const name of ['Model', 'In theory', 'Stored', 'Here']) {
    const cell = make('th', name.toLowerCase().replace(' ', '-'), head);
    cell.scope = 'col';
    make('span', '', cell, name);
    if (name === 'Stored' || name === 'Here') {
      const scale = make('span', 'scale', cell);
      value.factors.forEach((factor, at) => { make('i', '', scale, factor).title = value.lengths[at] + ' characters'; });
    }
  }
  parts.body = make('tbody', '', table);
  for (const model of value.models) rows.set(model.key, row(model));
  parts.rule = make('p', 'note', root);
  parts.words = make('ul', 'words', root);
  parts.made = make('p', 'note', root);
}
function row(model) {
  const node = make('tr', '', parts.body);
  node.style.setProperty('--hue', model.color);
  const head = make('th', '', node, model.title);
  head.scope = 'row';
  if (model.params) make('small', '', head, model.params);
  const found = {theory: make('td', 'theory', node)};
  for (const name of ['stored', 'here']) {
    const cell = make('td', name, node);
    make('span', 'of', cell, name);
    found[name] = {strip: make('div', 'strip', cell), verdict: make('span', 'verdict', cell)};
    if (name === 'here') {
      found.here.see = button(cell, 'text', 'See it answer', () => trigger('click', {action: 'answer', task: props.value.task, model: model.key, seed: randomSeed()}));
      found.here.see.setAttribute('aria-label', 'See it answer: ' + model.title);
    }
  }
  return found;
}
function strip(node, cells, filler, label) {
  const now = JSON.stringify([cells, filler, label]);
  if (node.dataset.now === now) return;
  node.dataset.now = now;
  node.replaceChildren();
  node.classList.toggle('empty', !cells);
  if (!cells) {
    for (const _ of props.value.factors) make('i', '', node, filler);
    node.setAttribute('role', 'img');
    node.setAttribute('aria-label', label);
    return;
  }
  node.removeAttribute('role');
  node.removeAttribute('aria-label');
  for (const cell of cells) {
    const box = make('i', cell.right ? 'right' : cell.right === null ? 'unscored' : '', node, cell.text);
    box.title = cell.note;
    const colors = {'--paper': cell.light[0], '--ink': cell.light[1], '--paper-dark': cell.dark[0], '--ink-dark': cell.dark[1]};
    for (const [name, color] of Object.entries(colors)) box.style.setProperty(name, color);
  }
}
function showStored(found, model, shown) {
  if (!model.stored) {
    strip(found.strip, null, '', 'not run');
    put(found.verdict, 'not run');
  } else if (!shown) {
    strip(found.strip, null, '?', 'hidden until you predict');
    put(found.verdict, 'hidden until you predict');
  } else {
    strip(found.strip, model.stored.cells, '', '');
    put(found.verdict, model.stored.verdict);
  }
}
function showOwn(found, see, own, shown) {
  const scored = own && own.cells.length;
  strip(found.strip, scored ? own.cells : null, '', own ? own.phase : 'not trained yet');
  const words = !own ? '' : scored ? own.verdict + (shown ? own.against : '') :
    [own.phase, own.verdict, own.problem].filter(Boolean).join(', ');
  put(found.verdict, words || 'not trained yet');
  see.hidden = !(own && own.can_answer);
}
function render() {
  const value = props.value;
  if (!value || !value.models) return;
  if (drawn !== value.task) { build(value); drawn = value.task; }
  const {shown, said} = state();
  root.classList.toggle('untrained', !value.models.some(model => model.own));
  for (const node of [...parts.chips, parts.check, parts.skip]) node.disabled = shown;
  put(parts.said, said);
  for (const model of value.models) {
    const found = rows.get(model.key);
    put(found.theory, model.says);
    showStored(found.stored, model, shown);
    showOwn(found.here, found.here.see, model.own, shown);
  }
  put(parts.rule, `Guessing gives ${value.guessing}. ${value.rule} ${value.equal}`);
  put(parts.made, value.made);
  const lines = [...(shown ? value.stored_words : []), ...value.own_words];
  if (parts.words.dataset.now !== lines.join()) {
    parts.words.dataset.now = lines.join();
    parts.words.replaceChildren();
    for (const line of lines) make('li', '', parts.words, line);
  }
}
watch('value', render);
render();
