"""The server's side of the landscape process: one request at a time, cancelled by who leaves."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import structlog

from app.landscapes.process import Part, Problem
from app.landscapes.requests import AnyLandscapeRequest, LandscapeJob
from app.processes import start_worker
from app.settings import Settings
from newton_core.workers import WorkerLostError, WorkerProcess
from newton_core.workers.messages import Done, Failed, Output
from newton_core.workers.process import START_SECONDS

MOST_WAITING = 32
LOOK_SECONDS = 0.05

logger = structlog.get_logger(__name__)


class LandscapeFailure(RuntimeError):  # noqa: N818  an answer in words, not a fault of the caller
    """A landscape that cannot be had; the message says why."""


class LandscapeService:
    """Answers requests for landscapes, in the order that they come, in one warm process.

    The process is started with the first request or by :meth:`warm`, and anew after a crash or a
    hang; runs never wait for it, nor it for them.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turn = asyncio.Lock()
        self._answering: set[asyncio.Task[None]] = set()
        self._guard = threading.Lock()
        self._process: WorkerProcess | None = None
        self._closed = False

    def warm(self) -> None:
        """Starts the process, unless it is there or the service has been closed."""
        with self._guard:
            if self._process is None and not self._closed:
                entry = "app.landscapes.process:main"
                self._process = start_worker(entry, self._settings, "landscape worker")

    @property
    def is_busy(self) -> bool:
        """Whether so many requests wait that another had better come back later."""
        return len(self._answering) >= MOST_WAITING

    def close(self) -> None:
        """Ends the process."""
        self._closed = True
        self._drop()

    async def answer(
        self, spec: str, snapshots: Path, request: AnyLandscapeRequest
    ) -> AsyncGenerator[tuple[str, str]]:
        """The parts of an answer as they come: type and JSON text.

        Leaving the iterator stops the computation.

        Raises:
            LandscapeFailure: there is no such landscape, or the process was lost; the message
                says why.
        """
        parts: asyncio.Queue[Part | LandscapeFailure | None] = asyncio.Queue()
        left = threading.Event()
        job = LandscapeJob(spec, snapshots, request.model_dump_json())
        # In a task of its own, which goes on until the process is idle, whoever leaves.
        task = asyncio.create_task(self._serve(job, parts, left))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        try:
            while (part := await parts.get()) is not None:
                if isinstance(part, LandscapeFailure):
                    raise part
                yield part.type, part.body
        finally:
            left.set()

    async def _serve(
        self,
        job: LandscapeJob,
        parts: "asyncio.Queue[Part | LandscapeFailure | None]",
        left: threading.Event,
    ) -> None:
        """Waits for the job's turn and has it computed; None is the last part."""
        loop = asyncio.get_running_loop()

        def emit(part: Part) -> None:
            loop.call_soon_threadsafe(parts.put_nowait, part)

        async with self._turn:
            try:
                if not left.is_set():
                    await asyncio.to_thread(self._compute, job, emit, left)
                parts.put_nowait(None)
            except LandscapeFailure as failure:
                parts.put_nowait(failure)
            except WorkerLostError as loss:
                logger.warning("the landscape worker was lost", reason=str(loss))
                self._drop()
                message = "the process that computes slices was lost; ask again"
                parts.put_nowait(LandscapeFailure(message))

    def _compute(
        self, job: LandscapeJob, emit: Callable[[Part], None], left: threading.Event
    ) -> None:
        """Computes one answer, in a thread; the process is then idle or has been ended."""
        worker = self._ready()
        worker.submit(job)
        problem: str | None = None
        patience, heard, cancelled = self._settings.hang_seconds, time.monotonic(), False
        while True:
            if left.is_set() and not cancelled:
                worker.cancel()
                patience, heard, cancelled = self._settings.stop_seconds, time.monotonic(), True
            message = worker.receive(LOOK_SECONDS)
            now = time.monotonic()
            if message is not None and not cancelled:
                heard = now
            match message:
                case Output(value=Part() as part):
                    emit(part)
                case Output(value=Problem(text)):
                    problem = text
                case Failed(_, error, traceback):
                    logger.error("slice failed", traceback=traceback)
                    raise LandscapeFailure(f"the slice could not be computed: {error}")
                case Done():
                    if problem is not None:
                        raise LandscapeFailure(problem)
                    return
            if now - heard > patience:
                self._drop()
                if cancelled:
                    logger.warning("the landscape worker did not stop and was ended")
                raise LandscapeFailure(
                    f"no sign of life from the slice's process for {patience:g} s"
                )

    def _ready(self) -> WorkerProcess:
        """The process, once it is ready. Blocks."""
        self.warm()
        worker = self._process
        if worker is None:
            raise LandscapeFailure("the server is closing")
        deadline = time.monotonic() + START_SECONDS
        while not worker.ready and time.monotonic() < deadline:
            worker.receive(LOOK_SECONDS)
        return worker

    def _drop(self) -> None:
        """Ends the process; the next request starts another."""
        with self._guard:
            worker, self._process = self._process, None
        if worker is not None:
            worker.close()
