"""The queue of runs: one thread per slot of the executor, each following one run at a time."""

import bisect
import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.database import DatabaseUnavailableError, RunRow
from app.runs.beginning import REPLAYED, Beginnings
from app.runs.executors.base import Executor, StopRequest
from app.runs.feed import Feed
from app.runs.files import folder_bytes, folder_of, remove_folder, remove_partial, without_paths
from app.runs.identity import is_outdated
from app.runs.log import EventLog, LogConflictError
from app.runs.patience import IMPATIENT, Patience
from app.runs.records import Job, LoggedEvent
from app.runs.room import DiskRoom
from app.runs.sink import RunSink
from app.runs.spare import SpareTask, SpareWork
from app.runs.store import NewRun, RunStore
from app.settings import Settings
from newton_core.experiment.events import Cancelled, Failed
from newton_core.experiment.sources import sources_of
from newton_core.experiment.spec import stored_spec

INTERRUPTED = (
    "interrupted: the server stopped while this run was going; start it again to go on from its"
    " last snapshot"
)
OUTDATED = (
    "files or code that this run depends on have changed while it waited; start it again to use"
    " them as they are now"
)
END_SECONDS = 15.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, order=True)
class _Place:
    """A run that waits. Runs begin in the order in which they were stored."""

    number: int
    run_id: str
    is_fork: bool

    @classmethod
    def of(cls, run: RunRow) -> "_Place":
        return cls(run.number, run.id, run.parent is not None)


