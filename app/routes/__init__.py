"""The HTTP interface, one file per resource; a new one is added to ``ROUTERS``."""

from fastapi import APIRouter

from app.routes import catalog, events, exports, figures, health, pages, runs

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    catalog.router,
    runs.router,
    events.router,
    exports.router,
    figures.router,
    pages.router,
)

__all__ = ["ROUTERS"]
