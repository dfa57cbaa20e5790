// What surprises the models: the text once for each model, shaded by surprise, and everything about the character pointed at.
const root = element.querySelector('.inside');
const doing = element.querySelector('.busy');
const state = {view: 'surprise', at: null, model: null, feature: null, problem: ''};
let rows = [], data = null;
let latest = 0, begun = 0, ended = 0;  // the newest click's moment; readings that were asked for, and that are over
const DASH = {solid: '', dash: '7 4', dot: '2 3', longdash: '12 4', dashdot: '8 3 2 3'};
const visible = char => ({'\n': '↵', ' ': '␣', '\t': '⇥'}[char] || char);
const percent = p => p >= .1 ? Math.round(100 * p) + ' %' : p >= .001 ? (100 * p).toPrecision(2) + ' %' : '<0.1 %';
const keys = () => Object.keys(data.page.models);

function button(parent, text, pressed, act) {
  const node = make('button', '', parent, text);
  node.type = 'button';
  node.setAttribute('aria-pressed', pressed);
  node.addEventListener('click', act);
  return node;
}
// One row of text: a span for each character. `shade` gives 0 to 1 (or -1 to 1), `mark` a class.
function textRow(parent, label, shade, mark = () => '') {
  const node = make('div', 'read', parent);
  node.tabIndex = 0;
  node.setAttribute('role', 'application');
  node.setAttribute('aria-label', label + '. Arrow keys move from character to character.');
  [...data.page.text].forEach((char, i) => {
    const span = make('span', mark(i), node, char === '\n' ? '↵\n' : char);
    const value = shade(i);
    if (value < 0) span.classList.add('minus');
    span.style.setProperty('--b', Math.min(1, Math.abs(value)).toFixed(3));
  });
  const find = event => [...node.children].indexOf(event.target.closest('.read > span'));
  node.addEventListener('pointerover', event => { const i = find(event); if (i >= 0) point(i); });
  node.addEventListener('click', event => { const i = find(event); if (i >= 0) point(i); });
  node.addEventListener('keydown', event => {
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: 40, ArrowUp: -40, Home: -1e6, End: 1e6}[event.key];
    if (!step) return;
    event.preventDefault();
    point(Math.max(0, Math.min(node.children.length - 1, (state.at === null ? -1 : state.at) + step)), true);
  });
  rows.push(node);
  return node;
}
function point(i, scroll) {
  if (i === state.at) return;
  for (const row of rows) {
    if (state.at !== null && row.children[state.at]) row.children[state.at].classList.remove('at');
    const span = row.children[i];
    if (!span) continue;
    span.classList.add('at');
    if (scroll) span.scrollIntoView({block: 'nearest'});
  }
  state.at = i;
  detail();
  if (window.minrnnShares) window.minrnnShares(i);
}
function detail() {
  const box = root.querySelector('.detail');
  if (!box) return;
  box.replaceChildren();
  const chars = [...data.page.text];
  if (state.at === null) { make('p', 'where', box, 'Point at a character, or move to it with the arrow keys.'); return; }
  make('p', 'where', box, `Character ${state.at + 1} of ${chars.length}: “${visible(chars[state.at])}”`);
  for (const key of keys()) {
    const read = data.page.models[key];
    const part = make('section', '', box);
    part.style.setProperty('--hue', data.names[key].color);
    make('h3', '', part, data.names[key].title);
    const bits = read.bits[state.at];
    if (bits === null) { make('p', 'where', part, read.read[state.at] ? 'given, so nobody predicted it' : 'left out: the model does not know it'); continue; }
    make('p', 'where', part, `${bits.toFixed(2)} bits · probability ${percent(read.probability[state.at])} · rank ${read.rank[state.at]}`);
    const list = make('div', 'guessed', part);
    for (const [char, p] of read.top[state.at] || []) {
      make('b', char === read.read[state.at] ? 'true' : '', list, visible(char));
      make('i', '', list).style.width = (100 * p).toFixed(1) + '%';
      make('span', '', list, percent(p));
    }
  }
}

// A small chart: lines by model, x as given, labels at line ends.
function curve(parent, label, lines, {log = false, xTitle = '', yTitle = ''} = {}) {
  const width = 640, height = 200, left = 38, right = 84, bottom = 30, top = 8;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'curve');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  parent.append(svg);
  const add = (tag, attributes, text) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    svg.append(node);
    return node;
  };
  const all = lines.flatMap(line => line.points);
  if (!all.length) return;
  const scale = x => log ? Math.log2(Math.max(x, .01)) : x;
  const xs = all.map(p => scale(p[0])), ys = all.map(p => p[1]);
  const x0 = Math.min(...xs), x1 = Math.max(...xs, x0 + 1e-9), y0 = Math.min(0, ...ys) < 0 ? Math.min(...ys) : Math.min(...ys) * .95, y1 = Math.max(...ys) * 1.02;
  const X = x => left + (scale(x) - x0) / (x1 - x0) * (width - left - right), Y = y => height - bottom - (y - y0) / (y1 - y0 || 1) * (height - top - bottom);
  for (let n = 0; n <= 4; n++) {
    const y = y0 + (y1 - y0) * n / 4;
    add('line', {x1: left, x2: width - right, y1: Y(y), y2: Y(y), class: 'grid'});
    add('text', {x: left - 5, y: Y(y) + 4, 'text-anchor': 'end'}, y.toFixed(1));
  }
  const ticks = log ? [...new Set(all.map(p => p[0]))].slice(0, 12) : [x0, (x0 + x1) / 2, x1].map(Math.round);
  for (const x of ticks) add('text', {x: X(x), y: height - bottom + 15, 'text-anchor': 'middle'}, x);
  add('text', {x: (left + width - right) / 2, y: height - 2, 'text-anchor': 'middle'}, xTitle);
  add('text', {x: left, y: 4 + top / 2}, yTitle);
  const ends = [];
  for (const line of lines) {
    if (!line.points.length) continue;
    add('path', {d: 'M' + line.points.map(p => `${X(p[0]).toFixed(1)} ${Y(p[1]).toFixed(1)}`).join('L'), stroke: line.color, 'stroke-dasharray': line.dash || '', opacity: line.faint ? .6 : 1});
    const last = line.points[line.points.length - 1];
    if (!line.faint) ends.push({y: Y(last[1]), x: X(last[0]), text: line.name, color: line.color});
  }
  ends.sort((a, b) => a.y - b.y);
  ends.forEach((end, n) => { if (n) end.y = Math.max(end.y, ends[n - 1].y + 13); });
  for (const end of ends) add('text', {x: end.x + 6, y: end.y + 4, style: `fill:${end.color};font-weight:600`}, end.text);
}
function running(bits, window = 60) {
  const points = [], kept = [];
  let sum = 0;
  bits.forEach((value, i) => {
    if (value === null) return;
    kept.push(value);
    sum += value;
    if (kept.length > window) sum -= kept[kept.length - 1 - window];
    const every = Math.max(1, Math.floor(bits.length / 200));
    if (kept.length >= Math.min(10, bits.length / 2) && i % every === 0) points.push([i, sum / Math.min(kept.length, window)]);
  });
  return points;
}

