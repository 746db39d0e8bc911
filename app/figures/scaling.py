"""The chart of ``newton-lab scale``: a curvature's cost over each size, a line a loss."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.chart import FONT, axis
from app.figures.palette import ARM_STYLES, LIGHT
from newton_core.evidence.results import Result, RowResult

SIZES = {"weights": "weights of the network", "outputs": "outputs", "batch": "batch"}
WIDTH_PIXELS, HEIGHT_PIXELS = 960, 560


def scaling(result: Result) -> go.Figure:
    """Rows: Hessian and Fisher; columns: what grows; ratio to the plain step, both axes log.

    Bars reach over the 95 % interval of the mean over repeats.
    """
    curvatures = [arm.label for arm in result.rows[0].arms[1:]] if result.rows else []
    figure = make_subplots(
        rows=max(1, len(curvatures)), cols=len(SIZES), shared_yaxes=True, shared_xaxes=True,
        horizontal_spacing=0.03, vertical_spacing=0.06,
    )  # fmt: skip
    losses = list(dict.fromkeys(row.specs[0]["title"] for row in result.rows))
    for i in range(1, len(curvatures) + 1):
        for j, size in enumerate(SIZES, start=1):
            for k, loss in enumerate(losses):
                rows = _line(result, loss, size)
                figure.add_trace(_trace(rows, i, size, loss, k, legend=(i, j) == (1, 1)), i, j)
    figure.update_layout(
        template=go.layout.Template(),
        width=WIDTH_PIXELS,
        height=HEIGHT_PIXELS,
        title={"text": result.title, "x": 0, "xref": "paper", "font": {"size": 14}},
        font={"family": FONT, "size": 12, "color": LIGHT.ink},
        paper_bgcolor=LIGHT.panel,
        plot_bgcolor=LIGHT.panel,
        margin={"l": 70, "r": 20, "t": 80, "b": 55},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )
    figure.update_xaxes(axis(showgrid=True, gridcolor=LIGHT.grid, type="log", dtick=1))
    figure.update_yaxes(
        axis(
            showgrid=True,
            gridcolor=LIGHT.grid,
            type="log",
            tickvals=[0.5, 0.7, 1, 1.4, 2, 5, 10, 20, 50, 100],
        )
    )
    for i, label in enumerate(curvatures, start=1):
        figure.update_yaxes(title_text=f"{label}, times a plain step", row=i, col=1)
    for j, words in enumerate(SIZES.values(), start=1):
        figure.update_xaxes(title_text=words, row=len(curvatures), col=j)
    return figure


def _line(result: Result, loss: str, size: str) -> list[RowResult]:
    """The rows of one loss in which ``size`` grows, the middle point among them."""
    found = [
        row
        for row in result.rows
        if row.specs[0]["title"] == loss and row.specs[0]["axis"] in (size, "middle")
    ]
    return sorted(found, key=lambda row: int(row.specs[0][size]))


def _trace(
    rows: list[RowResult], arm: int, size: str, loss: str, style: int, *, legend: bool
) -> go.Scatter:
    # a gain is the ratio less that of the plain step, which is 1
    ends = [(row.arms[arm].mean, row.arms[arm].gain) for row in rows]
    highs = [gain.high - gain.mean if gain and gain.high and gain.mean else 0 for _, gain in ends]
    lows = [gain.mean - gain.low if gain and gain.low and gain.mean else 0 for _, gain in ends]
    look, color = ARM_STYLES[1 + style], LIGHT.arms[1 + style].color
    return go.Scatter(
        x=[row.specs[0][size] for row in rows],
        y=[mean for mean, _ in ends],
        error_y={"type": "data", "symmetric": False, "array": highs, "arrayminus": lows},
        mode="lines+markers",
        name=loss,
        legendgroup=loss,
        showlegend=legend,
        line={"color": color, "dash": look.dash, "width": 1.9},
        marker={"symbol": look.symbol, "size": 7},
        hovertemplate="%{x:,}: × %{y:.3r}<extra></extra>",
    )
