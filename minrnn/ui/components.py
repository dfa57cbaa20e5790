"""What several tabs share: a chart that is redrawn in place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import plotly
import plotly.graph_objects as go

from minrnn.ui.style import GRID_COLOR, INK_COLOR

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
"""plotly's own script, served from its package: nothing is loaded from another host."""

gr.set_static_paths([PLOTLY_JS])

# Draws the figure when the script is there and the tab is open (a hidden chart has no width to fill).
_DRAW = """
const chart = element.querySelector('.chart');
const draw = () => {
  if (!window.Plotly || !props.value || !props.value.data || !chart.offsetWidth) return;
  Plotly.react(chart, props.value.data, props.value.layout,
               {responsive: true, displaylogo: false, displayModeBar: 'hover'});
};
watch('value', draw);
new ResizeObserver(draw).observe(chart);
const waiting = setInterval(() => { if (window.Plotly) { clearInterval(waiting); draw(); } }, 50);
"""


def live_chart(label: str, height: int = 360, **kwargs: Any) -> gr.HTML:
    """A chart whose value is `figure_json(figure)`, redrawn in place: zoom, legend and hover survive updates.

    Args:
        label: what a screen reader calls it.
        height: in pixels.
        kwargs: further arguments of `gr.HTML`.
    """
    return gr.HTML(
        html_template=f'<div class="chart" role="img" aria-label="{label}" style="height: {height}px"></div>',
        js_on_load=_DRAW,
        head=f'<script src="gradio_api/file={PLOTLY_JS}"></script>',
        apply_default_css=False,
        **kwargs,
    )


def figure_json(figure: go.Figure) -> dict[str, Any]:
    """A figure as plain data for `live_chart`."""
    data: dict[str, Any] = json.loads(figure.to_json())
    return data


def dress(figure: go.Figure, **layout: Any) -> go.Figure:
    """Make a figure readable on light and dark pages: transparent, with explicit grid and ink."""
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK_COLOR, "family": "system-ui, sans-serif"},
        margin={"l": 56, "r": 16, "t": 32, "b": 44},
        uirevision="constant",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    figure.update_layout(**layout)
    figure.update_xaxes(gridcolor=GRID_COLOR, linecolor=GRID_COLOR, zeroline=False)
    figure.update_yaxes(gridcolor=GRID_COLOR, linecolor=GRID_COLOR, zeroline=False)
    return figure