function surpriseView() {
  make('p', 'said', root, data.sentences.surprise);
  if (Object.keys(data.page.learning).length) release('surprise');
  const columns = make('div', 'columns', root), left = make('div', '', columns), learning = data.page.learning;
  for (const key of keys()) {
    const read = data.page.models[key], name = data.names[key];
    const row = make('section', 'row', left);
    row.style.setProperty('--hue', name.color);
    const head = make('header', '', row);
    make('h2', '', head, name.title);
    if (read.bits_per_char !== null) make('span', '', head, read.bits_per_char.toFixed(2) + ' bits a character');
    if (learning[key]) make('span', '', head, learning[key].bits_per_char.toFixed(2) + ' while learning');
    const chars = [...data.page.text];
    textRow(row, name.title, i => (read.bits[i] || 0) / 8,
      i => (read.bits[i] > 6 ? 'high ' : '') + (read.read[i] !== chars[i] ? 'changed' : ''));
  }
  make('p', 'quiet', left, 'The darker, the more surprising: white is 0 bits, full colour 8, and from 6 bits on a letter is underlined. A dotted line marks a character that was replaced or left out.');
  make('div', 'detail', columns);
  detail();
  make('h2', '', root, 'Along the text');
  const lines = keys().flatMap(key => {
    const name = data.names[key], line = {color: name.color, dash: DASH[name.dash], name: name.title};
    const plain = {...line, points: running(data.page.models[key].bits), faint: Boolean(learning[key])};
    return learning[key] ? [plain, {...line, points: running(learning[key].bits)}] : [plain];
  });
  curve(make('div', '', root), 'Running mean of the surprise along the text', lines, {xTitle: 'character', yTitle: 'bits, mean of the last 60'});
  if (Object.keys(learning).length) make('p', 'quiet', root, 'Faint: without learning. Strong: learning while reading.');
  if (data.page.differences.length) {
    make('h2', '', root, 'Where they differ most');
    const list = make('ul', 'differ', root), chars = [...data.page.text];
    for (const d of data.page.differences) {
      const text = `“${visible(chars[d.position])}” at ${d.position + 1}: ${d.bits.toFixed(1)} bits likelier for ${data.names[d.low].title} than for ${data.names[d.high].title}`;
      make('button', '', make('li', '', list), text).addEventListener('click', () => { point(d.position, true); root.querySelector('.at').scrollIntoView({block: 'center'}); });
    }
  }
}
function draw() {
  root.replaceChildren();
  rows = [];
  window.minrnnShares = null;
  if (!data) { make('p', 'empty', root, 'The texts appear here, one row a model, as soon as you press Read.'); return; }
  const bar = make('div', 'views', root);
  button(bar, 'Surprise', state.view === 'surprise', () => { state.view = 'surprise'; draw(); });
  button(bar, 'Memory', state.view === 'memory', () => { state.view = 'memory'; draw(); });
  const at = state.at;
  state.at = null;
  if (state.view === 'surprise') surpriseView(); else memoryView();
  if (at !== null && at < [...data.page.text].length) point(at);
}
function render() {
  const value = props.value && props.value.page ? props.value : null;
  if (value ? value.run < latest : data) return;  // of a reading that was replaced; one that showed nothing ends with null
  data = value;
  Object.assign(state, {at: null, problem: ''});
  busy();
  draw();
}
// What is being done, as long as it is. The view of another text is dimmed until the new one comes.
function busy() {
  const on = ended < begun, old = !(data && data.run === latest);
  const text = !on ? '' : old ? 'Reading the text …' : 'Measuring what the models remember of it …';
  if (doing.textContent !== text) doing.textContent = text;
  root.classList.toggle('old', on && old);
  root.setAttribute('aria-busy', on && old);
}
window.minrnnInside = {
  // The values of the fields, with the moment of this click in the last one's place. A reading replaces the one before.
  begin(args) {
    latest = later(latest);
    begun += 1;
    busy();
    return [...args.slice(0, -1), latest];
  },
  over() { ended += 1; busy(); },
};
watch('value', render);
