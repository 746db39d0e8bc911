"""The local executor: a small pool of warm worker processes, one run each at a time."""

import contextlib
import signal
import threading
import time
from typing import Any

import psutil
import structlog

from app.processes import start_process
from app.runs import worker as protocol
from app.runs.executors.base import Executor, Sink, StopRequest
from app.runs.records import Job, LoggedEvent
from app.settings import Settings

GATHER_SECONDS = 0.04
"""Events are stored together for so long: at most 25 transactions a second and worker."""
GATHER_EVENTS = 500
LOOK_SECONDS = 0.1
MEMORY_LOOK_SECONDS = 0.5
START_SECONDS = 120.0

logger = structlog.get_logger(__name__)


class WorkerLostError(RuntimeError):
    """A worker process is gone; the message says what is known of its end."""


class _Worker:
    """One worker process and the connection to it."""

    def __init__(self, settings: Settings) -> None:
        self.process, self.connection = start_process(protocol.main, settings, "newton-lab-worker")
        self.spoke = False  # whether it has said anything about its job
        self._ready = False
        self._gathered = 0.0

    def is_ready(self) -> bool:
        """Whether the idle process has imported everything and waits for a run.

        Raises:
            WorkerLostError: it has ended.
        """
        try:
            while self.connection.poll(0):  # an idle process says nothing: this is READY, or EOF
                self._ready = self.connection.recv() == (protocol.READY,)
        except (EOFError, OSError):
            raise WorkerLostError(self.exit_reason()) from None
        return self._ready

    def begin(self, job: Job) -> None:
        """Hands over a job."""
        self.spoke = False
        self.connection.send(job)

    def gather(self) -> list[tuple[Any, ...]]:
        """The messages that have come; more are awaited for a moment, so that they go together.

        Raises:
            EOFError: the process is gone, and all that it said has been gathered.
        """
        if not self.connection.poll(LOOK_SECONDS):
            return []
        messages = [self.connection.recv()]
        self.spoke = True
        until = self._gathered + GATHER_SECONDS
        try:
            while len(messages) < GATHER_EVENTS and messages[-1][0] != protocol.DONE:
                if not self.connection.poll(max(0.0, until - time.monotonic())):
                    break
                messages.append(self.connection.recv())
        except (EOFError, OSError):
            pass  # said again when the next message is awaited
        self._gathered = time.monotonic()
        return messages

    def memory(self) -> int:
        """Resident bytes of the process and its arm_workers; 0 once it is gone."""
        total = 0
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.process.pid)
            for member in (process, *process.children()):
                total += int(member.memory_info().rss)
        return total

    def exit_reason(self) -> str:
        """How the process ended, in words."""
        self.process.join(2.0)
        code = self.process.exitcode
        if code is None:
            return "the worker process closed its connection"
        if code < 0:
            name = signal.Signals(-code).name
            return (
                f"the worker process was killed (signal {name}): perhaps the machine ran out of"
                " memory, or somebody ended it"
            )
        return f"the worker process ended unexpectedly (exit code {code})"

    def kill(self) -> None:
        """Ends the process, whatever it does."""
        self.process.kill()
        self.process.join(5.0)
        self.connection.close()


