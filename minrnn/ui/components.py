"""What several tabs share: a chart that is redrawn in place, and errors made visible."""

from __future__ import annotations

import functools
import html
import inspect
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import gradio as gr
import plotly
import plotly.graph_objects as go

from minrnn.errors import MinrnnError
from minrnn.ui.style import GRID_COLOR, INK_COLOR

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
"""plotly's own script, served from its package: nothing is loaded from another host."""

gr.set_static_paths([PLOTLY_JS])

# Draws the figure when the script is there and the tab is open (a hidden chart has no width to fill);
# without a figure the chart takes no room.
_DRAW = """
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
"""


def live_chart(label: str, height: int = 360, **kwargs: Any) -> gr.HTML:
    """A chart whose value is `figure_json(figure)`, redrawn in place: zoom, legend and hover survive updates.

    Args:
        label: what a screen reader calls it.
        height: in pixels.
        kwargs: further arguments of `gr.HTML`.
    """
    return gr.HTML(
        html_template=f'<div class="chart" role="group" aria-label="{label}" data-height="{height}px"></div>',
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


F = TypeVar("F", bound=Callable[..., Any])


def visible_errors(fn: F) -> F:
    """Turn a MinrnnError into a message on the page; log anything else with its traceback and say so."""
    if inspect.isgeneratorfunction(fn):

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with _messages():
                yield from fn(*args, **kwargs)
    else:

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with _messages():
                return fn(*args, **kwargs)

    return cast(F, guarded)


@contextmanager
def _messages() -> Iterator[None]:
    try:
        yield
    except gr.Error:
        raise
    except MinrnnError as error:
        raise gr.Error(html.escape(str(error)), print_exception=False) from None
    except Exception:
        logging.getLogger(__name__).exception("an event failed")
        raise gr.Error(
            "Something broke on the server; it has been logged. Try again.", print_exception=False
        ) from None
