// What the models remember: how far back they look, how long units keep something, what is left of a character, units that know something.
function memoryView() {
  if (!data.ready) { make('p', 'empty', root, 'The memory of each model is being measured …'); return; }
  const memory = data.page.memory, sentences = data.sentences;
  make('h2', '', root, 'How far back do they look?');
  make('p', 'said', root, sentences.context);
  curve(make('div', '', root), 'Loss against the number of characters that a model may see', keys().map(key => ({
    name: data.names[key].title, color: data.names[key].color, dash: DASH[data.names[key].dash], points: memory[key].context,
  })), {log: true, xTitle: 'characters in sight', yTitle: 'loss, nats a character'});
  const stored = keys().filter(key => data.stored[key]);
  if (stored.length) {
    release('context');
    curve(make('div', '', root), 'Loss on the validation split against characters in sight', stored.map(key => ({
      name: data.names[key].title, color: data.names[key].color, dash: DASH[data.names[key].dash], points: data.stored[key],
    })), {log: true, xTitle: 'characters in sight, validation split', yTitle: 'loss, nats a character'});
  }
  make('h2', '', root, 'How long does a unit remember?');
  make('p', 'said', root, sentences.half_lives);
  release('half_lives');
  halfLives(make('div', '', root), memory);
  make('h2', '', root, 'What is left of each earlier character?');
  if (!state.model || !memory[state.model]) state.model = keys()[0];
  shares(make('div', '', root), memory);
  make('h2', '', root, 'Units that know something');
  make('p', 'said', root, sentences.units);
  release('units');
  unitRows(make('div', '', root), memory);
}
function release(view) {
  const said = data.sentences['stored:' + view];
  if (said) make('p', 'quiet', root, said);
}
function halfLives(parent, memory) {
  const lines = keys().filter(key => memory[key].half_lives.some(layer => layer.length)).map(key => {
    const lives = memory[key].half_lives.flat().map(life => life === null ? 1e4 : life).sort((a, b) => a - b);
    const step = Math.max(1, Math.floor(lives.length / 120));
    const points = lives.filter((_, i) => i % step === 0 || i === lives.length - 1).map((life, i, kept) => [Math.max(.1, life), 100 * (i + 1) / kept.length]);
    return {name: data.names[key].title, color: data.names[key].color, dash: DASH[data.names[key].dash], points};
  });
  const ticked = lines.map(line => ({...line, points: line.points.map(([x, y]) => [x, y])}));
  if (ticked.length) decades(parent, ticked);
}
// The share of units that have forgotten half after so many characters; x runs in decades.
function decades(parent, lines) {
  curve(parent, 'Share of units whose half-life is at most so many characters', lines.map(line => ({...line, points: line.points.map(([x, y]) => [Math.log10(x), y])})), {xTitle: 'half-life: 0 is 1 character, 1 is 10, 2 is 100', yTitle: '% of units'});
}
function shares(parent, memory) {
  const pick = make('div', 'pick', parent);
  for (const key of keys()) button(pick, data.names[key].title, key === state.model, () => { state.model = key; state.problem = ''; draw(); });
  const one = memory[state.model].view;
  chooser(pick, 'layer', memory[state.model].n_layer, one.layer, layer => ask({layer, head: one.head}));
  if (one.n_head) chooser(pick, 'head', one.n_head, one.head === null ? -1 : one.head, head => ask({layer: one.layer, head: head < 0 ? null : head}), 'all');
  if (state.problem) make('p', 'problem', parent, state.problem).setAttribute('role', 'alert');
  make('p', 'said', parent, sentencesFor(state.model));
  const row = make('section', 'row', parent);
  row.style.setProperty('--hue', data.names[state.model].color);
  const node = textRow(row, 'Shares of earlier characters', () => 0);
  make('p', 'quiet', parent, 'Point at a character: the darker an earlier one, the larger its share in the state behind that character. The share itself is written beside it when you rest there.');
  window.minrnnShares = i => {
    const list = one.shares[i] || [];
    const most = Math.max(1, ...list.map(Math.abs));
    [...node.children].forEach((span, n) => {
      const share = n <= i && i - n < list.length ? list[i - n] : 0;
      span.style.setProperty('--b', (Math.abs(share) / most).toFixed(3));
      span.title = share ? (share / 10).toFixed(1) + ' %' : '';
    });
  };
}
function sentencesFor(key) { return data.sentences['shares:' + key] || ''; }
function chooser(parent, name, count, chosen, act, all) {
  if (count < 2 && !all) return;
  const label = make('label', '', parent, name + ' ');
  const select = make('select', '', label);
  if (all) make('option', '', select, all).value = -1;
  for (let n = 0; n < count; n++) make('option', '', select, n + 1).value = n;
  select.value = chosen;
  select.addEventListener('change', () => act(Number(select.value)));
}
// Another layer or head of a model. The answer is of the text that was there when it was asked for, and the last one counts.
let asked = 0;
async function ask(wanted) {
  const key = state.model, text = data.page.text, number = ++asked;
  const answer = await server.look({model: key, text, ...wanted}).catch(() => ({error: 'The server did not answer. Choose again.'}));
  const known = data && data.ready && data.page.text === text && data.page.memory[key];
  if (!known || number !== asked) return;
  if (answer.view) data.page.memory[key].view = answer.view;
  if (key === state.model) state.problem = answer.error || '';
  draw();
}
function unitRows(parent, memory) {
  const listed = keys().flatMap(key => memory[key].units.map(unit => ({key, ...unit})));
  listed.sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation));
  if (!listed.length) return;
  const best = listed.slice(0, 16), pick = make('div', 'pick', parent);
  const same = (a, b) => a && b && a.key === b.key && a.layer === b.layer && a.unit === b.unit && a.feature === b.feature;
  const chosen = best.find(unit => same(unit, state.feature)) || best[0];
  for (const unit of best) {
    const text = `${unit.feature} · ${data.names[unit.key].title} ${unit.layer + 1}/${unit.unit} · ${unit.correlation.toFixed(2)}`;
    button(pick, text, unit === chosen, () => { state.feature = unit; draw(); });
  }
  const values = chosen.values.filter(value => value !== null);
  const mean = values.reduce((a, b) => a + b, 0) / (values.length || 1);
  const most = Math.max(1e-9, ...values.map(value => Math.abs(value - mean)));
  const row = make('section', 'row', parent);
  row.style.setProperty('--hue', data.names[chosen.key].color);
  textRow(row, 'Value of this unit', i => chosen.values[i] === null ? 0 : (chosen.values[i] - mean) / most);
  make('p', 'quiet', parent, 'Orange: above the unit’s mean; blue: below.');
}
render();
