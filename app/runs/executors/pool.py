"""A small pool of warm workers, one run each at a time: what all executors are."""

import threading
import time
from abc import abstractmethod

import structlog

from app.processes import LabWorker
from app.runs.executors.base import Executor, Sink, StopRequest
from app.runs.records import Job, LoggedEvent
from app.settings import Settings
from newton_core.workers import (
    START_SECONDS,
    JobFailedError,
    Worker,
    WorkerHungError,
    WorkerLostError,
)

ENTRY = "app.runs.worker:main"
MEMORY_LOOK_SECONDS = 0.5

logger = structlog.get_logger(__name__)


class PoolExecutor(Executor):
    """Workers; those that hang, crash or pass a limit are replaced.

    A subclass says what a worker is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.slots = settings.workers + settings.fork_workers
        self._change = threading.Condition()
        self._idle: list[LabWorker] = []
        self._closed = False
        self._started = 0.0

    def start(self) -> None:
        """Starts the ordinary workers; those for forks follow once these are warm."""
        self._started = time.monotonic()
        with self._change:
            self._idle = [self._new_worker() for _ in range(self._settings.workers)]
        threading.Thread(target=self._start_fork_workers, daemon=True).start()

    def _start_fork_workers(self) -> None:
        self.wait_until_ready(START_SECONDS)
        with self._change:
            missing = 0 if self._closed else self._settings.fork_workers
            self._idle += [self._new_worker() for _ in range(missing)]
            self._change.notify_all()

    def wait_until_ready(self, timeout: float) -> bool:
        """Waits for the first worker."""
        while time.monotonic() < self._started + timeout:
            with self._change:
                try:
                    if not self._idle or any(worker.process.is_ready() for worker in self._idle):
                        return True
                except WorkerLostError:
                    return False
            time.sleep(0.01)
        return False

    def execute(self, job: Job, sink: Sink, stop: StopRequest) -> str | None:
        """See :class:`Executor`. A worker that dies before it said a word costs a second try."""
        for last_try in (False, True):
            worker = self._take(job, stop)
            if worker is None:
                break
            worker.loaded.add(job.sources)
            following = _Following(self._settings, worker.process, stop)
            reason: str | None = "the server could not follow the run"
            try:
                reason = following.follow(job, sink)
            except WorkerHungError as hung:
                reason = f"{hung} (limit NEWTON_LAB_HANG_SECONDS)"
            except WorkerLostError as loss:
                reason = str(loss)
                if not (following.heard_any or last_try):
                    logger.warning("a worker was lost before its run began", reason=reason)
                    continue
            finally:
                self._give_back(worker, healthy=reason is None)
            return reason
        if stop.asked:
            return "the run was stopped before it began"
        return f"no worker process was ready within {START_SECONDS:.0f} s"

    def _take(self, job: Job, stop: StopRequest) -> LabWorker | None:
        """A worker of the job's own, or one that is ready; None: none in time, or it is to stop.

        One that has loaded code or data that have changed since is replaced.
        """
        if (own := self._worker_for(job)) is not None:
            return own
        deadline = time.monotonic() + START_SECONDS
        while not stop.asked and time.monotonic() < deadline:
            with self._change:
                for worker in list(self._idle):
                    try:
                        if worker.loaded.is_outdated(job.sources):
                            self._replace(worker)
                        elif worker.process.is_ready():
                            self._idle.remove(worker)
                            return worker
                    except WorkerLostError as loss:
                        logger.warning("idle worker lost", reason=str(loss))
                        self._replace(worker)
            time.sleep(0.01)
        return None

    @abstractmethod
    def _new_worker(self) -> LabWorker:
        """A worker that is being started."""

    def _worker_for(self, job: Job) -> LabWorker | None:
        """A worker that is started for one job alone; None where any of the pool will do."""
        return None

    def _replace(self, worker: LabWorker) -> None:
        self._idle.remove(worker)
        worker.process.close()
        if not self._closed:
            self._idle.append(self._new_worker())

    def _give_back(self, worker: LabWorker, *, healthy: bool) -> None:
        if not worker.pooled:
            worker.process.close()
            return
        bloated = worker.process.memory() > self._settings.memory_mb * 500_000
        with self._change:
            self._idle.insert(0, worker)
            if not healthy or bloated or self._closed:
                self._replace(worker)
            self._change.notify_all()

    def close(self) -> None:
        """Ends all worker processes."""
        with self._change:
            self._closed = True
            for worker in self._idle:
                worker.process.kill()  # all at once, then wait for each
            for worker in self._idle:
                worker.process.close()
            self._idle.clear()


class _Following:
    """One run in its worker, which is held to the limits."""

    def __init__(self, settings: Settings, worker: Worker, stop: StopRequest) -> None:
        self.heard_any = False
        self._settings = settings
        self._worker = worker
        self._stop = stop
        self._began = self._next_memory_look = 0.0

    def follow(self, job: Job, sink: Sink) -> str | None:
        """Follows the run to its end or to a limit; the worker is good for more if None.

        Raises:
            WorkerLostError: the worker is lost, and all that it sent went to ``sink``.
        """
        stop_seconds = self._settings.stop_seconds
        try:
            for values in self._worker.results(job, lambda: self._stop.asked, stop_seconds):
                self._began = self._began or time.monotonic()
                if events := [value for value in values if isinstance(value, LoggedEvent)]:
                    self.heard_any = True
                    sink(events)
                if reason := self._passed_limit():
                    return reason
        except JobFailedError as failure:
            logger.error("run failed in its worker", run=job.run_id, traceback=failure.traceback)
            return str(failure)
        return None if self._began else "the run was stopped before it began"

    def _passed_limit(self) -> str | None:
        """Why the run must be ended now, or None."""
        now, limits = time.monotonic(), self._settings
        if self._stop.at_once:
            return "the run was stopped at once"
        if now - self._began > limits.run_seconds:
            return (
                f"the run took longer than {limits.run_seconds:g} s, the most that this server"
                " allows (limit NEWTON_LAB_RUN_SECONDS)"
            )
        if now < self._next_memory_look:
            return None
        self._next_memory_look = now + MEMORY_LOOK_SECONDS
        used = self._worker.memory() / 1e6
        if used > limits.memory_mb:
            return (
                f"the run used {used:.0f} MB of memory, more than the {limits.memory_mb} MB that"
                " this server allows (limit NEWTON_LAB_MEMORY_MB)"
            )
        return None