class RunQueue:
    """Takes runs, has them computed, and keeps the disk within its quota."""

    def __init__(
        self, settings: Settings, store: RunStore, log: EventLog, feed: Feed, executor: Executor
    ) -> None:
        self._settings = settings
        self._store = store
        self._log = log
        self._feed = feed
        self._executor = executor
        self._beginnings = Beginnings(settings, store, log)
        self._change = threading.Condition()
        self._waiting: list[_Place] = []  # in order
        self._active: dict[str, StopRequest] = {}
        self._spare_work: SpareWork | None = None
        self._spare: dict[str, StopRequest] = {}  # tasks in progress
        self._idle = 0  # slots that would take a run at once
        self._idle_for_forks = 0  # slots that would take a fork at once, and nothing else
        self._unwanted: set[str] = set()  # to be removed once they have ended
        self._threads: dict[int, threading.Thread] = {}  # by slot
        self._room = DiskRoom(settings, store)
        self._patience = Patience()
        self._closed = False

    def fill_with(self, work: SpareWork) -> None:
        """Has slots take ``work`` while no run waits; told before :meth:`start`."""
        self._spare_work = work

    def look(self) -> None:
        """Wakes slots that have nothing to do: there is spare work."""
        with self._change:
            self._change.notify_all()

    def start(self) -> None:
        """Ends what an earlier server left running, and takes up what it left waiting.

        A queue that was closed may be started again.
        """
        self._patience = Patience()
        self._closed = False
        self.end_left_runs()
        self._waiting = [_Place.of(run) for run in self._store.with_status("queued")]
        self._publish_positions()
        for slot in range(self._executor.slots):
            if slot in self._threads and self._threads[slot].is_alive():
                continue  # it had not ended when the queue was closed, and goes on now
            self._threads[slot] = threading.Thread(
                target=self._serve,
                args=(slot >= self._settings.workers,),
                name=f"newton-lab-slot-{slot}",
                daemon=True,
            )
            self._threads[slot].start()

    def end_left_runs(self) -> None:
        """Ends the runs that a server computed which is gone, or owns the queue no longer."""
        for run in self._store.left_running():
            self._append_last(run.id, Failed(seq=1, error=INTERRUPTED), IMPATIENT)
            remove_folder(self._folder(run.id) / REPLAYED)
            remove_partial(self._folder(run.id))

    def submit(self, new: NewRun) -> tuple[RunRow, bool]:
        """Queues a run, or finds the one that computes the same already (then true).

        One that was told to stop is no answer: it is waited for, and the new run goes on from it.

        Raises:
            QueueFullError: as many runs wait as may wait.
            TimeoutError: the run that was told to stop does not end.
        """
        most = self._settings.max_queue, self._settings.runs_per_visitor
        run, reused = self._store.create(new, *most)
        if reused and run.status == "running" and self._is_ending(run.id):
            self._wait_for_end(run.id)
            run, reused = self._store.create(new, *most)
        if run.status == "queued":  # one that was there too: an outage may have kept it from us
            self._enqueue(run)
        return run, reused

    def reconcile(self) -> None:
        """Takes up runs that wait in the database alone, once an outage is over."""
        for run in self._store.with_status("queued"):
            self._enqueue(run)
        self._feed.reread()

    def _enqueue(self, run: RunRow) -> None:
        with self._change:
            place = _Place.of(run)
            if run.id in self._active or place in self._waiting:
                return
            bisect.insort(self._waiting, place)
            self._make_way()
            self._change.notify_all()
        self._publish_positions()

    def _make_way(self) -> None:
        """Runs come first: so many tasks give their slots up as runs find none, the newest first.

        The caller holds the lock.
        """
        forks = sum(place.is_fork for place in self._waiting)
        lacking = len(self._waiting) - self._idle - min(forks, self._idle_for_forks)
        lacking -= sum(stop.asked for stop in self._spare.values())
        going = [stop for stop in reversed(self._spare.values()) if not stop.asked]
        for stop in going[: max(0, lacking)]:
            stop.ask()

    def position(self, run_id: str) -> int | None:
        """Place in the queue, 1 for the next; None for a run that does not wait."""
        with self._change:
            ids = [place.run_id for place in self._waiting]
        return ids.index(run_id) + 1 if run_id in ids else None

    @property
    def known_ids(self) -> set[str]:
        """The runs that wait here, or are being computed."""
        with self._change:
            return {place.run_id for place in self._waiting} | self._active.keys()

    @property
    def waiting(self) -> int:
        """How many runs wait."""
        return len(self._waiting)

    @property
    def active(self) -> int:
        """How many runs are being computed."""
        return len(self._active)

    @property
    def slots(self) -> int:
        """How many threads wait for runs or follow them."""
        return sum(thread.is_alive() for thread in self._threads.values())

    def stop(self, run_id: str, *, at_once: bool = False) -> bool:
        """Stops a run, which ends with ``cancelled``; false if it has ended already."""
        with self._change:
            if request := self._active.get(run_id):
                request.ask(at_once=at_once)
                return True
            place = next((place for place in self._waiting if place.run_id == run_id), None)
            if place is None:
                return False
            self._waiting.remove(place)
        try:
            self._append_last(run_id, Cancelled(seq=1), IMPATIENT)
        except DatabaseUnavailableError:
            with self._change:
                bisect.insort(self._waiting, place)  # it was not stopped after all
                self._change.notify_all()
            raise
        finally:
            self._publish_positions()
        return True

    def discard(self, run_id: str) -> None:
        """Stops a run and removes it once its worker has ended it, which keeps the worker warm."""
        with self._change:
            if request := self._active.get(run_id):
                self._unwanted.add(run_id)
                request.ask()
                return
        self.remove(run_id)

    def going(self) -> list[RunRow]:
        """The runs in progress."""
        with self._change:
            ids = list(self._active)
        return [run for run in map(self._store.get, ids) if run and run.status == "running"]

    def remove(self, run_id: str) -> None:
        """Removes a run with its log and files, ending it first if need be.

        Raises:
            TimeoutError: it did not end in time.
        """
        self.stop(run_id, at_once=True)
        self._wait_for_end(run_id)
        self._store.delete(run_id)
        remove_folder(self._folder(run_id))
        self._feed.forget(run_id)

    def _is_ending(self, run_id: str) -> bool:
        with self._change:
            request = self._active.get(run_id)
        return request is None or request.asked

    def _wait_for_end(self, run_id: str) -> None:
        with self._change:
            if not self._change.wait_for(lambda: run_id not in self._active, END_SECONDS):
                raise TimeoutError(f"run {run_id} did not end within {END_SECONDS:.0f} s")

    def close(self) -> None:
        """Ends all runs in progress at once (``failed: interrupted``); waiting ones stay."""
        with self._change:
            self._closed = True
            self._patience.end()
            for request in (*self._active.values(), *self._spare.values()):
                request.ask(at_once=True)
            self._change.notify_all()
        for thread in self._threads.values():
            thread.join(END_SECONDS)

    def _folder(self, run_id: str) -> Path:
        return folder_of(self._settings.snapshots_dir, run_id)

    def _publish_positions(self) -> None:
        with self._change:
            positions = {place.run_id: i for i, place in enumerate(self._waiting, 1)}
        self._feed.set_positions(positions)

    def _serve(self, forks_only: bool) -> None:
        """One slot: takes the next run and follows it, again and again."""
        while (claimed := self._next(forks_only)) is not None:
            if not isinstance(claimed, tuple):
                self._compute(claimed)
                continue
            run_id, stop = claimed
            self._publish_positions()
            try:
                self._attend(run_id, stop)
            except DatabaseUnavailableError:  # only once the queue has been closed
                logger.warning("the end of a run could not be stored", run=run_id)
            except Exception:  # whatever it is, the next run is not to blame
                logger.exception("could not attend to a run", run=run_id)
            finally:
                with self._change:
                    del self._active[run_id]
                    unwanted = run_id in self._unwanted
                    self._unwanted.discard(run_id)
                    self._change.notify_all()
            try:
                if unwanted:
                    self.remove(run_id)
                self._room.make(self.remove)
            except (DatabaseUnavailableError, TimeoutError, OSError) as error:
                logger.warning("could not make room; the next run tries again", reason=str(error))

    def _compute(self, task: SpareTask) -> None:
        try:
            task.compute(self._executor, self._spare[task.name])
        except DatabaseUnavailableError:  # only once the queue has been closed
            logger.warning("a result could not be stored", task=task.name)
        except Exception:  # whatever it is, the next run is not to blame
            logger.exception("could not attend to a task", task=task.name)
        finally:
            with self._change:
                del self._spare[task.name]

    def _next(self, forks_only: bool) -> tuple[str, StopRequest] | SpareTask | None:
        with self._change:
            while not self._closed:
                for place in self._waiting:
                    if place.is_fork or not forks_only:
                        self._waiting.remove(place)
                        stop = self._active[place.run_id] = StopRequest()
                        return place.run_id, stop
                work = None if forks_only else self._spare_work
                if work is not None and (task := work.take()) is not None:
                    self._spare[task.name] = StopRequest()
                    return task
                self._idle += not forks_only
                self._idle_for_forks += forks_only
                self._change.wait()
                self._idle -= not forks_only
                self._idle_for_forks -= forks_only
        return None

    def _attend(self, run_id: str, stop: StopRequest) -> None:
        """One run, from the queue to its last event, whatever happens to the database meanwhile."""
        run = self._patience.insist(lambda _: self._store.claim(run_id))
        if run is None:  # it was stopped or removed meanwhile
            return
        try:
            reason = self._follow(run, stop)
        except Exception as error:
            if not isinstance(error, DatabaseUnavailableError):
                logger.exception("could not follow a run", run=run_id)
            reason = f"the server could not follow the run ({error})"
        remove_partial(self._folder(run_id))
        size = folder_bytes(self._folder(run_id))
        self._patience.insist(lambda _: self._store.set_file_bytes(run_id, size))
        if reason is not None:
            self._end(run_id, reason, stop)

    def _follow(self, run: RunRow, stop: StopRequest) -> str | None:
        """Has a run computed; None if its own last event is stored, else why it is not."""
        folder = self._folder(run.id)
        sources = sources_of(stored_spec(run.spec))
        if is_outdated(run.version, sources):
            return OUTDATED
        try:
            start, events, replay = self._patience.insist(
                lambda _: self._beginnings.take_over(run, folder), stop
            )
            job = Job(run.id, run.spec, folder, start, len(events), replay, sources)
            sink = RunSink(self._log, self._patience, run.id, events, stop, self._settings)
            reason = self._executor.execute(job, sink, stop)
        finally:
            remove_folder(folder / REPLAYED)
        return None if sink.ended else reason or "the run ended without a last event"

    def _end(self, run_id: str, reason: str, stop: StopRequest) -> None:
        """Appends the last event that the run could not say itself."""
        if self._closed:
            self._append_last(run_id, Failed(seq=1, error=INTERRUPTED), self._patience)
        elif stop.asked:
            self._append_last(run_id, Cancelled(seq=1), self._patience)
        else:
            logger.warning("run failed", run=run_id, reason=reason)
            shown = without_paths(reason, self._settings)
            self._append_last(run_id, Failed(seq=1, error=shown), self._patience)

    def _append_last(self, run_id: str, event: Failed | Cancelled, patience: Patience) -> None:
        while (run := patience.insist(lambda _: self._store.get(run_id))) and run.ended is None:
            with contextlib.suppress(LogConflictError):  # who lost the queue just now wrote on
                self._append_next(run, event, patience)

    def _append_next(self, run: RunRow, event: Failed | Cancelled, patience: Patience) -> None:
        numbered = event.model_copy(update={"seq": run.last_seq + 1})
        last = LoggedEvent(numbered.seq, numbered.type, run.step, numbered.model_dump_json())
        patience.insist(lambda again: self._log.append(run.id, [last], again=again))
