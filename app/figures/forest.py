"""The forest plot of a comparison: each arm's difference to the baseline, with its interval."""

import math

import plotly.graph_objects as go

from app.evidence.comparison import number_of_difference, title_of
from app.figures.chart import FONT, axis
from app.figures.palette import ARM_STYLES, LIGHT
from newton_core.experiment.comparison import ComparedArm, Comparison

ROW_PIXELS = 44
WIDTH_PIXELS = 900
_SYMBOLS = {"better": "square", "worse": "square", "not shown": "square-open"}


def forest(comparison: Comparison) -> go.Figure:
    """One row for each arm but the first: mean difference, 95 % interval, every seed as a dot.

    An open square is a difference that is not shown, or that so few seeds cannot show.

    Raises:
        ValueError: there is one arm alone.
    """
    arms = [arm for arm in comparison.arms[1:] if arm.difference is not None]
    if not arms:
        raise ValueError("a forest plot needs a second arm whose values are known")
    share = comparison.metric.kind == "share"
    factor = 100.0 if share else 1.0
    unit = "percentage points" if share else comparison.metric.unit
    better = {"higher": "right is better", "lower": "left is better", None: ""}
    words = [f"difference to {comparison.arms[0].label}", unit]
    side = better[comparison.metric.better]
    return go.Figure(
        data=[one for arm in arms for one in (_seeds(comparison, arm, factor), _row(arm, factor))],
        layout=go.Layout(
            template=go.layout.Template(),
            width=WIDTH_PIXELS,
            height=ROW_PIXELS * len(arms) + 130,
            title={"text": title_of(comparison), "x": 0, "xref": "paper", "font": {"size": 14}},
            font={"family": FONT, "size": 12, "color": LIGHT.ink},
            paper_bgcolor=LIGHT.panel,
            plot_bgcolor=LIGHT.panel,
            margin={"l": 160, "r": 210, "t": 50, "b": 60},
            showlegend=False,
            xaxis=axis(
                showgrid=True,
                gridcolor=LIGHT.grid,
                zeroline=True,
                zerolinecolor=LIGHT.soft,
                zerolinewidth=1,
                title_text=", ".join(word for word in (*words, side) if word),
            ),
            yaxis=axis(
                showgrid=False, autorange="reversed", type="category", tickfont={"size": 12}
            ),
            annotations=[_numbers(comparison, arm) for arm in arms],
        ),
    )


def _seeds(comparison: Comparison, arm: ComparedArm, factor: float) -> go.Scatter:
    """The single seeds' differences, faint."""
    baseline = comparison.arms[0].values
    differences = [factor * (a - b) for a, b in zip(arm.values, baseline, strict=True)]
    return go.Scatter(
        x=differences,
        y=[arm.label] * len(differences),
        mode="markers",
        marker={"size": 5, "color": _color(arm), "opacity": 0.3},
        hovertemplate="one seed: %{x:+.3r}<extra></extra>",
    )


def _row(arm: ComparedArm, factor: float) -> go.Scatter:
    """The mean and its interval."""
    found, verdict = arm.difference, arm.verdict
    assert found is not None
    assert verdict is not None
    known = math.isfinite(found.low)
    error = (
        {
            "type": "data",
            "symmetric": False,
            "array": [factor * (found.high - found.mean)],
            "arrayminus": [factor * (found.mean - found.low)],
            "thickness": 2,
            "width": 5,
        }
        if known
        else None
    )
    return go.Scatter(
        x=[factor * found.mean],
        y=[arm.label],
        mode="markers",
        error_x=error,
        marker={
            "size": 11,
            "symbol": _SYMBOLS.get(verdict.kind, "square-open"),
            "color": _color(arm),
            "line": {"width": 2},
        },
        hovertemplate=f"%{{x:+.3r}}, {verdict.kind}<extra>{arm.label}</extra>",
    )


def _numbers(comparison: Comparison, arm: ComparedArm) -> dict[str, object]:
    """The numbers at a row's right end."""
    assert arm.verdict is not None
    return {
        "x": 1.01,
        "xref": "paper",
        "xanchor": "left",
        "y": arm.label,
        "yref": "y",
        "text": f"{number_of_difference(comparison, arm)}<br>{arm.verdict.kind}",
        "align": "left",
        "showarrow": False,
        "font": {"size": 11},
    }


def _color(arm: ComparedArm) -> str:
    return LIGHT.arms[arm.arm % len(ARM_STYLES)].color
