// The cards: texts as they are written, the stored samples on arrival, the blind test, and the sheets.
const root = element.querySelector('.cards');
const note = element.querySelector('.note');
const live = element.querySelector('.live');
const stage = () => document.getElementById('compare');
const cards = new Map();
const order = [];
let value = {run: 0, cards: [], note: ''};  // what is shown
let begun = 0, ended = 0, typing = null, typed = 0, blind = false, answered = false, remark = '';
const unnamed = () => blind && !answered;

function card(key) {
  const node = make('article', 'card', document.createDocumentFragment());
  const parts = {node, shown: '', boundary: 0};
  const head = make('header', '', node);
  parts.title = make('h2', '', head);
  parts.year = make('span', 'year', head);
  parts.learnt = make('span', 'learnt', head);
  parts.status = make('span', 'status', head);
  const tools = make('span', 'tools', head);
  parts.about = tool(tools, 'about', () => about(parts));
  parts.copy = tool(tools, 'copy', () => copyText(parts));
  parts.text = make('div', 'text', node);
  parts.text.tabIndex = 0;
  parts.text.setAttribute('role', 'region');
  parts.text.addEventListener('click', () => whole(parts));
  parts.guess = make('button', 'guess', node, 'This is the GPT');
  parts.guess.addEventListener('click', () => answer(parts));
  const foot = make('footer', '', node);
  parts.bar = make('i', '', make('span', 'speed', foot));
  parts.rate = make('b', '', foot);
  make('span', '', foot, 'characters/s');
  return parts;
}
const SIGNS = {
  about: ['M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13', 'M8 7.2v4', 'M8 4.6v.4'],
  copy: ['M5.5 5.5h8v9h-8z', 'M10.5 5.5v-4h-8v9h3'],
};
function tool(parent, name, act) {
  const button = make('button', name, parent);
  const sign = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  sign.setAttribute('viewBox', '0 0 16 16');
  sign.setAttribute('aria-hidden', 'true');
  for (const line of SIGNS[name]) {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', line);
    sign.append(path);
  }
  button.append(sign);
  button.type = 'button';
  button.addEventListener('click', event => { event.stopPropagation(); act(); });
  return button;
}
function put(node, text) { if (node.textContent !== text) node.textContent = text; }

// Text is laid out a line a paragraph, so that a line that wraps hangs under its beginning.
function write(parts, prompt, text) {
  const whole = prompt + text;
  if (!whole.startsWith(parts.shown) || parts.boundary !== prompt.length) {
    parts.text.replaceChildren();
    Object.assign(parts, {shown: '', boundary: prompt.length, line: null});
  }
  let from = parts.shown.length;
  while (from < whole.length) {
    const inPrompt = from < prompt.length;
    const limit = inPrompt ? prompt.length : whole.length;
    const newline = whole.indexOf('\n', from);
    const to = newline < 0 || newline >= limit ? limit : newline;
    if (!parts.line) parts.line = make('p', '', parts.text);
    if (to > from) append(parts.line, whole.slice(from, to), inPrompt);
    if (to === newline) { parts.line = make('p', '', parts.text); from = to + 1; } else from = to;
  }
  parts.grew = whole.length > parts.shown.length;
  parts.shown = whole;
}
function append(line, text, inPrompt) {
  const name = inPrompt ? 'prompt' : 'new';
  const last = line.lastElementChild;
  if (last && last.className === name) last.firstChild.appendData(text);
  else make('span', name, line, text);
}

