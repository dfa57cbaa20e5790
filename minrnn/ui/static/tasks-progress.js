// How far the runs are that were started together.
const bar = element.querySelector('.bar'), told = element.querySelector('.told');
function render() {
  const value = props.value && props.value.text !== undefined ? props.value : {active: false, done: 0, text: ''};
  bar.hidden = !value.active;
  bar.setAttribute('aria-valuenow', Math.round(100 * value.done));
  bar.firstElementChild.style.width = (100 * value.done).toFixed(1) + '%';
  if (told.textContent !== value.text) told.textContent = value.text;
}
watch('value', render);
render();
