"""The server's side of the slice process: one request at a time, cancelled when nobody listens."""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import structlog

from app.landscapes import process as protocol
from app.landscapes.requests import AnySliceRequest, SliceJob
from app.processes import start_process
from app.settings import Settings

MOST_WAITING = 32
LOOK_SECONDS = 0.05
START_SECONDS = 120.0

logger = structlog.get_logger(__name__)


class SliceFailure(RuntimeError):  # noqa: N818  an answer in words, not a fault of the caller
    """A slice that cannot be had; the message says why."""


class _Process:
    """The process and the connection to it."""

    def __init__(self, settings: Settings) -> None:
        self.process, self.connection = start_process(protocol.main, settings, "newton-lab-slices")

    def hear(self) -> tuple[Any, ...] | None:
        """The next message, or None if none comes for a moment.

        Raises:
            EOFError: the process is gone.
        """
        if not self.connection.poll(LOOK_SECONDS):
            return None
        message: tuple[Any, ...] = self.connection.recv()
        return message

    def kill(self) -> None:
        """Ends the process, whatever it does."""
        self.process.kill()
        self.process.join(5.0)
        self.connection.close()


class SliceService:
    """Answers requests for slices, in the order that they come, in one warm process.

    The process is started with the first request or by :meth:`warm`, and anew after a crash or a
    hang; runs never wait for it, nor it for them.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._guard = threading.Lock()
        self._process: _Process | None = None
        self._hearing: asyncio.Future[tuple[Any, ...] | None] | None = None
        self._starting: asyncio.Future[_Process] | None = None
        self._leaving: asyncio.Future[None] | None = None
        self._ready = False
        self._closed = False

    def warm(self) -> None:
        """Starts the process, unless it is there or the service has been closed."""
        with self._guard:
            if self._process is None and not self._closed:
                self._process = _Process(self._settings)
                self._ready = False

    @property
    def is_busy(self) -> bool:
        """Whether so many requests wait that another had better come back later."""
        return self._waiting >= MOST_WAITING

    def close(self) -> None:
        """Ends the process."""
        with self._guard:
            self._closed = True
            if self._process is not None:
                self._process.kill()
            self._process = None

    async def answer(
        self, spec: str, snapshots: Path, request: AnySliceRequest
    ) -> AsyncGenerator[tuple[str, str]]:
        """The parts of an answer as they come: type and JSON text.

        Leaving the iterator stops the computation.

        Raises:
            SliceFailure: there is no such slice, or the process was lost; the message says why.
        """
        self._waiting += 1
        try:
            async with self._turn:
                job = SliceJob(next(self._numbers), spec, snapshots, request.model_dump_json())
                async with contextlib.aclosing(self._compute(job)) as parts:
                    async for part in parts:
                        yield part
        finally:
            self._waiting -= 1

    async def _compute(self, job: SliceJob) -> AsyncGenerator[tuple[str, str]]:
        done = True  # until the job is the process's: before, there is nothing to stop
        try:
            # Whoever leaves is cancelled at once: what they began is waited for here.
            if self._leaving is not None:
                await asyncio.shield(self._leaving)
            worker = await self._started()
            worker.connection.send(job)
            done = False
            while not done:
                message = await self._next(worker, self._settings.hang_seconds)
                if message[0] == protocol.PART:
                    yield message[1], message[2]
                elif message[0] == protocol.PROBLEM:
                    done = await self._finish(worker)
                    raise SliceFailure(message[1])
                elif message[0] == protocol.ERROR:
                    logger.error("slice failed", traceback=message[2])
                    done = await self._finish(worker)
                    raise SliceFailure(f"the slice could not be computed: {message[1]}")
                else:
                    done = True
        except (EOFError, OSError):
            self._drop()
            done = True
            raise SliceFailure("the process that computes slices was lost; ask again") from None
        finally:
            if not done:
                self._leaving = asyncio.ensure_future(self._abandon(job))
                await asyncio.shield(self._leaving)

    async def _started(self) -> _Process:
        """The process, once it is ready; a listener that is cancelled leaves it to the next one."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            return await asyncio.shield(self._starting)
        finally:
            if self._starting.done():
                self._starting = None

    def _start(self) -> _Process:
        """The process, once it is ready. Blocks."""
        self.warm()
        worker = self._process
        if worker is None:
            raise SliceFailure("the server is closing")
        deadline = time.monotonic() + START_SECONDS
        while not self._ready and time.monotonic() < deadline:
            self._ready = worker.hear() == (protocol.READY,)
        return worker

    async def _next(self, worker: _Process, patience: float) -> tuple[Any, ...]:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if (message := await self._hear(worker)) is not None:
                return message
        self._drop()
        raise SliceFailure(f"no sign of life from the slice's process for {patience:g} s")

    async def _hear(self, worker: _Process) -> tuple[Any, ...] | None:
        """What the process says next. A listener that is cancelled leaves its ear to the next one.

        Two threads that read one connection would tear its messages apart.
        """
        if self._hearing is None:
            self._hearing = asyncio.ensure_future(asyncio.to_thread(worker.hear))
        try:
            message = await asyncio.shield(self._hearing)
        except (EOFError, OSError):
            self._hearing = None
            raise
        self._hearing = None
        return message

    async def _finish(self, worker: _Process) -> bool:
        """Hears the end of an answer that has failed."""
        while (await self._next(worker, self._settings.stop_seconds))[0] != protocol.DONE:
            pass
        return True

    async def _abandon(self, job: SliceJob) -> None:
        """Stops a job that nobody waits for; the process is ended if it does not stop."""
        worker = self._process
        if worker is None:
            return
        try:
            worker.connection.send(job.number)
            await self._finish(worker)
        except (EOFError, OSError, SliceFailure):
            logger.warning("the slice process did not stop and was ended")
            self._drop()

    def _drop(self) -> None:
        """Ends the process; the next request starts another."""
        with self._guard:
            if self._process is not None:
                self._process.kill()
            self._process = None
            self._hearing = None
            self._ready = False