function show(data, best, place) {
  if (!cards.has(data.key)) cards.set(data.key, card(data.key));
  const parts = cards.get(data.key);
  parts.data = data;
  parts.node.style.setProperty('--hue', data.color);
  parts.node.dataset.status = data.status;
  put(parts.title, unnamed() ? 'Text ' + 'ABCDEFGHIJ'[place] : data.title);
  put(parts.year, data.year);
  put(parts.learnt, data.learnt);
  put(parts.status, data.status === 'sample' ? 'stored' : data.status === 'done' ? '' : data.status);
  parts.text.setAttribute('aria-label', parts.title.textContent + ', text');
  parts.about.setAttribute('aria-label', 'About ' + data.title);
  parts.copy.setAttribute('aria-label', 'Copy this text');
  parts.copy.title = 'Copy this text';
  parts.about.title = 'About ' + data.title;
  parts.bar.style.width = best ? (100 * data.rate / best).toFixed(1) + '%' : '0';
  put(parts.rate, data.rate ? Math.round(data.rate).toLocaleString('en') : '–');
  write(parts, data.prompt, data.status === 'sample' ? data.text.slice(0, typed) : data.text);
}
function arranged(list) {
  if (!blind) return list;
  const keys = list.map(data => data.key);
  if (order.length !== keys.length || keys.some(key => !order.includes(key))) shuffle(keys);
  return order.map(key => list.find(data => data.key === key));
}
function shuffle(keys) {
  order.splice(0, order.length, ...keys);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}
function render() {
  if (props.value && props.value.run >= value.run) value = props.value;  // an earlier text was replaced meanwhile
  const list = arranged(value.cards);
  const best = Math.max(0, ...list.map(data => data.rate));
  root.classList.toggle('blind', unnamed());
  root.classList.toggle('asking', unnamed() && list.some(isGPT));
  // Every box is measured before any is written to, so that the browser lays the page out once, not once a card.
  const away = [...cards.values()].filter(({text}) => text.scrollHeight - text.scrollTop - text.clientHeight >= 40);
  list.forEach((data, place) => show(data, best, place));
  const nodes = list.map(data => cards.get(data.key).node);
  if (nodes.length !== root.children.length || nodes.some((node, i) => node !== root.children[i])) root.replaceChildren(...nodes);
  const grown = list.map(data => cards.get(data.key)).filter(parts => parts.grew && !away.includes(parts));
  for (const {text} of grown) text.scrollTop = text.scrollHeight;
  put(note, remark || value.note);
  if (value.run) stopTyping();
  if (value.run && list.length && list.every(data => data.text && !['writing', 'starting'].includes(data.status))) {
    keep(value);
    put(live, 'The texts are finished.');
  }
}

// On arrival the cards type stored samples by themselves; the first key or click ends that.
function typeSamples() {
  typed = matchMedia('(prefers-reduced-motion: reduce)').matches ? Infinity : 0;
  const step = () => {
    typed += 7;
    render();
    if (value.cards.every(data => data.text.length <= typed)) stopTyping();
  };
  typing = setInterval(step, 40);
  step();
  for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, stopTyping, {once: true, capture: true});
}
function stopTyping() {
  if (typed === Infinity) return;
  clearInterval(typing);
  typed = Infinity;
  render();  // a sample that was half typed stands there whole
}

function about(parts) {
  const dialog = make('dialog', '', element);
  make('h3', '', dialog, parts.data.title + (parts.data.year ? ', ' + parts.data.year : ''));
  const list = make('dl', '', dialog);
  for (const [name, value] of parts.data.sheet) { make('dt', '', list, name); make('dd', '', list, value); }
  const close = make('button', '', dialog, 'Close');
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => { dialog.remove(); parts.about.focus(); });
  dialog.showModal();
}
async function copyText(parts) {
  if (!await copy(parts.shown)) return say('This browser does not allow the page to copy; select the text instead.');
  parts.copy.classList.add('copied');
  put(live, 'Copied.');
  setTimeout(() => parts.copy.classList.remove('copied'), 1200);
}
function whole(parts) {
  if (!matchMedia('(max-width: 640px)').matches || String(getSelection())) return;
  parts.node.classList.toggle('whole');
  parts.text.scrollTop = parts.text.scrollHeight;
}
// What the page itself has to say stands under the cards until the next text.
function say(text) { remark = text; render(); }
function isGPT(data) { return data.family === 'attention'; }
function answer(parts) {
  answered = true;
  say((isGPT(parts.data) ? 'Right: that was ' : 'No: that was ') + parts.data.title + '. The names are shown now.');
}
function hideNames(on) {
  blind = on;
  answered = false;
  order.length = 0;
  say('');
}

