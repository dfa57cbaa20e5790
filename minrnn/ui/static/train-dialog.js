// Asks before an action that needs a word or cannot be undone. The dialog names the run; Escape closes it.
const QUESTIONS = {
  delete: run => ({say: `Delete “${run.title}”, with its model and its text? This cannot be undone.`, yes: 'Delete'}),
  rename: run => ({say: `A new name for “${run.title}”`, yes: 'Rename', field: 'title', value: run.title}),
  further: run => ({say: `How many more iters for “${run.title}”? It has made ${run.iters.toLocaleString('en')}.`,
    yes: 'Train further', field: 'iters', value: run.iters}),
};
// Calls send({...}) with what the visitor has answered; at once where there is nothing to ask.
function ask(dialog, action, run, send) {
  const question = QUESTIONS[action] && QUESTIONS[action](run);
  if (!question) return send({});
  dialog.replaceChildren();
  dialog.setAttribute('aria-label', question.say);
  const form = make('form', '', dialog);
  const label = make(question.field ? 'label' : 'p', '', form, question.say);
  const input = question.field && make('input', '', label);
  if (input) {
    input.type = question.field === 'iters' ? 'number' : 'text';
    if (question.field === 'iters') input.min = 1;
    else input.maxLength = 60;
    input.required = true;
    input.value = question.value;
  }
  const row = make('div', 'buttons', form);
  const no = make('button', '', row, 'Cancel');
  no.type = 'button';
  no.onclick = () => dialog.close();
  make('button', action === 'delete' ? 'yes danger' : 'yes', row, question.yes).type = 'submit';
  form.onsubmit = event => {
    event.preventDefault();
    dialog.close();
    if (!input) return send({});
    send({[question.field]: question.field === 'iters' ? Number(input.value) : input.value});
  };
  dialog.showModal();
  if (input) input.select();
}
