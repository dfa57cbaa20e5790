// A text in columns: what goes in above what is wanted, and below it what a model answers, with a sign for right and wrong.
function columns(parent, example) {
  const said = `sees ${example.sees}, wants ${example.wants}` + (example.answers ? `, answers ${example.answers}` : '');
  make('p', 'hidden-text', parent, said);
  const box = make('div', 'columns-box', parent);
  box.setAttribute('aria-hidden', 'true');
  const names = make('span', 'names', box);
  const rows = example.answers ? ['sees', 'wants', 'says', ''] : ['sees', 'wants'];
  for (const name of rows) make('b', '', names, name);
  const line = make('span', 'line', box);
  [...example.sees].forEach((char, at) => {
    const mark = example.marks ? example.marks[at] : '';
    const pair = make('span', 'pair' + (mark === '✗' ? ' wrong' : ''), line);
    make('b', '', pair, char);
    make('i', '', pair, [...example.wants][at]);
    if (!example.answers) return;
    make('i', 'says', pair, [...example.answers][at]);
    make('i', 'mark', pair, mark);
  });
}
