"""The chart of ``benchmarks.growth``: time and memory over each size."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.chart import FONT, axis
from app.figures.palette import ARM_STYLES, LIGHT

if TYPE_CHECKING:
    from benchmarks.growth import Growth

WIDTH_PIXELS, HEIGHT_PIXELS = 1100, 640
WORDS = {
    "n": "items n",
    "side": "side of a map",
    "m": "outputs m",
    "N": "samples N",
    "S": "samples of noise S",
}


def chart(found: "list[Growth]") -> go.Figure:
    """Rows: milliseconds and megabytes; columns: what grows; all axes logarithmic."""
    sizes = [size for size in WORDS if any(one.size == size for one in found)]
    figure = make_subplots(
        rows=2, cols=max(1, len(sizes)), shared_xaxes=True, shared_yaxes="rows",
        horizontal_spacing=0.02, vertical_spacing=0.05,
    )  # fmt: skip
    for column, size in enumerate(sizes, start=1):
        of_size = [one for one in found if one.size == size]
        for style, one in enumerate(of_size):
            # the least that is told apart from pages of the system
            megabytes = [value if value >= 0.1 else None for value in one.megabytes]
            figure.add_trace(_trace(one, one.milliseconds, style, legend=True), 1, column)
            figure.add_trace(_trace(one, megabytes, style, legend=False), 2, column)
        figure.update_xaxes(title_text=WORDS[size], row=2, col=column)
    figure.update_layout(
        template=go.layout.Template(),
        width=WIDTH_PIXELS,
        height=HEIGHT_PIXELS,
        font={"family": FONT, "size": 12, "color": LIGHT.ink},
        paper_bgcolor=LIGHT.panel,
        plot_bgcolor=LIGHT.panel,
        margin={"l": 70, "r": 20, "t": 20, "b": 55},
        legend={"y": 0.5, "yanchor": "middle", "tracegroupgap": 6, "font": {"size": 11}},
    )
    figure.update_xaxes(axis(showgrid=True, gridcolor=LIGHT.grid, type="log", dtick=1))
    figure.update_yaxes(axis(showgrid=True, gridcolor=LIGHT.grid, type="log", dtick=1))
    figure.update_yaxes(title_text="ms of a step", row=1, col=1)
    figure.update_yaxes(title_text="MB of a step", row=2, col=1)
    return figure


def _trace(
    one: "Growth", values: Sequence[float | None], style: int, *, legend: bool
) -> go.Scatter:
    look, color = ARM_STYLES[style], LIGHT.arms[style].color
    return go.Scatter(
        x=one.sizes,
        y=values,
        mode="lines+markers",
        name=one.work,
        legendgroup=one.size,
        legendgrouptitle={"text": WORDS[one.size]},
        showlegend=legend,
        line={"color": color, "dash": look.dash, "width": 1.9},
        marker={"symbol": look.symbol, "size": 6},
    )
