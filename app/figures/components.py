"""The forest plot of a table of components: what a whole step, its length and its direction do."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.figures.chart import FONT, axis
from app.figures.palette import LIGHT
from newton_core.evidence.results import ArmResult, Result, RowResult
from newton_core.experiment.arms import ARM_LABELS

COLUMNS: dict[str, tuple[str, ...]] = {
    "Controls without curvature": ("clip", "normalise"),
    "Hessian": ("hessian", "hessian_length", "hessian_direction"),
    "Fisher": ("fisher", "fisher_length", "fisher_direction"),
}
"""Titles of the panels, and the kinds of arms in each, from top to bottom."""
STYLES = (("whole step", 1, "square"), ("its length", 3, "diamond"), ("its direction", 2, "circle"))
CONTROL_STYLES = (("clipped", 4, "triangle-up"), ("normalised", 5, "triangle-down"))
"""Name, colour (of an arm with this index) and symbol of each mark of a panel."""
WIDTH_PIXELS, ROW_PIXELS = 1100, 46
_APART = 0.25


def components(result: Result) -> go.Figure:
    """A row for each loss, a panel for each curvature: paired differences to the first arm.

    Right is better: the sign is turned where lower values are. Shares count in percentage points,
    other metrics in per cent of the baseline's mean, so that all losses have one axis. Bars are
    95 % intervals; a filled mark is a difference that is shown after Holm's correction over the
    row's arms.

    Raises:
        ValueError: no row has an arm of any panel.
    """
    labels = {ARM_LABELS[kind] for kinds in COLUMNS.values() for kind in kinds}
    if not any(arm.label in labels for row in result.rows for arm in row.arms):
        raise ValueError("there are no components to draw: no row has such an arm")
    figure = make_subplots(
        rows=1, cols=len(COLUMNS), shared_yaxes=True, shared_xaxes="all",
        horizontal_spacing=0.02, subplot_titles=list(COLUMNS),
    )  # fmt: skip
    for column, kinds in enumerate(COLUMNS.values(), start=1):
        styles = STYLES if len(kinds) == len(STYLES) else CONTROL_STYLES
        for place, (kind, (name, color, symbol)) in enumerate(zip(kinds, styles, strict=True)):
            offset = (place - (len(kinds) - 1) / 2) * _APART
            found = _marks(result, ARM_LABELS[kind], offset)
            mark = {"symbol": symbol, "color": LIGHT.arms[color].color}
            figure.add_trace(_trace(found, name, mark, legend=column < len(COLUMNS)), 1, column)
    titles = [row.title + _unit(row) for row in result.rows]
    figure.update_layout(
        template=go.layout.Template(),
        width=WIDTH_PIXELS,
        height=ROW_PIXELS * len(titles) + 150,
        font={"family": FONT, "size": 12, "color": LIGHT.ink},
        paper_bgcolor=LIGHT.panel,
        plot_bgcolor=LIGHT.panel,
        margin={"l": 270, "r": 20, "t": 80, "b": 60},
        legend={"orientation": "h", "x": 0, "y": 0.99, "yanchor": "top", "yref": "container"},
    )
    figure.update_xaxes(
        axis(
            showgrid=True,
            gridcolor=LIGHT.grid,
            zeroline=True,
            zerolinecolor=LIGHT.soft,
            zerolinewidth=1,
        )
    )
    base = result.rows[0].arms[0].label
    figure.update_xaxes(
        title_text=f"difference to {base}, percentage points: right is better, filled is shown",
        row=1,
        col=2,
    )
    figure.update_yaxes(
        axis(
            showgrid=False,
            range=[len(titles) - 0.5, -0.5],
            tickvals=list(range(len(titles))),
            ticktext=titles,
        )
    )
    figure.update_yaxes(showticklabels=True, row=1, col=1)
    return figure


def _unit(row: RowResult) -> str:
    return "" if row.metric.kind == "share" else "<br>(in % of the baseline's)"


def _marks(result: Result, label: str, offset: float) -> list[tuple[float, ArmResult, RowResult]]:
    """The arms of one kind, each with its height on the y axis; rows without it are left out."""
    return [
        (place + offset, arm, row)
        for place, row in enumerate(result.rows)
        for arm in row.arms
        if arm.label == label and arm.gain is not None and arm.gain.mean is not None
    ]


def _trace(
    marks: list[tuple[float, ArmResult, RowResult]],
    name: str,
    mark: dict[str, str],
    *,
    legend: bool,
) -> go.Scatter:
    means, above, below, symbols = [], [], [], []
    for _, arm, row in marks:
        low, mean, high = ends(arm, row)
        means.append(mean)
        above.append(high - mean)
        below.append(mean - low)
        shown = arm.gain is not None and arm.gain.shows in ("better", "worse")
        symbols.append(mark["symbol"] + ("" if shown else "-open"))
    return go.Scatter(
        x=means,
        y=[height for height, _, _ in marks],
        mode="markers",
        name=name,
        legendgroup=name,
        showlegend=legend,
        error_x={
            "type": "data", "symmetric": False, "array": above, "arrayminus": below,
            "thickness": 1.5, "width": 3, "color": mark["color"],
        },
        marker={"symbol": symbols, "size": 9, "color": mark["color"], "line": {"width": 1.5}},
        text=[row.title for _, _, row in marks],
        hovertemplate="%{text}: %{x:+.3r}<extra></extra>",
    )  # fmt: skip


def ends(arm: ArmResult, row: RowResult) -> tuple[float, float, float]:
    """An arm's difference as it is drawn: low, mean and high; the mean thrice without interval."""
    gain, base = arm.gain, row.arms[0].mean
    assert gain is not None
    assert gain.mean is not None
    sign = -1 if row.metric.better == "lower" else 1
    factor = sign * (100.0 if row.metric.kind == "share" or not base else 100.0 / abs(base))
    both = (gain.mean if end is None else end for end in (gain.low, gain.high))
    low, high = sorted(factor * end for end in both)
    return low, factor * gain.mean, high
