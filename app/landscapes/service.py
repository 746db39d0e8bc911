"""The server's side of the landscape process, which answers one request at a time."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import structlog

from app.landscapes.process import Part, Problem
from app.landscapes.requests import AnyLandscapeRequest, LandscapeJob
from app.processes import LabWorker, start_process
from app.settings import Settings
from newton_core.experiment.sources import Source, sources_of
from newton_core.experiment.spec import stored_spec
from newton_core.workers import JobFailedError, WorkerHungError, WorkerLostError

MOST_WAITING = 32
MOST_OF_ONE_ADDRESS = 8
"""Requests of one address that may wait where the lab listens beyond this machine."""

logger = structlog.get_logger(__name__)


class LandscapeFailure(RuntimeError):  # noqa: N818  an answer in words, not a fault of the caller
    """A landscape that cannot be had; the message says why."""


class LandscapeService:
    """Answers requests for landscapes, in the order that they come, in one warm process.

    The process is started with the first request or by :meth:`warm`, and anew after a crash or a
    hang, and when code or data from outside the lab have changed since it loaded them. Runs never
    wait for it, nor it for them.
    """

    def __init__(self, settings: Settings, name: str = "landscape worker") -> None:
        self._settings = settings
        self._name = name
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._present: Counter[str] = Counter()
        self._guard = threading.Lock()
        self._worker: LabWorker | None = None
        self._closed = False

    def warm(self) -> None:
        """Starts the process, unless it is there or the service has been closed."""
        with self._guard:
            if self._worker is not None and not self._worker.process.is_alive:
                self._worker.process.close()
                self._worker = None
            if self._worker is None and not self._closed:
                entry = "app.landscapes.process:main"
                self._worker = start_process(entry, self._settings, self._name)

    def is_busy_for(self, address: str) -> bool:
        """Whether another request would be one too many, of all or of this address."""
        of_one = MOST_OF_ONE_ADDRESS if self._settings.is_public else MOST_WAITING
        return self._present.total() >= MOST_WAITING or self._present[address] >= of_one

    def close(self) -> None:
        """Ends the process."""
        self._closed = True
        self._drop()

    async def answer(
        self, spec: str, snapshots: Path, request: AnyLandscapeRequest, address: str = ""
    ) -> AsyncGenerator[tuple[str, str]]:
        """The parts of an answer as they come: type and JSON text.

        Leaving the iterator stops the computation. ``address`` says who asks.

        Raises:
            LandscapeFailure: there is no such landscape, or the process was lost; the message
                says why.
        """
        parts: asyncio.Queue[Part | None] = asyncio.Queue()
        left = threading.Event()
        job = LandscapeJob(spec, snapshots, request.model_dump_json())
        # A task of its own: who leaves is cancelled at once, and the process takes a moment.
        task = asyncio.create_task(self._serve(job, parts, left))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        self._present[address] += 1
        try:
            while (part := await parts.get()) is not None:
                yield part.type, part.body
            await task
        finally:
            left.set()
            self._present[address] -= 1
            self._present += Counter()  # forgets those who have left

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # the listener has had it, or has left

    async def _serve(
        self, job: LandscapeJob, parts: "asyncio.Queue[Part | None]", left: threading.Event
    ) -> None:
        """Waits for the job's turn and has it computed; None is the last part."""
        loop = asyncio.get_running_loop()

        def emit(part: Part) -> None:
            loop.call_soon_threadsafe(parts.put_nowait, part)

        async with self._turn:
            try:
                if not left.is_set():
                    await asyncio.to_thread(self._compute, job, emit, left)
            except WorkerLostError as loss:
                logger.warning(f"the {self._name} was lost", reason=str(loss))
                self._drop()
                lost = "the process that computes landscapes was lost; ask again"
                words = str(loss) if isinstance(loss, WorkerHungError) else lost
                raise LandscapeFailure(words) from loss
            finally:
                parts.put_nowait(None)

    def _compute(
        self, job: LandscapeJob, emit: Callable[[Part], None], left: threading.Event
    ) -> None:
        """Computes one answer, in a thread; the process is then idle or has been ended."""
        try:
            sources = sources_of(stored_spec(job.spec))
        except ValueError as unreadable:  # it names a part of another package that is gone
            words = f"the run's spec cannot be read: {unreadable}"
            raise LandscapeFailure(words) from unreadable
        worker = self._worker_for(sources).process
        problem: str | None = None
        try:
            for parts in worker.results(job, left.is_set, self._settings.stop_seconds):
                for part in parts:
                    if isinstance(part, Part):
                        emit(part)
                    elif isinstance(part, Problem):
                        problem = part.message
        except JobFailedError as failure:
            logger.error("landscape failed", traceback=failure.traceback)
            raise LandscapeFailure(f"the landscape could not be computed: {failure}") from failure
        if problem is not None:
            raise LandscapeFailure(problem)

    def _worker_for(self, sources: Sequence[Source]) -> LabWorker:
        """A worker for a job that depends on ``sources``."""
        if self._worker is not None and self._worker.loaded.is_outdated(sources):
            self._drop()
        self.warm()
        if (worker := self._worker) is None:
            raise LandscapeFailure("the server is closing")
        worker.loaded.add(sources)
        return worker

    def _drop(self) -> None:
        """Ends the process; the next request starts another."""
        with self._guard:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.process.close()
