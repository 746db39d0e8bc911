"""The web server's application: routes around one lab."""

import contextlib
from collections.abc import AsyncIterator

import anyio.to_thread
from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app import __version__
from app.database import Database, DatabaseUnavailableError
from app.errors import answer_unavailable, answer_unexpected, answer_validation_error
from app.gate import Gate, is_needed
from app.hosts import KnownHostsOnly
from app.lab import Lab
from app.middleware import BodyLimit, SecurityHeaders
from app.routes import ROUTERS
from app.routes.common import TheLab, problem
from app.routes.pages import answer_http_error
from app.runs.executors import build_executor
from app.settings import Settings, load_settings
from app.static import StaticFiles
from app.telemetry import PROMETHEUS_TYPE, measurements


def create_app(
    settings: Settings | None = None, lab: Lab | None = None, files: StaticFiles | None = None
) -> FastAPI:
    """The application; nothing is opened or started before it is served.

    Args:
        settings: default: those of the environment.
        lab: one that has been opened already, with these settings. It is closed at the end.
        files: of the page, where they are at hand.
    """
    settings = settings or load_settings()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = await anyio.to_thread.run_sync(_open, settings) if lab is None else lab
        app.state.lab = opened
        try:
            opened.feed.attach()
            await anyio.to_thread.run_sync(_start, opened)
            app.state.files = files or StaticFiles(settings.data_dir / "cache")
            yield
        finally:
            opened.end_streams()
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(opened.close)

    app = FastAPI(
        title="Newton Lab",
        version=__version__,
        summary="Train with vanilla and Newton losses side by side, and watch what curvature does.",
        lifespan=lifespan,
        docs_url=None,  # these pages load their scripts from elsewhere
        redoc_url=None,
        separate_input_output_schemas=False,
        responses={
            400: problem("The body is no JSON, or the lab is not called by that name."),
            401: problem("The lab asks for a code."),
            403: problem("Another site's page, or another visitor's run."),
            413: problem("The body is too large."),
            503: problem("The database cannot be used just now."),
        },
    )
    app.root_path = settings.root_path  # FastAPI warns of it as an argument
    for router in ROUTERS:
        app.include_router(router)
    app.add_api_route("/api/openapi.json", app.openapi, include_in_schema=False)
    if settings.prometheus:
        app.add_api_route("/metrics", _metrics, include_in_schema=False)
    app.add_exception_handler(RequestValidationError, answer_validation_error)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(DatabaseUnavailableError, answer_unavailable)
    app.add_exception_handler(TimeoutError, answer_unavailable)
    app.add_exception_handler(Exception, answer_unexpected)
    app.add_middleware(BodyLimit, settings=settings)
    if is_needed(settings):
        app.add_middleware(Gate, settings=settings)
    app.add_middleware(KnownHostsOnly, settings=settings)
    app.add_middleware(SecurityHeaders, settings=settings)
    return app


def _open(settings: Settings) -> Lab:
    database = Database.open(settings, may_share=True)
    executor = build_executor(settings)
    if database.is_owner:
        executor.start()
    return Lab.assemble(settings, database, executor)


def _start(lab: Lab) -> None:
    lab.role.start()
    lab.guardian.start()


def _metrics(lab: TheLab) -> Response:
    return Response(measurements(lab), media_type=PROMETHEUS_TYPE)
