"""The HTTP interface, one file per resource; a new one is added to ``ROUTERS``."""

from fastapi import APIRouter

from app.routes.access import router as access
from app.routes.catalog import router as catalog
from app.routes.comparisons import router as comparisons
from app.routes.events import router as events
from app.routes.exports import router as exports
from app.routes.figures import router as figures
from app.routes.health import router as health
from app.routes.landscapes import router as landscapes
from app.routes.lessons import router as lessons
from app.routes.pages import router as pages
from app.routes.paths import router as paths
from app.routes.pictures import router as pictures
from app.routes.presentations import router as presentations
from app.routes.queue import router as queue
from app.routes.results import router as results
from app.routes.runs import router as runs
from app.routes.sweeps import router as sweeps

ROUTERS: tuple[APIRouter, ...] = (
    health,
    access,
    catalog,
    runs,
    queue,
    comparisons,
    events,
    sweeps,
    exports,
    figures,
    landscapes,
    pictures,
    paths,
    results,
    lessons,
    presentations,
    pages,
)

__all__ = ["ROUTERS"]
