"""What can be run: all that the page's form is built from."""

from fastapi import APIRouter

from app.catalog import Catalog, catalog_of
from app.routes.common import TheLab

router = APIRouter(tags=["catalog"])


@router.get("/api/catalog")
def catalog(lab: TheLab) -> Catalog:
    """Tasks, losses, presets, the spec's JSON schema, this server's limits, and the vocabulary."""
    return catalog_of(lab.settings)
