"""What visitors ask of runs, on whichever server they ask it.

The server that owns the queue does it. Another one leaves it in the database for the owner.
"""

import time
from collections.abc import Callable

import structlog

from app.database import RunRow
from app.runs.queue import END_SECONDS, RunQueue
from app.runs.room import DiskRoom
from app.runs.store import NewRun, RunStore
from app.settings import Settings

LOOK_SECONDS = 0.1

logger = structlog.get_logger(__name__)


class RunDesk:
    """Takes runs, and requests to change or end them.

    Attributes:
        is_owner: whether the queue of this server is the one that computes.
    """

    def __init__(self, settings: Settings, store: RunStore, queue: RunQueue) -> None:
        self.is_owner = False
        self._settings = settings
        self._store = store
        self._queue = queue
        self._room = DiskRoom(settings, store)
        self._places: dict[str, int] = {}
        self._going = 0

    def start(self) -> None:
        """Takes the queue over."""
        self._queue.start()
        self.is_owner = True

    def close(self) -> None:
        """Ends all runs in progress at once; waiting ones stay."""
        self.is_owner = False
        self._queue.close()

    def look(self) -> dict[str, int]:
        """Reads the places of waiting runs, which another server computes."""
        self._going = self._store.counts().get("running", 0)
        self._places = {run_id: i for i, run_id in enumerate(self._store.queued_ids(), 1)}
        return self._places

    def take_in(self) -> None:
        """Takes up what other servers have left in the database."""
        self._queue.end_left_runs()
        if not self._queue.known_ids.issuperset(self._store.queued_ids()):
            self._queue.reconcile()
        for run_id, wish in self._store.wishes():
            try:
                self._fulfil(run_id, wish)
            except TimeoutError as error:  # the next look tries again
                logger.warning("a run could not be removed", reason=str(error))

    def _fulfil(self, run_id: str, wish: str) -> None:
        if wish == "stop":
            self._queue.stop(run_id)
        elif wish == "discard":
            self._queue.discard(run_id)
        else:
            self._queue.remove(run_id)
        self._store.fulfil(run_id, wish)

    def submit(self, new: NewRun) -> tuple[RunRow, bool]:
        """Queues a run, or finds the one that computes the same already (then true).

        One that was told to stop is no answer: it is waited for, and the new run goes on from it.

        Raises:
            QueueFullError: as many runs wait as may wait.
            TimeoutError: the run that was told to stop does not end.
        """
        if self.is_owner:
            return self._queue.submit(new)
        most = self._settings.max_queue, self._settings.runs_per_visitor
        run, reused = self._store.create(new, *most)
        if reused and run.asked is not None:
            self._wait(run.id, lambda run: run is None or run.ended is not None)
            run, reused = self._store.create(new, *most)
        self.look()
        return run, reused

    def stop(self, run_id: str) -> bool:
        """Stops a run, which ends with ``cancelled``; false if it has ended already."""
        if not self.is_owner:
            return self._store.ask(run_id, "stop")
        if not self._queue.stop(run_id):
            self._queue.reconcile()  # another server may have put it in the database just now
            return self._queue.stop(run_id)
        return True

    def discard(self, run_id: str) -> None:
        """Stops a run and removes it once its worker has ended it, which keeps the worker warm."""
        if self.is_owner:
            self._queue.discard(run_id)
        else:
            self._store.ask(run_id, "discard")

    def remove(self, run_id: str) -> None:
        """Removes a run with its log and files, ending it first if need be.

        Raises:
            TimeoutError: it did not end in time.
        """
        if self.is_owner:
            self._queue.remove(run_id)
            return
        self._store.ask(run_id, "remove")
        self._wait(run_id, lambda run: run is None)

    def _wait(self, run_id: str, happened: Callable[[RunRow | None], bool]) -> None:
        deadline = time.monotonic() + END_SECONDS
        while not happened(self._store.get(run_id)):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"run {run_id} did not end within {END_SECONDS:.0f} s; the server that computes"
                    " runs ends it as soon as it can"
                )
            time.sleep(LOOK_SECONDS)

    def pin(self, run: RunRow, pinned: bool) -> bool:
        """Keeps a run from being removed to make room, or no longer; false if too many are."""
        return self._room.pin(run, pinned)

    def position(self, run_id: str) -> int | None:
        """Place in the queue, 1 for the next; None for a run that does not wait."""
        return self._queue.position(run_id) if self.is_owner else self._places.get(run_id)

    def blocker(self, run_id: str) -> tuple[RunRow, float | None] | None:
        """The run that a waiting run's place depends on: the one in progress that ends first.

        Returns:
            That run and about how many seconds it has left, None where it has only begun; or None
            for a run that does not wait, or waits for nothing in progress.
        """
        if self.position(run_id) is None:
            return None
        going = self._queue.going() if self.is_owner else self._store.with_status("running")
        found = [(run, _seconds_left(run)) for run in going]
        return min(found, key=lambda one: float("inf") if one[1] is None else one[1], default=None)

    @property
    def waiting(self) -> int:
        """How many runs wait."""
        return self._queue.waiting if self.is_owner else len(self._places)

    @property
    def active(self) -> int:
        """How many runs are being computed."""
        return self._queue.active if self.is_owner else self._going

    @property
    def slots(self) -> int:
        """How many threads of this server wait for runs or follow them."""
        return self._queue.slots

    def reconcile(self) -> None:
        """Takes up runs that wait in the database alone, once an outage is over."""
        if self.is_owner:
            self._queue.reconcile()


def _seconds_left(run: RunRow) -> float | None:
    """By the pace so far; None where it has only begun, or the clock was set back meanwhile."""
    taken = 0.0 if run.started is None else time.time() - run.started
    if taken <= 0.0 or run.step == 0:
        return None
    return taken * max(0, run.steps - run.step) / run.step
