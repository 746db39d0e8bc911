"""Pictures that no run's columns fill: a loss over a plane, and lines of a page's own.

``landscape`` is drawn as contours or as a surface, with what lies on it: paths, arrows, borders
and names. ``step`` is the same plane around one sample's outputs. Both have one scale for their two
axes. ``lines`` is a chart of lines over any axis. The page makes as many of each trace as it has
things to show, in the colours of its theme.
"""

from typing import Any

import plotly.graph_objects as go

from app.figures.chart import FONT, axis, figure
from app.figures.template import Choice, Role

HEIGHT = Choice(
    metric="loss",
    title="Loss landscape",
    unit="loss over a plane",
    hover="%{z:.3r}",
    log=True,
    description="The loss at every point of a plane, of network weights or of outputs.",
)
VALUE = Choice(
    metric="value",
    title="Lines",
    unit="value",
    hover="%{y:.3r}",
    description="Lines of a page's own, over any axis.",
)


EVEN = {"constrain": "domain"}
"""With an anchor: one unit is as long on both axes, so that lengths and angles are true."""
TOP = EVEN | {"constraintoward": "top"}


def _role(role: Role, choice: Choice) -> dict[str, Any]:
    return {"meta": {"arm": "*", "metric": choice.metric, "role": role}, "x": [], "y": []}


PLACE = "%{x:.3~f}, %{y:.3~f}"


def _flat() -> list[Any]:
    """A function over a plane as contours, and what lies on it."""
    flat: dict[str, Any] = {"hoverinfo": "skip", "cliponaxis": True}
    return [
        go.Contour(
            **_role("contour", HEIGHT),
            z=[],
            autocontour=False,
            showscale=False,
            connectgaps=False,
            contours={"coloring": "fill", "showlines": True},
            line={"width": 0.5, "smoothing": 0.8},
            hovertemplate=f"%{{customdata}}<br><i>{PLACE}</i><extra></extra>",
        ),
        # A second layer on the same axes: lines without filling.
        go.Contour(
            **_role("layer", HEIGHT),
            z=[],
            autocontour=False,
            showscale=False,
            contours={"coloring": "none", "showlines": True},
            line={"width": 1.3, "dash": "4px,2px", "smoothing": 1},
            hoverinfo="skip",
        ),
        go.Scatter(**_role("path", HEIGHT), **flat, mode="lines+markers", line={"width": 2}),
        go.Scatter(
            **_role("here", HEIGHT),
            **flat,
            mode="markers",
            marker={"size": 11, "line": {"width": 2}},
        ),
        go.Scatter(**_role("border", HEIGHT), **flat, mode="lines", line={"width": 1}),
        go.Scatter(
            **_role("arrow", HEIGHT),
            **flat,
            mode="lines+markers",
            line={"width": 2},
            marker={"symbol": "arrow", "angleref": "previous", "size": 11},
        ),
        go.Scatter(
            **_role("name", HEIGHT), **flat, mode="text", textfont={"size": 11, "weight": 600}
        ),
    ]


def landscape() -> go.Figure:
    """A loss over a plane: flat and in three dimensions, with paths, arrows and names on it."""
    deep: dict[str, Any] = {"hoverinfo": "skip"}
    traces = [
        *_flat(),
        go.Surface(
            **_role("surface", HEIGHT),
            z=[],
            showscale=False,
            connectgaps=False,
            lighting={"ambient": 0.78, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9},
            hovertemplate=f"%{{customdata}}<br><i>{PLACE}</i><extra></extra>",
        ),
        go.Scatter3d(
            **_role("path3d", HEIGHT),
            **deep,
            z=[],
            mode="lines+markers",
            line={"width": 5},
            marker={"size": 3},
        ),
    ]
    quiet = axis(showgrid=False, nticks=5)
    return figure(
        "landscape",
        (HEIGHT,),
        traces,
        source="landscape",
        span="small",
        kind="plane",
        layout={
            "xaxis": quiet | {"title_text": "first direction"} | EVEN,
            "yaxis": quiet | {"title_text": "second direction", "scaleanchor": "x"} | TOP,
            "scene": {
                "xaxis": {"title": {"text": ""}, "nticks": 4, "tickfont": {"size": 10}},
                "yaxis": {"title": {"text": ""}, "nticks": 4, "tickfont": {"size": 10}},
                "zaxis": {"title": {"text": ""}, "nticks": 4, "tickfont": {"size": 10}},
                "aspectmode": "manual",
                "aspectratio": {"x": 1, "y": 1, "z": 0.62},
                "camera": {"eye": {"x": 1.15, "y": -1.35, "z": 0.95}},
                "dragmode": "turntable",
            },
            "hoverlabel": {"font": {"family": FONT, "size": 12}, "align": "left"},
        },
    )


def step() -> go.Figure:
    """A gradient and a Newton step on the loss around a sample's outputs."""
    quiet = axis(showgrid=False, nticks=5)
    return figure(
        "step",
        (HEIGHT,),
        _flat(),
        source="landscape",
        span="small",
        kind="plane",
        layout={
            "xaxis": quiet | {"title_text": "down the gradient"} | EVEN,
            "yaxis": quiet | {"title_text": "across it", "scaleanchor": "x"} | TOP,
            "hoverlabel": {"font": {"family": FONT, "size": 12}, "align": "left"},
        },
    )


def lines() -> go.Figure:
    """Lines over any axis, with shaded stretches."""
    traces = [
        go.Scatter(
            **_role("line", VALUE),
            mode="lines",
            line={"width": 1.9},
            connectgaps=False,
            hovertemplate="%{y:.3r}",
        ),
        go.Scatter(
            **_role("here", VALUE),
            mode="markers",
            marker={"size": 8, "line": {"width": 1.5}},
            hoverinfo="skip",
        ),
    ]
    return figure(
        "lines",
        (VALUE,),
        traces,
        source="landscape",
        span="half",
        kind="lines",
        layout={
            "xaxis": axis(showgrid=False, title_text="step"),
            "yaxis": axis(showgrid=True, gridwidth=1, title_text="value"),
        },
    )
