// What a trained model answers on one text: a tick or a cross under every answer.
const root = element.querySelector('.worked');
function render() {
  root.replaceChildren();
  const value = props.value && props.value.sees ? props.value : null;
  if (!value) return;
  make('h2', '', root, value.said).setAttribute('role', 'status');
  columns(root, value);
  root.scrollIntoView({block: 'nearest', behavior: 'smooth'});
}
watch('value', render);
render();
