"""Sweeps in progress: which cells are wanted, and what becomes of those that are there."""

import threading
import time
from collections import deque

import structlog

from app.database import DatabaseUnavailableError, SweepRow
from app.presets import get_preset
from app.runs.executors.base import Executor, StopRequest
from app.runs.files import without_paths
from app.runs.patience import Patience
from app.runs.queue import END_SECONDS, RunQueue
from app.settings import Settings
from app.sweeps.cell import CellTask
from app.sweeps.going import Going
from app.sweeps.records import SweepEnd, SweepWish
from app.sweeps.store import SweepStore
from newton_core.evidence import CellStore
from newton_core.evidence.leases import Lease
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec

GATHER_EVENTS = 50
LOOK_SECONDS = 0.1

logger = structlog.get_logger(__name__)


class SweepService:
    """Gives cells to the queue's slots while no run waits, and writes the logs of sweeps.

    A thread of its own looks up which cells are there; the slots compute the others. What one
    sweep or the command line has computed, no other computes again.
    """

    def __init__(self, settings: Settings, store: SweepStore, queue: RunQueue) -> None:
        self.store = store
        self._settings = settings
        self._queue = queue
        self._cells = CellStore(settings.data_dir / "cells", settings.cells_mb * 1_000_000)
        self._patience = Patience()
        self._change = threading.Condition()
        self._to_advance: deque[Going] = deque()
        self._going: dict[str, Going] = {}
        self._active: dict[str, tuple[str, StopRequest]] = {}
        self._count = 0
        self._closed = True
        self._thread: threading.Thread | None = None
        queue.fill_with(self)

    def start(self) -> None:
        """Takes up the sweeps that were going when an earlier server stopped.

        A service that was closed may be started again.
        """
        going = self.store.going()
        with self._change:
            self._closed = False
            self._patience = Patience()
            self._to_advance.clear()
        for row in going:
            self._take_up(row)
        self._thread = threading.Thread(target=self._serve, name="newton-lab-sweeps", daemon=True)
        self._thread.start()

    def take_in(self) -> None:
        """Takes up what other servers have left in the database."""
        for row in self.store.going():
            if self._take_up(row):
                current = self.store.get(row.id)
                if current is None or current.ended is not None:  # it ended here in between
                    self._leave(self._going[row.id])
        for sweep_id, wish in self.store.wishes():
            if wish == "remove":
                self.remove(sweep_id)
            else:
                self.stop(sweep_id)
                self.store.fulfil(sweep_id, wish)

    def submit(
        self, wish: SweepWish, cells: int, preset: str | None, owner: str | None = None
    ) -> tuple[SweepRow, bool]:
        """Starts a sweep, takes up one that was stopped, or finds one that is there (then true).

        Raises:
            TooManySweepsError: too many are going.
        """
        spec = wish.spec
        title = (
            f"{spec.task.name}, {spec.loss.name}" if preset is None else get_preset(preset).title
        )
        title += f": {', '.join(axis.path for axis in wish.grid)}"
        row, found = self.store.create(
            wish, cells, title, preset, owner, self._settings.runs_per_visitor
        )
        if row.status == "running" and not self._closed:
            self._take_up(row)
        return row, found

    def stop(self, sweep_id: str) -> bool:
        """Ends a sweep; its finished cells are kept. False if it has ended already.

        A server that does not compute sweeps leaves that in the database for the one that does.
        """
        if self._closed:
            return self.store.ask(sweep_id, "stop")
        with self._change:
            going = self._going.get(sweep_id)
        if going is None:
            return False
        self.store.append(sweep_id, [("cancelled", SweepEnd())])
        with self._change:
            going.stopped = True
            for owner, stop in self._active.values():
                if owner == sweep_id:
                    stop.ask()
        self._leave(going)
        return True

    def remove(self, sweep_id: str) -> None:
        """Removes a sweep with its log, ending it first if need be; its cells are kept.

        Raises:
            TimeoutError: the server that computes sweeps has not done so in time.
        """
        if self._closed:
            self._have_removed(sweep_id)
            return
        self.stop(sweep_id)
        self.store.delete(sweep_id)

    def _have_removed(self, sweep_id: str) -> None:
        self.store.ask(sweep_id, "remove")
        deadline = time.monotonic() + END_SECONDS
        while self.store.get(sweep_id) is not None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"sweep {sweep_id} was not removed within {END_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)

    def close(self) -> None:
        """Leaves all sweeps as they are, for the next server."""
        with self._change:
            self._closed = True
            going = list(self._going.values())
            self._going.clear()
            self._patience.end()
            self._change.notify_all()
        for one in going:
            one.end_lease()
        if self._thread is not None:
            self._thread.join()

    def take(self) -> CellTask | None:
        """The next cell, of one sweep after the other."""
        with self._change:
            for sweep_id, going in list(self._going.items()):
                if (key := going.stage.next_key()) is not None:
                    self._going[sweep_id] = self._going.pop(sweep_id)  # it is another one's turn
                    self._count += 1
                    name = f"sweep {sweep_id}, cell {self._count}"
                    return CellTask(name, self, going, going.stage, key)
        return None

    def compute(self, task: CellTask, executor: Executor, stop: StopRequest) -> None:
        """A cell in a slot of the queue, from the store if it came there meanwhile.

        What another sweep or the command line computes at this moment comes last.
        """
        with self._change:
            self._active[task.name] = (task.going.id, stop)
        if task.going.stopped:
            stop.ask()
        spec = task.stage.cells[task.key]
        try:
            with self._cells.claim(spec) as is_ours:
                found = self._computed(task, executor, stop) if is_ours else None
            if not is_ours:
                stop.wait(LOOK_SECONDS)
        finally:
            with self._change:
                del self._active[task.name]
        if found is None:
            with self._change:
                task.stage.give_back(task.key, last=not is_ours)
            self._queue.look()
            return
        with self._change:
            places = task.stage.take(task.key, found)
        self._record(task.going, places)

    def _computed(
        self, task: CellTask, executor: Executor, stop: StopRequest
    ) -> Summary | str | None:
        spec = task.stage.cells[task.key]
        found = self._cells.get(spec) or task.execute(executor, spec, stop)
        if isinstance(found, str):
            logger.warning("a cell failed", task=task.name, reason=found)
            return without_paths(found, self._settings)
        if found is not None:
            self._keep(spec, found)
        return found

    def _keep(self, spec: ExperimentSpec, summary: Summary) -> None:
        try:
            self._cells.put(spec, summary)
        except OSError as error:  # the sweep goes on; the cell is computed again another time
            logger.warning("a cell could not be kept", reason=error.strerror)

    def _take_up(self, row: SweepRow) -> bool:
        with self._change:
            if row.id in self._going:
                return False
            self._going[row.id] = going = Going(row.id, row.wish, self._lease())
            self._to_advance.append(going)
            self._change.notify_all()
            return True

    def _lease(self) -> Lease | None:
        try:
            return self._cells.lease()
        except OSError as error:  # cells that another process removes are computed again
            logger.warning("cells in use could not be marked", reason=error.strerror)
            return None

    def _serve(self) -> None:
        """The thread that looks up cells."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._closed or self._to_advance)
                if self._closed:
                    return
                going = self._to_advance.popleft()
            if going.stopped:
                continue
            try:
                self._advance(going)
            except DatabaseUnavailableError:  # only once the service has been closed
                logger.warning("a sweep could not be stored", sweep=going.id)
            except Exception as error:  # the others go on
                logger.exception("could not attend to a sweep", sweep=going.id)
                reason = f"the server could not follow the sweep ({type(error).__name__})"
                self._end(going, "failed", SweepEnd(error=reason))

    def _advance(self, going: Going) -> None:
        """Brings a sweep to the stage that is next, and looks up the cells of it."""
        stage = going.next_stage(self._logged(going) if going.is_new else ())
        if stage is None:
            self._end(going, *going.ending())
            return
        for place in stage.places():
            if going.stopped or self._closed:
                return
            cells = stage.cells_at(place)
            there = {
                key: summary
                for key, cell in cells.items()
                if not stage.knows(key) and (summary := self._cells.get(cell)) is not None
            }
            with self._change:
                places = stage.add(place, cells, there)
                wanted = stage.has_wanted
            self._record(going, places, at_once=wanted)
            if wanted:
                self._queue.look()
        with self._change:
            stage.complete = True
        self._record(going, [])

    def _logged(self, going: Going) -> list[tuple[str, str]]:
        events = self._patience.insist(lambda _: list(self.store.all(going.id)))
        return [(event.type, event.body) for event in events]

    def _record(self, going: Going, places: list[int], *, at_once: bool = True) -> None:
        """Writes the log of places that are done; the stage that is over makes room for the next.

        Places that come quickly one after the other are written together.
        """
        with going.writing:
            going.unwritten += [going.record(place) for place in places]
            stage = going.stage
            if not (at_once or stage.is_done or len(going.unwritten) >= GATHER_EVENTS):
                return
            events, going.unwritten = going.unwritten, []
            if not going.stopped:
                self._patience.insist(lambda _: self.store.append(going.id, events))
            if stage.is_done and not stage.is_over:  # whoever comes first says so
                stage.is_over = True
                with self._change:
                    self._to_advance.append(going)
                    self._change.notify_all()

    def _end(self, going: Going, status: str, how: SweepEnd) -> None:
        if not going.stopped:
            self._patience.insist(lambda _: self.store.append(going.id, [(status, how)]))
        self._leave(going)

    def _leave(self, going: Going) -> None:
        """Has done with a sweep, whose cells may go from now on."""
        with self._change:
            if self._going.get(going.id) is going:
                del self._going[going.id]
        going.end_lease()
        try:
            self._cells.make_room()
        except OSError as error:
            logger.warning("no room could be made for cells", reason=error.strerror)
