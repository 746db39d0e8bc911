"""Limits what one visitor can hold open: unfinished requests, and connections."""

import asyncio
import errno
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.settings import is_loopback

if sys.platform != "win32":
    import resource

REQUEST_SECONDS = 15.0
"""From the first byte of a request (or from the connection) to the last byte of its body."""
GRACE_SECONDS = 1.0
MOST_CONNECTIONS = 10_000
LEAST_CONNECTIONS = 8
MOST_FILES = 65_536
TELL_SECONDS = 60.0
_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

logger = structlog.get_logger(__name__)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 whose requests come in time and whose connections have a limit.

    Attributes:
        most: connections at a time; an address beyond this machine may hold half of them.
    """

    most: ClassVar[int] = MOST_CONNECTIONS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the clock of the first request, or refuses the connection."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        if self._is_one_too_many():
            transport.abort()
        else:
            self._start_clock()

    def _is_one_too_many(self) -> bool:
        everybody = self.connections
        if len(everybody) > self.most:
            return True
        if self.client is None or is_loopback(self.client[0]):
            return False
        callers = [getattr(other, "client", None) for other in everybody]
        theirs = sum(1 for caller in callers if caller and caller[0] == self.client[0])
        return theirs > max(self.most // 2, LEAST_CONNECTIONS)

    def data_received(self, data: bytes) -> None:
        """Reads on; the clock runs while a request is incomplete."""
        if self._deadline is None and not self._is_answering:
            self._start_clock()
        super().data_received(data)
        if self._is_answering and not self.cycle.more_body:
            self._stop_clock()

    def send_400_response(self, msg: str) -> None:
        """Answers in JSON, as every refusal does, where what came is not HTTP."""
        body = json.dumps({"detail": msg}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._last_call)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _last_call(self) -> None:
        """Waits a moment more for a late request, which a busy server may not have read yet."""
        self._deadline = self.loop.call_later(GRACE_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if not self._is_answering or self.cycle.more_body:
            self.transport.close()


def bounded_protocol() -> type[BoundedProtocol]:
    """The protocol for a server of this process, within the number of files that it may open."""
    files = _raise_limit()
    most = MOST_CONNECTIONS if files is None else (files - _open_files()) // 2
    bounded = max(LEAST_CONNECTIONS, min(most, MOST_CONNECTIONS))
    return type("LabProtocol", (BoundedProtocol,), {"most": bounded})


def _raise_limit() -> int | None:
    """The files that this process may open, raised as far as allowed; None if unknown."""
    if sys.platform == "win32":
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return None if soft == resource.RLIM_INFINITY else soft


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.is_dir() else LEAST_CONNECTIONS


def quiet_about_files() -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """A loop's exception handler that says once a minute that no more connections fit.

    asyncio tries to accept each waiting connection, and reports each failure with a traceback.
    """
    told = -TELL_SECONDS

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _OUT_OF_FILES):
            loop.default_exception_handler(context)
        elif time.monotonic() > told + TELL_SECONDS:
            told = time.monotonic()
            logger.warning("cannot open more connections", reason=error.strerror)

    return handle
