"""The figures of a finished generation as bars."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from minrnn.ui.components import dress


def bars(
    label: str,
    names: Sequence[str],
    colors: Sequence[str],
    values: Sequence[float],
    *,
    digits: int = 0,
    log: bool = False,
) -> go.Figure:
    """One measure, a bar a model.

    Args:
        label: what is measured, with its unit.
        names: the models.
        colors: theirs.
        values: theirs.
        digits: decimals shown.
        log: whether the axis is logarithmic.
    """
    number = f"%{{y:,.{digits}f}}"
    bar = go.Bar(
        x=list(range(len(names))),
        customdata=list(names),
        y=list(values),
        marker_color=list(colors),
        texttemplate=number,
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{customdata}: " + number + "<extra></extra>",
    )
    figure = go.Figure(bar, {"title": {"text": label, "font": {"size": 13}, "x": 0}})
    places = {"tickvals": list(range(len(names))), "ticktext": list(names)}  # two models may have one name
    figure.update_xaxes(**places)
    figure.update_yaxes(**({"type": "log", "dtick": 1} if log else {"nticks": 5}))
    return dress(figure, showlegend=False, bargap=0.35, margin={"l": 52, "r": 8, "t": 48, "b": 32})
