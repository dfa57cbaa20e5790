// Draws the figure when plotly's script is there and the tab is open (a hidden chart has no width to fill);
// without a figure the chart takes no room.
const chart = element.querySelector('.chart');
const draw = () => {
  const figure = props.value && props.value.data ? props.value : null;
  chart.style.height = figure ? chart.dataset.height : '0';
  if (!window.Plotly || !figure || !chart.offsetWidth) return;
  Plotly.react(chart, figure.data, figure.layout, {responsive: true, displaylogo: false});
};
watch('value', draw);
new ResizeObserver(draw).observe(chart);
const waiting = setInterval(() => { if (window.Plotly) { clearInterval(waiting); draw(); } }, 50);