class LocalExecutor(Executor):
    """Worker processes on this machine; those that hang, crash or pass a limit are replaced."""

    name = "local"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.slots = settings.workers + settings.fork_workers
        self._change = threading.Condition()
        self._idle: list[_Worker] = []
        self._closed = False
        self._started = 0.0

    def start(self) -> None:
        """Starts the ordinary workers; those for forks follow once these are warm."""
        self._started = time.monotonic()
        with self._change:
            self._idle = [_Worker(self._settings) for _ in range(self._settings.workers)]
        threading.Thread(target=self._start_fork_workers, daemon=True).start()

    def _start_fork_workers(self) -> None:
        self.wait_until_ready(START_SECONDS)
        with self._change:
            missing = 0 if self._closed else self._settings.fork_workers
            self._idle += [_Worker(self._settings) for _ in range(missing)]
            self._change.notify_all()

    def wait_until_ready(self, timeout: float) -> bool:
        """Waits for the first worker."""
        while time.monotonic() < self._started + timeout:
            with self._change:
                try:
                    if not self._idle or any(worker.is_ready() for worker in self._idle):
                        return True
                except WorkerLostError:
                    return False
            time.sleep(0.01)
        return False

    def execute(self, job: Job, sink: Sink, stop: StopRequest) -> str | None:
        """See :class:`Executor`. A worker that dies before it said a word costs a second try."""
        for last_try in (False, True):
            worker = self._take(stop)
            if worker is None:
                break
            reason: str | None = "the server could not follow the run"
            try:
                reason = self._attend(worker, job, sink, stop)
            except (EOFError, OSError):
                reason = worker.exit_reason()
                if not (worker.spoke or last_try):
                    logger.warning("a worker was lost before its run began", reason=reason)
                    continue
            finally:
                self._give_back(worker, healthy=reason is None)
            return reason
        if stop.asked:
            return "the run was stopped before it began"
        return f"no worker process was ready within {START_SECONDS:.0f} s"

    def _take(self, stop: StopRequest) -> _Worker | None:
        """A worker that is ready; None if there is none in time or the run is to stop."""
        deadline = time.monotonic() + START_SECONDS
        while not stop.asked and time.monotonic() < deadline:
            with self._change:
                for worker in list(self._idle):
                    try:
                        if worker.is_ready():
                            self._idle.remove(worker)
                            return worker
                    except WorkerLostError as loss:
                        logger.warning("idle worker lost", reason=str(loss))
                        self._replace(worker)
            time.sleep(0.01)
        return None

    def _replace(self, worker: _Worker) -> None:
        self._idle.remove(worker)
        worker.kill()
        if not self._closed:
            self._idle.append(_Worker(self._settings))

    def _give_back(self, worker: _Worker, *, healthy: bool) -> None:
        bloated = worker.memory() > self._settings.memory_mb * 500_000
        with self._change:
            self._idle.insert(0, worker)
            if not healthy or bloated or self._closed:
                self._replace(worker)
            self._change.notify_all()

    def _attend(self, worker: _Worker, job: Job, sink: Sink, stop: StopRequest) -> str | None:
        """Follows a run to its end or to a limit; the worker is good for more if None."""
        worker.begin(job)
        watch = _Watch(self._settings, worker, job, stop)
        while True:
            messages = worker.gather()
            events = [LoggedEvent(*m[1:]) for m in messages if m[0] == protocol.EVENT]
            if events:
                sink(events)
            for message in messages:
                if message[0] == protocol.ERROR:
                    logger.error("run failed in its worker", run=job.run_id, traceback=message[2])
                    return str(message[1])
                if message[0] == protocol.DONE:
                    return None
            if reason := watch.look(heard=bool(messages)):
                return reason

    def close(self) -> None:
        """Ends all worker processes."""
        with self._change:
            self._closed = True
            for worker in self._idle:
                worker.process.kill()  # all at once, then wait for each
            for worker in self._idle:
                worker.kill()
            self._idle.clear()


class _Watch:
    """Watches one run against the limits."""

    def __init__(self, settings: Settings, worker: _Worker, job: Job, stop: StopRequest) -> None:
        self._settings = settings
        self._worker = worker
        self._job = job
        self._stop = stop
        self._began = self._heard = time.monotonic()
        self._told: float | None = None
        self._next_memory_look = 0.0

    def look(self, *, heard: bool) -> str | None:
        """Why the run must be ended now, or None."""
        now, limits = time.monotonic(), self._settings
        if heard:
            self._heard = now
        if self._stop.at_once:
            return "the run was stopped at once"
        if self._stop.asked and self._told is None:
            self._told = now
            self._worker.connection.send(self._job.run_id)
        if self._told is not None and now - self._told > limits.stop_seconds:
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
        return self._look_at_memory(now)

    def _look_at_memory(self, now: float) -> str | None:
        if now < self._next_memory_look:
            return None
        self._next_memory_look = now + MEMORY_LOOK_SECONDS
        used = self._worker.memory() / 1e6
        if used > self._settings.memory_mb:
            return (
                f"the run used {used:.0f} MB of memory, more than the {self._settings.memory_mb}"
                " MB that this server allows (limit NEWTON_LAB_MEMORY_MB)"
            )
        return None
