// Draws a figure once plotly's script is there and the chart is in sight (a hidden chart has no width to fill).
// The script is fetched when the first chart comes into sight; without a figure the chart takes no room.
const chart = element.querySelector('.chart');
const loadPlotly = () => window.minrnnPlotly ||= new Promise((done, failed) => {
  const script = document.createElement('script');
  script.src = chart.dataset.plotly;
  script.onload = done;
  script.onerror = () => { window.minrnnPlotly = null; script.remove(); failed(); };  // the next drawing tries again
  document.head.append(script);
});
const touch = matchMedia('(pointer: coarse)').matches;
let inSight = false;
async function draw() {
  const figure = props.value && props.value.data ? props.value : null;
  chart.style.height = figure ? chart.dataset.height : '0';
  if (!figure && window.Plotly) window.Plotly.purge(chart);  // or a screen reader would still find the old one
  if (!figure || !inSight || !chart.offsetWidth) return;
  if (!window.Plotly) try { await loadPlotly(); } catch (offline) { return; }
  const latest = props.value && props.value.data ? props.value : null;
  if (!latest) return;
  const ink = getComputedStyle(chart).getPropertyValue('--body-text-color-subdued');  // readable in both themes
  if (ink) latest.layout.font = {...latest.layout.font, color: ink};
  const options = {responsive: true, displaylogo: false, displayModeBar: touch ? false : 'hover'};
  window.Plotly.react(chart, latest.data, latest.layout, options);
}
new IntersectionObserver(entries => {
  inSight = entries[entries.length - 1].isIntersecting;
  if (inSight) draw();
}, {rootMargin: '200px'}).observe(element);
watch('value', draw);
new ResizeObserver(draw).observe(chart);
draw();
