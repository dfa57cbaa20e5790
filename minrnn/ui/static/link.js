// The address of a text holds everything that the text depends on; its names are those of the API.
const LINKED = ['tab', 'task', 'prompt', 'models', 'preset', 'max_new_tokens', 'temperature', 'top_k', 'top_p', 'seed', 'context', 'learn', 'learn_rate'];
const LONGEST = 8000;  // characters of a query: many servers refuse an address that is much longer

// Defaults go without saying, except for the seed: an address with a seed is that of a written text.
function query(values) {
  const words = new URLSearchParams();
  for (const name of LINKED) {
    const value = values[name];
    if (value === null || value === undefined) continue;
    if (name !== 'seed' && String(value) === String(window.minrnn.defaults[name])) continue;
    words.set(name, value);
  }
  const theme = address().__theme;
  if (theme) words.set('__theme', theme);
  const text = words.toString();
  return text && '?' + text;
}
function address() { return Object.fromEntries(new URLSearchParams(location.search)); }
// The query of the text at the page's address, in one order and spelling, whatever tab is open.
function here() { return query({...address(), tab: null, task: null, ...history.state}); }
// A prompt too long for the address is kept beside it, where a reload and Back find it.
function enter(values) {
  const link = query(values);
  if (link === here()) return;
  if (link.length > LONGEST) history.pushState({prompt: values.prompt}, '', query({...values, prompt: null}));
  else history.pushState(null, '', link);
}

function keep(value) {
  try { sessionStorage.setItem('minrnn-texts', JSON.stringify({link: here(), value})); } catch (full) { /* not kept */ }
}
function kept() {
  try {
    const saved = JSON.parse(sessionStorage.getItem('minrnn-texts'));
    return saved && saved.link === here() ? saved.value : null;
  } catch (damaged) { return null; }
}

// Whether a text was copied. A page that is not served over https has no clipboard; there a selection is copied.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (refused) {
    const focused = document.activeElement, box = make('textarea', '', document.body);
    box.style.position = 'fixed';
    box.value = text;
    box.select();
    const done = document.execCommand('copy');
    box.remove();
    focused.focus();
    return done;
  }
}
