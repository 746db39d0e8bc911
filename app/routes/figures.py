"""The templates of the page's charts."""

from fastapi import APIRouter, Response

from app.figures import rendered
from app.figures.template import Template
from app.routes.common import TheLab

router = APIRouter(tags=["catalog"])


@router.get("/api/figures", response_model=dict[str, Template])
def figures(lab: TheLab) -> Response:
    """Chart templates made with plotly.py, by the chart's name; the page fills in the arrays."""
    lab.steps.warm()
    lab.landscapes.warm()  # somebody has opened the page and may ask for a landscape soon
    return Response(rendered(), media_type="application/json")  # ready-made: plotly wrote it
