"""Small multiples, one panel an arm: spectra, and the distribution of per-sample gradients."""

from typing import Any, Literal

import plotly.graph_objects as go

from app.figures.chart import axis, choice, curves, figure
from app.figures.template import Choice
from newton_core.metrics import EXPLODING_SHARE, VANISHING_SHARE

SPECTRA = {
    "hessian": Choice(
        metric="hessian.eigenvalues",
        title="Hessian spectrum",
        unit="eigenvalues",
        hover="%{y:.3r}",
        log=True,
        signed=True,
        description="Every eigenvalue of the Hessian at the arm's outputs (quantiles where there"
        " are more than 12), undamped; below zero the loss curves downwards.",
    ),
    "fisher": Choice(
        metric="fisher.eigenvalues",
        title="Fisher spectrum",
        unit="eigenvalues",
        hover="%{y:.3r}",
        log=True,
        signed=True,
        description="Every eigenvalue of the empirical Fisher at the arm's outputs (quantiles"
        " where there are more than 12), undamped.",
    ),
}
NORMS = (
    Choice(
        metric="gradient_norms",
        title="Per-sample gradients",
        unit="norm, log; darker: more of the batch",
        hover="%{y:.3r}",
        log=True,
        description="How the norms of single samples' output gradients are spread at each"
        " evaluation, in bins half a decade wide.",
    ),
)
HEALTH = (
    choice(VANISHING_SHARE),
    choice(EXPLODING_SHARE),
)


def _panels(name: str, choices: tuple[Choice, ...], prototype: Any, kind: Any) -> go.Figure:
    return figure(
        name,
        choices,
        [prototype],
        source="curvature",
        span="half",
        kind=kind,
        layout={
            "xaxis": axis(showgrid=False, nticks=3, title_text="step"),
            "yaxis": axis(showgrid=True, gridwidth=1, title_text=choices[0].unit),
        },
    )


def spectrum(name: Literal["hessian", "fisher"]) -> go.Figure:
    """The fan of one curvature's eigenvalues over training, one panel an arm on shared axes.

    A chart for each curvature: of the same outputs, to be looked at side by side.
    """
    choice = SPECTRA[name]
    fan = go.Scatter(
        meta={"arm": "*", "metric": choice.metric, "role": "fan"},
        x=[],
        y=[],
        mode="lines",
        line={"width": 1.1},
        connectgaps=False,
        opacity=0.85,
        hovertemplate=choice.hover,
    )
    return _panels(f"{name}_spectrum", (choice,), fan, "fan")


def gradient_norms() -> go.Figure:
    """Heat map of per-sample gradient norms over training, one panel an arm on shared axes."""
    first = NORMS[0]
    heat = go.Heatmap(
        meta={"arm": "*", "metric": first.metric, "role": "heat"},
        x=[],
        y=[],
        z=[],
        zmin=0,
        zsmooth=False,
        showscale=False,
        hovertemplate=first.hover,
    )
    return _panels("gradient_norms", NORMS, heat, "heat")


def health() -> go.Figure:
    """Share of the batch whose gradient vanishes or explodes."""
    return curves(
        "health",
        HEALTH,
        source="curvature",
        span="half",
        roles=("ghost", "band", "smooth", "label"),
    )
