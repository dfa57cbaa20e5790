"""What several tabs share: a chart that is redrawn in place, and errors made visible."""

from __future__ import annotations

import functools
import html
import inspect
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import gradio as gr
import plotly
import plotly.graph_objects as go
from gradio.components.api_component import Api
from gradio.context import Context
from gradio.events import api

from minrnn.errors import MinrnnError
from minrnn.settings import MAX_MESSAGE_CHARS
from minrnn.ui.theme import GRID_COLOR, INK_COLOR, static

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
"""plotly's own script, served from its package when a chart comes into sight."""
PLOTLY_ADDRESS = "minrnn/plotly.min.js"

CHART_CSS = """
.html-container:has(> &) { padding: 0 !important; }
.chart text { fill: var(--body-text-color-subdued) !important; }
.chart .annotation text { paint-order: stroke; stroke: var(--body-background-fill); stroke-width: 3px; }
.chart .hoverlayer text { fill: var(--body-text-color) !important; }
.chart .hoverlayer path { fill: var(--background-fill-primary) !important; }
"""
"""Texts in a chart take the colours of the page, light or dark; plotly's own would read on one of the two only."""


def live_chart(label: str, height: int = 360, **kwargs: Any) -> gr.HTML:
    """A chart whose value is `figure_json(figure)`, redrawn in place: zoom, legend and hover survive updates.

    Args:
        label: what a screen reader calls it.
        height: in pixels.
        kwargs: further arguments of `gr.HTML`.
    """
    return gr.HTML(
        css_template=CHART_CSS,
        html_template=(
            f'<div class="chart" role="group" aria-label="{label}" data-height="{height}px" '
            f'data-plotly="{PLOTLY_ADDRESS}"></div>'
        ),
        js_on_load=static("chart.js"),
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
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": INK_COLOR, "activecolor": "#c2410c"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    figure.update_layout(**layout)
    figure.update_xaxes(gridcolor=GRID_COLOR, linecolor=GRID_COLOR, zeroline=False)
    figure.update_yaxes(gridcolor=GRID_COLOR, linecolor=GRID_COLOR, zeroline=False)
    return figure


def endpoint(fn: Callable[..., Any], name: str, **event: Any) -> None:
    """Add a function to the current Blocks' API, each parameter described in the words of its docstring.

    Args:
        fn: a handler, or a generator, whose docstring has a section "Args:".
        name: without its slash.
        event: further arguments of the event, such as `concurrency_limit`.
    """
    page = Context.root_block
    assert page is not None
    api(visible_errors(fn, escape=False), api_name=name, **event)
    described = _described(fn.__doc__ or "")
    for part, parameter in zip(list(page.fns.values())[-1].inputs, _sent(fn), strict=True):
        assert isinstance(part, Api)
        part.label = parameter
        part._api_info = {**part._api_info, "additional_description": described[parameter]}


def _sent(fn: Callable[..., Any]) -> list[str]:
    """The parameters that a script sends; `request` is Gradio's."""
    return [name for name in inspect.signature(fn).parameters if name != "request"]


def _described(doc: str) -> dict[str, str]:
    """What the section "Args:" of a docstring says of each parameter."""
    section = inspect.cleandoc(doc).partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


F = TypeVar("F", bound=Callable[..., Any])


def visible_errors(fn: F, *, escape: bool = True) -> F:
    """Turn a MinrnnError into a message; log anything else with its traceback and say so.

    Args:
        fn: a handler, or a generator.
        escape: write the message as HTML, as a page shows it; an API client wants the plain words.
    """
    if inspect.isasyncgenfunction(fn):

        @functools.wraps(fn)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            with _messages(escape):
                async with aclosing(fn(*args, **kwargs)) as values:
                    async for value in values:
                        yield value
    elif inspect.iscoroutinefunction(fn):

        @functools.wraps(fn)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            with _messages(escape):
                return await fn(*args, **kwargs)
    elif inspect.isgeneratorfunction(fn):

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with _messages(escape):
                yield from fn(*args, **kwargs)
    else:

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with _messages(escape):
                return fn(*args, **kwargs)

    return cast(F, guarded)


@contextmanager
def _messages(escape: bool) -> Iterator[None]:
    try:
        yield
    except gr.Error:
        raise
    except MinrnnError as error:
        said = str(error)[:MAX_MESSAGE_CHARS]
        raise gr.Error(plain(said) if escape else said, print_exception=False) from None
    except Exception:
        logging.getLogger(__name__).exception("an event failed")
        raise gr.Error(
            "Something broke on the server; it has been logged. Try again.", print_exception=False
        ) from None


def plain(text: str) -> str:
    """A text that a page or a chart shows as it is, markup and all."""
    return html.escape(text, quote=False)


def bytes_text(count: int) -> str:
    """A size for people: 512 B, 24.6 kB, 2.9 MB."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
