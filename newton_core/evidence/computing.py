"""Computing cells: in processes of their own, only those that nobody has computed before."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from newton_core.evidence.cells import CellStore, cell_key, cells_of, gather
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import data_dir
from newton_core.workers import (
    JobFailedError,
    WorkerLostError,
    WorkerProcess,
    worker_environment,
)
from newton_core.workers.cores import available_cores

_ENTRY = "newton_core.evidence.worker:main"
HANG_SECONDS = 300.0
LOOK_SECONDS = 0.1


class CellError(RuntimeError):
    """Cells that could not be computed; the message names the first and says why.

    Attributes:
        failures: why, by the place of a spec in the list that was asked for.
    """

    def __init__(self, message: str, failures: Mapping[int, str] | None = None) -> None:
        super().__init__(message)
        self.failures = dict(failures or {})


class CellsStoppedError(RuntimeError):
    """The computation was stopped; cells that were finished are kept."""


@dataclass(frozen=True)
class Progress:
    """How far a computation is.

    Attributes:
        done: cells that are there.
        total: cells that are wanted, equal ones counted once.
        reused: cells that were there before.
        seconds: since the beginning.
    """

    done: int
    total: int
    reused: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest takes; None as long as nothing was computed."""
        computed = self.done - self.reused
        return self.seconds / computed * (self.total - self.done) if computed else None


