"""Chart templates, made with plotly.py and drawn by the plotly.js inside its package.

The page, the HTML report and the hand-outs fill in the same templates, so no chart is written
twice; the templates hold no data and no colours but the palettes that a theme chooses from.
"""

import json
from functools import cache
from typing import Any

from app.figures.palette import palettes

__all__ = ["palettes", "rendered", "templates"]


def templates() -> dict[str, Any]:
    """Every chart's template by name, the main one first: figures as plain JSON.

    Returns:
        ``{name: {"data": [...], "layout": {...}}}``. ``layout.meta`` says which metrics the chart
        can show (``choices``), from which events (``source``), as what (``kind``), how wide
        (``span``), and in which colours (``palettes``).
    """
    loaded: dict[str, Any] = json.loads(rendered())
    return loaded


@cache
def rendered() -> str:
    """:func:`templates` as JSON text, made once."""
    # plotly.py takes a moment to import, which only those who ask for charts should wait for.
    from app.figures import curves, planes, spectra

    figures = (
        curves.accuracy(),
        curves.loss(),
        curves.gradients(),
        curves.curvature(),
        curves.cosine(),
        spectra.spectrum("hessian"),
        spectra.spectrum("fisher"),
        spectra.gradient_norms(),
        spectra.health(),
        planes.landscape(),
        planes.step(),
        planes.lines(),
    )
    return json.dumps(
        {figure.layout.meta["chart"]: json.loads(figure.to_json()) for figure in figures},
        ensure_ascii=False,
        separators=(",", ":"),
    )
