"""A small pool of warm workers, one run each at a time: what all executors are."""

import contextlib
import threading
import time
from abc import abstractmethod

import structlog

from app.processes import PooledWorker
from app.runs.executors.base import Executor, Sink, StopRequest
from app.runs.records import Job, LoggedEvent
from app.settings import Settings
from newton_core.workers import START_SECONDS, Worker, WorkerLostError
from newton_core.workers.messages import Done, Failed, Message, Output

GATHER_SECONDS = 0.04
"""Events are stored together for so long: at most 25 transactions a second and worker."""
GATHER_EVENTS = 500
LOOK_SECONDS = 0.1
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
        self._idle: list[PooledWorker] = []
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
            following = _Following(self._settings, worker.process, job, stop)
            reason: str | None = "the server could not follow the run"
            try:
                reason = following.follow(sink)
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

    def _take(self, job: Job, stop: StopRequest) -> PooledWorker | None:
        """A worker that is ready; None if there is none in time or the run is to stop.

        One that has loaded code or data that have changed since is replaced.
        """
        deadline = time.monotonic() + START_SECONDS
        while not stop.asked and time.monotonic() < deadline:
            if (own := self._worker_for(job)) is not None:
                if self._is_ready_in_time(own, stop, deadline):
                    return own
                own.process.close()
                continue
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

    def _is_ready_in_time(self, worker: PooledWorker, stop: StopRequest, deadline: float) -> bool:
        try:
            while not stop.asked and time.monotonic() < deadline:
                if worker.process.is_ready():
                    return True
                time.sleep(0.01)
        except WorkerLostError as loss:
            logger.warning("a worker was lost before its run began", reason=str(loss))
        return False

    @abstractmethod
    def _new_worker(self) -> PooledWorker:
        """A worker that is being started."""

    def _worker_for(self, job: Job) -> PooledWorker | None:
        """A worker that is started for one job alone; None where any of the pool will do."""
        return None

    def _replace(self, worker: PooledWorker) -> None:
        self._idle.remove(worker)
        worker.process.close()
        if not self._closed:
            self._idle.append(self._new_worker())

    def _give_back(self, worker: PooledWorker, *, healthy: bool) -> None:
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

    def __init__(self, settings: Settings, worker: Worker, job: Job, stop: StopRequest) -> None:
        self.heard_any = False
        self._settings = settings
        self._worker = worker
        self._job = job
        self._stop = stop
        self._began = self._heard = self._gathered = time.monotonic()
        self._cancelled: float | None = None
        self._next_memory_look = 0.0

    def follow(self, sink: Sink) -> str | None:
        """Follows the run to its end or to a limit; the worker is good for more if None.

        Raises:
            WorkerLostError: the process is gone, and all that it sent went to ``sink``.
        """
        self._worker.submit(self._job)
        while True:
            messages = self._gather()
            values = [message.value for message in messages if isinstance(message, Output)]
            if events := [value for value in values if isinstance(value, LoggedEvent)]:
                sink(events)
            match messages[-1:]:
                case [Done()]:
                    return None
                case [Failed(error=error, traceback=traceback)]:
                    logger.error(
                        "run failed in its worker", run=self._job.run_id, traceback=traceback
                    )
                    return error
            if reason := self._passed_limit():
                return reason

    def _gather(self) -> list[Message]:
        """The messages that have come; more are awaited for a moment, so that they go together."""
        messages: list[Message] = []
        message = self._worker.receive(LOOK_SECONDS)
        until = self._gathered + GATHER_SECONDS
        with contextlib.suppress(WorkerLostError):  # raised again when the next one is awaited
            while message is not None:
                messages.append(message)
                if isinstance(message, Done | Failed) or len(messages) == GATHER_EVENTS:
                    break
                message = self._worker.receive(max(0.0, until - time.monotonic()))
        if messages:
            self.heard_any = True
            self._heard = self._gathered = time.monotonic()
        return messages

    def _passed_limit(self) -> str | None:
        """Why the run must be ended now, or None."""
        now, limits = time.monotonic(), self._settings
        if self._stop.at_once:
            return "the run was stopped at once"
        if self._stop.asked and self._cancelled is None:
            self._cancelled = now
            self._worker.cancel()
        if self._cancelled is not None and now - self._cancelled > limits.stop_seconds:
            return f"the run did not stop within {limits.stop_seconds:g} s"
        if now - self._heard > limits.hang_seconds:
            return (
                f"the worker process hung: no sign of life for {limits.hang_seconds:g} s"
                " (limit NEWTON_LAB_HANG_SECONDS)"
            )
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
