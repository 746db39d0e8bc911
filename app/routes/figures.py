"""The templates of the page's charts."""

from typing import Any

from fastapi import APIRouter

from app.figures import templates
from app.routes.common import TheLab

router = APIRouter(tags=["catalog"])


@router.get("/api/figures")
def figures(lab: TheLab) -> dict[str, Any]:
    """Chart templates made with plotly.py; the page fills in the arrays."""
    lab.slices.warm()  # somebody has opened the page and may ask for a slice soon
    return templates()
