"""Stands before the application while that is being loaded, which takes seconds (torch).

The page's files are answered at once; a browser fetches its scripts meanwhile. So is the health: a
monitor waits for nobody. Whatever else is asked for waits until the application is there, and
nobody is refused.
"""

import asyncio
from collections.abc import Callable

import anyio.to_thread
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import __version__
from app.gate import is_needed, own_path
from app.hosts import KnownHostsOnly
from app.middleware import SecurityHeaders
from app.settings import Settings
from app.static import StaticFiles, page_answer
from newton_core.workers.loading import quick_imports

HEALTH = "/api/health"
STARTING = "the lab is starting"
RETRY_SECONDS = 1
"""A start takes seconds."""
_READS = ("GET", "HEAD")


class Front:
    """An ASGI application that loads another one in a thread and then hands everything to it.

    Args:
        settings: of the server. Where visitors are told apart, the page waits as well.
        files: of the page.
        load: imports and assembles the application; called once, in a thread.

    Attributes:
        failure: why the application could not be loaded or started.
        on_failure: called then.
    """

    def __init__(
        self, settings: Settings, files: StaticFiles, load: Callable[[], Starlette]
    ) -> None:
        self.failure: Exception | None = None
        self.on_failure: Callable[[], None] | None = None
        self._root = settings.root_path
        self._files = files
        self._load = load
        self._app: ASGIApp = _unavailable
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready, self._stopped = asyncio.Event(), asyncio.Event()
        page = self._wait if is_needed(settings) else self._page
        self._early = SecurityHeaders(KnownHostsOnly(page, settings), settings)
        self._health = SecurityHeaders(KnownHostsOnly(_starting, settings), settings)

    def release(self) -> None:
        """Answers all who wait, because the server stops; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._ready.is_set():
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and self._is_health(scope):
            await self._health(scope, receive, send)
        elif scope["type"] == "http" and self._is_file(scope):
            await self._early(scope, receive, send)
        else:
            await self._wait(scope, receive, send)

    def _is_health(self, scope: Scope) -> bool:
        return scope["method"] in _READS and self._path(scope) == HEALTH

    def _is_file(self, scope: Scope) -> bool:
        path = self._path(scope)
        is_read = scope["method"] in _READS
        return is_read and (path == "/" or self._files.find(path) is not None)

    def _path(self, scope: Scope) -> str:
        return own_path({**scope, "root_path": self._root})

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = page_answer(self._files, self._path(scope), self._root)
        await answer(scope, receive, send)

    async def _wait(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ready.wait()
        await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The server's start and stop; the application's own lie between them."""
        await receive()
        self._loop = asyncio.get_running_loop()
        loaded = asyncio.create_task(self._serve())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._stopped.set()
        await loaded
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self) -> None:
        try:
            app = await anyio.to_thread.run_sync(self._load_quickly)
            async with app.router.lifespan_context(app):
                self._app = app
                self._ready.set()
                await self._stopped.wait()
        except Exception as error:  # raised again by whoever started the server
            self.failure = error
            if self.on_failure is not None:
                self.on_failure()
        finally:
            self._ready.set()

    def _load_quickly(self) -> Starlette:
        with quick_imports():
            return self._load()


async def _starting(scope: Scope, receive: Receive, send: Send) -> None:
    """What the health says before there is anything to look at."""
    said = {
        "status": "unavailable",
        "version": __version__,
        "reasons": [STARTING],
        "detail": STARTING,
    }
    answer = JSONResponse(said, 503, headers={"Retry-After": str(RETRY_SECONDS)})
    await answer(scope, receive, send)


async def _unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers where the application could not be loaded, or not in time."""
    await JSONResponse({"detail": "the server could not start, or stops"}, 503)(
        scope, receive, send
    )
