"""The templates of the page's charts."""

from typing import Any

from fastapi import APIRouter

from app.figures import templates

router = APIRouter(tags=["catalog"])


@router.get("/api/figures")
def figures() -> dict[str, Any]:
    """Chart templates made with plotly.py; the page fills in the arrays."""
    return templates()
