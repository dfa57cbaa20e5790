// Makes an element with a class, a parent and a text; the text is never read as markup.
function make(tag, className, parent, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}
// A seed for something drawn by chance; the server takes 0 to 2^31 - 1.
function randomSeed() { return Math.floor(Math.random() * 2 ** 31); }
// The moment of a click, later than those before, so that the server knows which of two was the last.
function later(...moments) { return Math.max(Date.now(), ...moments.map(moment => moment + 1)); }