def compute_cells(
    specs: Iterable[ExperimentSpec],
    store: CellStore,
    *,
    processes: int | None = None,
    stop: threading.Event | None = None,
    on_done: Callable[[int, Summary], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Summary]:
    """Summaries of runs, of which only the arms are computed that nobody has computed before.

    Args:
        specs: of the runs. Each arm is computed alone, with one thread, and evaluated at its
            end; its last numbers are those of the whole run, bit for bit.
        store: what is there, and where finished cells go.
        processes: how many compute at once; None means as many as this process has cores.
        stop: ends the computation when it is set.
        on_done: told of each run, by its place in ``specs``, once all its arms are there.
        on_progress: told of each cell.

    Returns:
        One summary for each spec, in their order.

    Raises:
        CellError: a cell failed; all others were computed first.
        CellsStoppedError: ``stop`` was set.
        OSError: the folder of the cells cannot be written.
        ValueError: a spec that no cell can be made of, see :func:`cells_of`.
    """
    computation = _Computation(list(specs), store, on_done, on_progress)
    try:
        with store.lease():
            return computation.run(processes or available_cores(), stop or threading.Event())
    finally:
        store.make_room()


class _Computation:
    """One call of :func:`compute_cells`."""

    def __init__(
        self,
        specs: list[ExperimentSpec],
        store: CellStore,
        on_done: Callable[[int, Summary], None] | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._specs = specs
        self._store = store
        self._on_done = on_done
        self._on_progress = on_progress
        cells = [cells_of(spec) for spec in specs]
        self._keys = [[cell_key(cell) for cell in row] for row in cells]
        self._cells = {
            key: cell
            for keys, row in zip(self._keys, cells, strict=True)
            for key, cell in zip(keys, row, strict=True)
        }
        self._names = {
            key: f"arm {arm.label!r} of seed {spec.seed}"
            for spec, keys in zip(specs, self._keys, strict=True)
            for arm, key in zip(spec.arms, keys, strict=True)
        }
        self._found: dict[str, Summary] = {}
        self._failed: dict[str, str] = {}
        self._told: set[int] = set()
        self._reused = 0
        self._began = time.monotonic()

    def run(self, processes: int, stop: threading.Event) -> list[Summary]:
        """Computes what is missing."""
        for key, cell in self._cells.items():
            if (summary := self._store.get(cell)) is not None:
                self._found[key] = summary
        self._reused = len(self._found)
        self._tell()
        missing = [key for key in self._cells if key not in self._found]
        if missing:
            self._compute(missing, min(processes, len(missing)), stop)
        if len(self._found) + len(self._failed) < len(self._cells):
            raise CellsStoppedError(
                f"stopped; {len(self._found)} of {len(self._cells)} cells are finished and kept"
            )
        if self._failed:
            failures = {
                index: self._failed[key]
                for index, keys in enumerate(self._keys)
                for key in keys
                if key in self._failed
            }
            key, reason = next(iter(self._failed.items()))
            others = f" ({len(self._failed)} cells failed)" if len(self._failed) > 1 else ""
            words = f"{self._names[key]} could not be computed: {reason}{others}"
            raise CellError(words, failures)
        return [self._summary(index) for index in range(len(self._specs))]

    def _compute(self, missing: list[str], processes: int, stop: threading.Event) -> None:
        wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
        for key in missing:
            wanted.put(key)
        results: queue.SimpleQueue[tuple[str, Summary | str | OSError] | None] = queue.SimpleQueue()
        ended = threading.Event()

        def work() -> None:
            with CellWorker() as worker:
                while not (stop.is_set() or ended.is_set()):
                    try:
                        key = wanted.get_nowait()
                    except queue.Empty:
                        break
                    with suppress(CellsStoppedError):
                        found = self._attempt(worker, key, (stop, ended))
                        if found is not None:
                            results.put((key, found))
                        else:  # the others first
                            wanted.put(key)
                            stop.wait(LOOK_SECONDS)
            results.put(None)

        threads = [
            threading.Thread(target=work, name=f"cells {number}", daemon=True)
            for number in range(processes)
        ]
        for thread in threads:
            thread.start()
        working = len(threads)
        try:
            while working:
                result = results.get()
                if result is None:
                    working -= 1
                else:
                    self._take(*result)
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def _attempt(
        self, worker: "CellWorker", key: str, stops: Sequence[threading.Event]
    ) -> Summary | str | OSError | None:
        """The summary of a cell, or why there is none; None while another computation has it."""
        cell = self._cells[key]
        with self._store.claim(cell) as is_ours:
            if not is_ours:
                return None
            if (there := self._store.get(cell)) is not None:  # another one was faster
                return there
            try:
                summary = worker.compute(cell, stops)
                self._store.put(cell, summary)
            except CellError as error:
                return str(error)
            except OSError as error:
                return error
            return summary

    def _take(self, key: str, result: Summary | str | OSError) -> None:
        if isinstance(result, OSError):
            raise result
        if isinstance(result, str):
            self._failed[key] = result
        else:
            self._found[key] = result
        self._tell()

    def _tell(self) -> None:
        if self._on_progress is not None:
            seconds = time.monotonic() - self._began
            self._on_progress(Progress(len(self._found), len(self._cells), self._reused, seconds))
        if self._on_done is None:
            return
        for index, keys in enumerate(self._keys):
            if index not in self._told and all(key in self._found for key in keys):
                self._told.add(index)
                self._on_done(index, self._summary(index))

    def _summary(self, index: int) -> Summary:
        return gather(self._specs[index], [self._found[key] for key in self._keys[index]])


class CellWorker:
    """A process that computes one cell after the other, with one thread."""

    def __init__(self) -> None:
        self._process: WorkerProcess | None = None

    def compute(self, cell: ExperimentSpec, stops: Sequence[threading.Event]) -> Summary:
        """The summary of a cell.

        Raises:
            CellError: it failed, or the process was lost or hung.
            CellsStoppedError: one of ``stops`` was set.
        """
        if self._process is None:
            environment = worker_environment(data_dir(), threads=1)
            self._process = WorkerProcess(_ENTRY, None, "cell worker", HANG_SECONDS, environment)
        summary: Summary | None = None

        def stopped() -> bool:
            return any(stop.is_set() for stop in stops)

        try:
            for texts in self._process.results(cell.model_dump_json(), stopped, stop_seconds=0.0):
                for text in texts:
                    summary = Summary.model_validate_json(str(text))
        except JobFailedError as failure:
            raise CellError(str(failure).partition(": ")[2] or str(failure)) from failure
        except WorkerLostError as loss:
            self.close()
            if not stopped():
                raise CellError(str(loss)) from loss
        if summary is None:
            raise CellsStoppedError("stopped") if stopped() else CellError("it has no summary")
        return summary

    def close(self) -> None:
        """Ends the process; the next cell starts another."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> "CellWorker":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
