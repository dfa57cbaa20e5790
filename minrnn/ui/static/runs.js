// Draws a card for each run, and sends clicks on its buttons to the server as {action, run, …}.
// Cards stay in place while their figures change, so focus and open details survive.
const root = element.querySelector('.runs');
const dialog = element.querySelector('dialog');
const cards = new Map();
const QUIET = ['rename', 'delete'];
const SVG = 'http://www.w3.org/2000/svg';
const DASHES = {dash: '6 4', dot: '2 3', longdash: '10 4', dashdot: '8 3 2 3', solid: 'none', '5px,3px': '4 3'};

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function swatch(parent) {
  const svg = document.createElementNS(SVG, 'svg');
  const line = document.createElementNS(SVG, 'line');
  svg.setAttribute('viewBox', '0 0 26 10');
  svg.setAttribute('aria-hidden', 'true');
  for (const [name, value] of [['x1', 1], ['x2', 25], ['y1', 5], ['y2', 5]]) line.setAttribute(name, value);
  svg.append(line);
  parent.append(svg);
  return line;
}
function card(key) {
  const node = make('section', 'run', document.createDocumentFragment());
  const parts = {node, run: null};
  const head = make('header', '', node);
  parts.eye = make('button', 'eye', head);
  parts.eye.type = 'button';
  parts.eye.onclick = () => trigger('click', {action: parts.run.drawn ? 'hide' : 'show', run: key});
  parts.line = swatch(parts.eye);
  parts.title = make('h3', '', head);
  parts.phase = make('span', 'phase', head);
  parts.bar = make('div', 'bar', node);
  parts.bar.setAttribute('role', 'progressbar');
  parts.fill = make('div', 'fill', parts.bar);
  parts.problem = make('p', 'problem', node);
  parts.facts = make('p', 'facts', node);
  parts.buttons = make('div', 'buttons', node);
  parts.more = make('div', 'more', node);
  parts.more.id = 'details-' + key.replace(/\W/g, '-');
  parts.more.hidden = true;
  parts.list = make('dl', '', parts.more);
  parts.command = make('code', '', parts.more);
  parts.details = make('button', 'text', parts.buttons, 'Details');
  parts.details.type = 'button';
  parts.details.setAttribute('aria-controls', parts.more.id);
  parts.details.onclick = () => open(parts, parts.more.hidden);
  open(parts, false);
  return parts;
}
function open(parts, whether) {
  parts.more.hidden = !whether;
  parts.details.setAttribute('aria-expanded', whether);
}
function press(parts, button) {
  if (button.ariaDisabled === 'true') return;
  ask(dialog, button.dataset.action, parts.run, answer => {
    button.ariaDisabled = 'true';  // a second click in haste would be refused; disabled, it would lose the focus
    setTimeout(() => { button.ariaDisabled = 'false'; }, 1500);
    trigger('click', {action: button.dataset.action, run: parts.run.run, ...answer});
  });
}
function buttons(parts, run) {
  parts.details.setAttribute('aria-label', 'Details: ' + run.title);
  renew(parts, run);
  for (const button of parts.buttons.querySelectorAll('[data-action]'))  // the title may be another one by now
    button.setAttribute('aria-label', button.textContent + ': ' + run.title);
}
function renew(parts, run) {
  const wanted = run.actions.map(action => action.name).join();
  if (parts.buttons.dataset.actions === wanted) return;
  parts.buttons.dataset.actions = wanted;
  const focused = parts.buttons.contains(document.activeElement) && document.activeElement.dataset.action;
  for (const old of parts.buttons.querySelectorAll('[data-action]')) old.remove();
  for (const action of run.actions) {
    const quiet = QUIET.includes(action.name);
    const button = make('button', quiet ? 'text' : 'act', parts.buttons, action.label);
    button.type = 'button';
    button.dataset.action = action.name;
    button.onclick = () => press(parts, button);
    if (!quiet) parts.details.before(button);
  }
  if (focused) (parts.buttons.querySelector(`[data-action="${focused}"]`) || parts.buttons.firstChild).focus();
}
function show(run) {
  if (!cards.has(run.run)) cards.set(run.run, card(run.run));
  const parts = cards.get(run.run);
  const before = parts.run;
  parts.run = run;
  const percent = Math.round(100 * run.done);
  parts.node.style.setProperty('--hue', run.color);
  parts.node.dataset.phase = run.phase;
  parts.node.dataset.run = run.run;
  parts.node.classList.toggle('hidden-line', !run.drawn);
  parts.line.setAttribute('stroke-dasharray', DASHES[run.dash] || 'none');
  parts.line.style.opacity = run.repeat ? 0.6 : 1;
  parts.eye.setAttribute('aria-pressed', run.drawn);
  parts.eye.title = run.drawn ? 'Hide its line' : 'Show its line';
  parts.eye.setAttribute('aria-label', 'Line of ' + run.title + ' in the chart');
  parts.eye.disabled = !run.run;
  put(parts.title, run.title);
  put(parts.phase, run.phase);
  parts.bar.setAttribute('aria-label', 'Progress of ' + run.title);
  parts.bar.setAttribute('aria-valuenow', percent);
  parts.bar.hidden = run.done === 0 && run.phase !== 'starting';
  parts.fill.style.width = (100 * run.done).toFixed(1) + '%';
  put(parts.problem, run.problem);
  facts(parts.facts, run.facts);
  details(parts, run);
  buttons(parts, run);
  if (before && before.phase !== run.phase) announce(run);
}
function facts(node, list) {
  while (node.children.length > list.length) node.lastChild.remove();
  list.forEach((fact, at) => {
    const span = node.children[at] || make('span', '', node);
    if (!span.firstChild) { make('b', '', span); span.append(' '); make('i', '', span); }
    put(span.querySelector('b'), fact.text);
    put(span.querySelector('i'), fact.label);
  });
}
function details(parts, run) {
  parts.details.hidden = !run.run;
  parts.list.replaceChildren(...run.details.map(fact => {
    const pair = make('div', '', document.createDocumentFragment());
    make('dd', '', pair, fact.text);
    make('dt', '', pair, fact.label);
    return pair;
  }));
  put(parts.command, run.command);
}
function announce(run) {
  const figures = run.facts.map(fact => fact.text + ' ' + fact.label).join(', ');
  element.querySelector('.announced').textContent = `${run.title}: ${run.phase}. ${figures}`;
}
function order(keys) {
  for (const key of [...cards.keys()]) if (!keys.includes(key)) cards.delete(key);
  const wanted = keys.map(key => cards.get(key).node);
  if (wanted.length === root.children.length && wanted.every((node, at) => node === root.children[at])) return;
  const focused = document.activeElement, at = [...root.children].findIndex(node => node.contains(focused));
  root.replaceChildren(...wanted);
  if (at < 0) return;
  // who was in a card stays there; who has deleted it goes to the one that stands in its place
  const next = wanted[Math.min(at, wanted.length - 1)];
  (focused.isConnected ? focused : next && next.querySelector('button:enabled:not([hidden])'))?.focus();
}
function render() {
  const value = props.value && props.value.cards ? props.value : {cards: [], older: 0, passed: ''};
  value.cards.forEach(show);
  order(value.cards.map(run => run.run));
  const older = element.querySelector('.older');
  older.hidden = !value.older;
  put(older, value.older === 1 ? 'Show 1 older run' : `Show ${value.older} older runs`);
  older.onclick = () => trigger('click', {action: 'show', run: ''});
  const passed = element.querySelector('.passed');
  passed.hidden = !value.passed;
  put(passed, value.passed);
}
watch('value', render);
render();