function named(args, names) { return Object.fromEntries(names.map((name, i) => [name, args[i]])); }
function busy(on) {
  stage().classList.toggle('writing', on);
  const from = document.getElementById(on ? 'write' : 'stop'), to = document.getElementById(on ? 'stop' : 'write');
  if (from && document.activeElement === from) setTimeout(() => to.focus());
}

window.minrnn = {
  defaults: {},
  arrived: false,
  arriving: false,  // whether the text at the address is about to be written
  at: 0,
  moment() { return this.at = later(this.at, value.run); },
  begin(args, names) {
    const values = {...named(args, names), clicked: this.moment()};
    if (values.seed === null || !values.locked && !this.arriving) values.seed = randomSeed();
    if (!this.arriving) enter(values);
    this.arriving = false;
    begun += 1;
    answered = false;
    remark = '';
    order.length = 0;
    stopTyping();
    busy(true);
    put(live, 'Writing.');
    return names.map(name => values[name]);
  },
  over() {
    ended += 1;
    if (ended >= begun) busy(false);
  },
  async copyLink(args, names, space) {
    const {tab, task} = address(), values = {...named(args, names), tab, task};
    if (!begun && !value.run && values.seed === this.defaults.seed) values.seed = null;  // nothing is written yet
    const link = query(values), button = document.getElementById('copy-link');
    if (link.length > LONGEST) put(button, 'Prompt too long for a link');
    else put(button, await copy((space || location.origin + location.pathname) + link) ? 'Copied' : 'Not allowed by the browser');
    setTimeout(() => put(button, 'Copy link'), 1500);
  },
  showTab(id) {
    this.tab = id;
    if (!this.arrived) return;  // the first tab is selected while the page builds, before its link is read
    const words = new URLSearchParams(location.search);
    if (id === 'compare') words.delete('tab'); else words.set('tab', id);
    if (id === 'tasks' && this.task) words.set('task', this.task); else words.delete('task');
    const text = words.toString();
    history.replaceState(history.state, '', text ? '?' + text : location.pathname);
    dispatchEvent(new Event('resize'));
  },
  // The task that is chosen stands in the address while its tab is open; the first one goes without saying.
  showTask(name, first) {
    this.task = name === first ? '' : name;
    if (this.tab === 'tasks') this.showTab('tasks');
  },
  blind: hideNames,
  settings(open) {
    const now = open === undefined ? !stage().classList.contains('settings-open') : open;
    stage().classList.toggle('settings-open', now);
    document.getElementById('gear').setAttribute('aria-expanded', now);
    if (now) document.querySelector('#settings input, #settings textarea, #settings button').focus();
    else if (open === false) document.getElementById('gear').focus();
  },
  arrive(linked, defaults) {
    this.defaults = defaults;
    this.arrived = true;
    if (this.tab && this.tab !== 'compare') this.showTab(this.tab);  // chosen before the link was read
    if (history.state?.prompt) fill('#prompt textarea', history.state.prompt);
    const saved = kept();
    if (saved) {
      props.value = saved;
      render();
    } else if (linked) {
      this.arriving = true;
      document.getElementById('write').click();
    } else typeSamples();
  },
};
function fill(field, text) {
  const box = document.querySelector(field);
  box.value = text;
  box.dispatchEvent(new Event('input', {bubbles: true}));
}
addEventListener('popstate', () => location.reload());
// Escape closes what lies on top, and nothing else.
addEventListener('keydown', event => {
  if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]') || !stage().offsetParent) return;
  const open = root.querySelector('.whole');
  if (open) open.classList.remove('whole');
  else if (stage().classList.contains('settings-open')) window.minrnn.settings(false);
  else if (stage().classList.contains('writing')) document.getElementById('stop').click();
});
// Enter that is held down begins one text, and does not stop it.
addEventListener('keydown', event => {
  if (event.key === 'Enter' && event.repeat && !event.shiftKey && event.target.closest('#bar')) event.preventDefault();
}, true);
watch('value', render);
render();
