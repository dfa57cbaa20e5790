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
