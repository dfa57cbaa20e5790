// What the chosen task asks: its rule, an example, why it is hard, and theory's word.
const root = element.querySelector('.about');
function render() {
  const task = props.value;
  if (!task || !task.task) return;
  root.replaceChildren();
  const head = make('div', 'rule', root);
  make('h2', '', head, task.title);
  make('p', '', head, task.question);
  const box = make('div', 'example', root);
  columns(box, task.example);
  const button = make('button', 'pill', root, 'Another example');
  button.type = 'button';
  button.addEventListener('click', async () => {
    const found = await server.new_example({task: task.task, seed: randomSeed()});
    if (props.value.task !== task.task) return;
    box.replaceChildren();
    columns(box, found);
  });
  const line = make('p', 'why', root);
  make('b', '', line, 'Hard because: ');
  line.append(task.why_hard + ' ');
  make('b', '', line, 'Theory: ');
  line.append(task.theory);
}
watch('value', render);
render();
