"""What all chart templates share: the record of a metric to choose, traces, axes and margins.

A template is a complete Plotly figure without data. Its traces are prototypes: the page makes one
of each for every arm (``meta.arm`` is ``"*"`` until then), fills in x and y, and takes colours from
the palette of its theme. ``meta.role`` says what a trace is for:

- ``ghost``: the curve of the run that this one was forked from, or of a run it is compared with
- ``band``: one standard error to either side; over seeds, from the lowest to the highest
- ``raw``: every recorded value; ``smooth``: their running mean, drawn over them
- ``label``: the marker and the name at the curve's end, in place of a legend
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import plotly.graph_objects as go

from app.figures.palette import palettes
from app.figures.template import Choice, Kind, Role, Source, Span
from newton_core.metrics import MetricDescription

FONT = "system-ui, sans-serif"
ERROR = ", ± standard error"


def choice(
    metric: MetricDescription, source: Source | None = None, task: str | None = None
) -> Choice:
    """A chart's view of a metric, as the metric describes itself.

    ``source`` says which events hold it, where those are not the chart's own; ``task``, whose
    words these are, where tasks have other words for one name.
    """
    share = metric.kind == "share"
    factor = 100.0 if share else 1.0
    digits = ".3r" if metric.decimals is None else f".{metric.decimals}f"
    low, high = (None if bound is None else factor * bound for bound in metric.bounds)
    return Choice(
        metric=metric.name,
        title=metric.title,
        unit=("% of " if share else "") + metric.unit + (ERROR if metric.sampled else ""),
        hover=f"%{{y:{digits}}}" + (" %" if share else ""),
        log=metric.scale == "log",
        factor=factor,
        bounds=(low, high),
        description=metric.description,
        source=source,
        task=task,
    )


def trace(role: Role, choice: Choice) -> go.Scatter:
    """The prototype of one arm's trace in a chart of curves."""
    common: dict[str, Any] = {
        "meta": {"arm": "*", "metric": choice.metric, "role": role},
        "x": [],
        "y": [],
        "connectgaps": False,
        "hoverinfo": "skip",
    }
    if role == "band":
        return go.Scatter(**common, mode="lines", line={"width": 0}, fill="toself", opacity=0.14)
    if role == "label":
        return go.Scatter(
            **common,
            mode="markers+text",
            marker={"size": 6, "line": {"width": 1.5}},
            textposition="middle right",
            textfont={"size": 12, "weight": 600},
            cliponaxis=False,
        )
    if role == "ghost":
        return go.Scatter(**common, mode="lines", line={"width": 1.2}, opacity=0.45)
    if role == "raw":
        return go.Scatter(**common, mode="lines", line={"width": 1}, opacity=0.34)
    readable = common | {"hoverinfo": "all", "hovertemplate": choice.hover}
    return go.Scatter(**readable, mode="lines", line={"width": 1.9}, opacity=1)


def axis(**settings: Any) -> dict[str, Any]:
    """A quiet axis: no line, no zero line, few ticks without marks."""
    return {
        "showline": False,
        "zeroline": False,
        "ticks": "",
        "nticks": 5,
        "exponentformat": "power",
        "tickfont": {"size": 11},
        "title": {"font": {"size": 11}, "standoff": 4},
    } | settings


def curves(
    name: str,
    choices: Sequence[Choice],
    *,
    source: Source,
    span: Span = "small",
    roles: Sequence[Role] = ("ghost", "band", "raw", "smooth", "label"),
) -> go.Figure:
    """A chart of one curve an arm; the first choice is shown until another is chosen."""
    first = choices[0]
    return figure(
        name,
        choices,
        [trace(role, first) for role in roles],
        source=source,
        span=span,
        kind="curves",
        layout={
            "xaxis": axis(showgrid=False, type="linear", title_text="step", rangemode="tozero"),
            "yaxis": axis(
                showgrid=True,
                gridwidth=1,
                type="log" if first.log else "linear",
                title_text=first.unit,
            ),
        },
    )


def figure(
    name: str,
    choices: Sequence[Choice],
    traces: Sequence[Any],
    *,
    source: Source,
    span: Span,
    kind: Kind,
    layout: dict[str, Any],
) -> go.Figure:
    """A template: prototypes of traces, and a layout that says what it is in ``meta``."""
    hero = span == "hero"
    return go.Figure(
        data=list(traces),
        layout=go.Layout(
            # An empty template in place of plotly.py's default one, which would bring colours.
            template=go.layout.Template(),
            meta={
                "chart": name,
                "kind": kind,
                "source": source,
                "span": span,
                "choices": [
                    asdict(choice) | {"source": choice.source or source} for choice in choices
                ],
                "palettes": palettes(),
            },
            title={
                "text": choices[0].title,
                "subtitle": {"text": choices[0].unit},
                "x": 0,
                "xref": "paper",
                "font": {"size": 14, "weight": 600},
            },
            font={"family": FONT, "size": 11},
            margin={"l": 44, "r": 96 if hero else 44, "t": 10, "b": 26, "pad": 0},
            showlegend=False,
            hovermode="x",
            dragmode="zoom",
            separators=".,",
            **layout,
        ),
    )
