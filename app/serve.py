"""Starts the server, and its workers first, because their imports take longest."""

import asyncio
import contextlib
import errno
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

import structlog
import uvicorn

from app.address import forget_address, note_address
from app.connections import bounded_protocol, quiet_about_files
from app.front import Front
from app.runs.executors import Executor, ExecutorError, build_executor
from app.settings import Settings
from app.static import StaticFiles
from app.telemetry import set_up_logging
from newton_core.workers.loading import quick_imports

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.database import Database
    from app.lab import Lab


PICTURE_THREADS = "AnyIO worker thread"
LEAVE_SECONDS = 0.1

logger = structlog.get_logger(__name__)


class ServeError(RuntimeError):
    """The server cannot start; the message says why and what to do."""


class ServerLostError(ServeError):
    """The server had to stop: its database is another one's now."""


def serve(settings: Settings, *, open_browser: bool = False) -> None:
    """Serves the lab until it is interrupted.

    Args:
        settings: of the server.
        open_browser: opens the page once the server answers, where there is a browser.

    Raises:
        ServeError: the address is taken, or the database cannot be used.
        ServerLostError: another server took the database.
    """
    os.environ["NEWTON_LAB_DATA_DIR"] = str(settings.data_dir)  # newton_core reads it there
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(_bind(settings.host, settings.port))
        undo.enter_context(_told_in_one_line())
        executor = build_executor(settings)
        undo.callback(executor.close)
        if settings.postgres_url is None:  # nobody else can own the queue: no time is lost
            executor.start()
        database = _open_database(settings)
        undo.callback(database.close)
        if database.is_owner:
            if settings.postgres_url is not None:
                executor.start()
            forget_address(settings)
        set_up_logging(settings)
        parts = _Parts(settings, database, executor, StaticFiles(settings.data_dir / "cache"))
        undo.pop_all()  # from here on the application closes everything
    address = f"http://{_shown_host(settings.host)}:{listener.getsockname()[1]}"
    address += f"{settings.root_path}/"

    def note() -> None:
        with contextlib.suppress(OSError):  # the disk is full: the health of the lab says so
            note_address(settings, address)

    def announce() -> None:
        if database.is_owner:
            note()
        sys.stdout.write(f"Newton Lab is at {address} (Ctrl-C stops it)\n")
        sys.stdout.flush()
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    front = Front(settings, parts.files, parts.assemble)
    config = uvicorn.Config(
        front,
        http=bounded_protocol(),
        log_config=None,
        access_log=settings.log_level == "debug",
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )

    def end_answers() -> None:
        parts.end_streams()
        front.release()

    server = _Server(config, on_start=announce, on_stop=end_answers)
    front.on_failure = parts.on_lost = server.give_up
    parts.on_owner = note
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:  # raised again by uvicorn, once all is closed
        pass
    finally:
        if database.is_owner:
            forget_address(settings)
    if front.failure is not None:
        raise front.failure
    if parts.lab is not None and parts.lab.guardian.lost is not None:
        raise ServerLostError(parts.lab.guardian.lost)
    if not server.started:
        raise ServeError("the server could not start; its log above says why")
    _leave_pictures()


@contextlib.contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        yield
    except ExecutorError as error:
        raise ServeError(str(error)) from error


def _leave_pictures() -> None:
    """Ends this process, closed as it is, if a thread computes a picture: none can be stopped."""
    threads = [t for t in threading.enumerate() if t.name.startswith(PICTURE_THREADS)]
    for thread in threads:
        thread.join(LEAVE_SECONDS)
    if left := sum(thread.is_alive() for thread in threads):
        logger.info("stopped", pictures_left=left)
        sys.stdout.flush()
        os._exit(0)


def _open_database(settings: Settings) -> "Database":
    """Opens the database before anything heavy is imported, so that a refusal comes at once."""
    with quick_imports():
        from app.database import Database, DatabaseStartError

    try:
        return Database.open(settings, may_share=True)
    except DatabaseStartError as error:
        raise ServeError(str(error)) from error


class _Parts:
    """What the application is made of, opened already; it is assembled while the page loads."""

    def __init__(
        self, settings: Settings, database: "Database", executor: Executor, files: StaticFiles
    ) -> None:
        self.files = files
        self.lab: Lab | None = None
        self.on_lost: Callable[[], None] | None = None
        self.on_owner: Callable[[], None] | None = None
        self._settings = settings
        self._database = database
        self._executor = executor

    def assemble(self) -> "FastAPI":
        """Imports torch, as the workers do at the same time."""
        try:
            from app.lab import Lab
            from app.server import create_app

            lab = Lab.assemble(self._settings, self._database, self._executor)
            if self.on_lost is not None:
                lab.guardian.on_lost = self.on_lost
            if self.on_owner is not None:
                lab.guardian.on_owner = self.on_owner
            app = create_app(self._settings, lab, self.files)
        except BaseException:
            self._executor.close()
            self._database.close()
            raise
        self.lab = lab
        return app

    def end_streams(self) -> None:
        """Ends what viewers listen to, if there are any yet."""
        if self.lab is not None:
            self.lab.end_streams()


class _Server(uvicorn.Server):
    """A uvicorn server that says when it answers, and ends its viewers' streams to stop."""

    def __init__(
        self, config: uvicorn.Config, on_start: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(quiet_about_files())
        await super().startup(sockets)
        if self.started:
            self._on_start()

    def give_up(self) -> None:
        """Stops the server, from any thread."""
        self._on_stop()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_stop()
        super().handle_exit(sig, frame)


def _bind(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet: clients are refused until the server is ready."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        hints = {
            errno.EADDRINUSE: "another program listens there; choose another port with --port",
            errno.EACCES: "choose a port from 1024 on with --port",
        }
        hint = hints.get(error.errno or 0, "choose another address with --host")
        raise ServeError(
            f"cannot listen on {host}, port {port}: {error.strerror}; {hint}"
        ) from error
    return listener


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "localhost"
    return f"[{host}]" if ":" in host else host
