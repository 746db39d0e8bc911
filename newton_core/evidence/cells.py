"""Cells: one arm trained on one seed, computed once and kept.

A run's arms share batches and initial weights and nothing else, so that each can be computed
alone. A sweep over one arm's settings therefore computes the others once.
"""

import functools
import hashlib
import json
import os
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from newton_core.experiment.events import Summary
from newton_core.experiment.sources import sources_of
from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import data_dir
from newton_core.training.devices import describe_device, versions
from newton_core.workers import WorkerLostError, WorkerProcess
from newton_core.workers.messages import Done, Failed, Output

_NUMBERS_DEPEND_ON = ("newton-lab", "torch", "numpy")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
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


def cells_of(spec: ExperimentSpec) -> list[ExperimentSpec]:
    """The spec's arms alone, each recording as little as its last numbers allow.

    Raises:
        ValueError: a clock ends the run, so that the same spec gives other numbers.
    """
    if spec.seconds is not None:
        raise ValueError(
            "seconds: a run that a clock ends gives other numbers each time; leave it empty"
        )
    return [_alone(spec, index) for index in range(len(spec.arms))]


def _alone(spec: ExperimentSpec, index: int) -> ExperimentSpec:
    looks = spec.evaluate_every if spec.target is not None else spec.steps
    return spec.model_copy(
        update={
            "arms": (spec.arms[index].model_copy(update={"label": ""}),),
            "changes": tuple(
                change.model_copy(update={"arm": 0})
                for change in spec.changes
                if change.arm == index
            ),
            "evaluate_every": looks,
            "landscape_every": None,
            "log_every": spec.steps,
        }
    )


def cell_key(spec: ExperimentSpec) -> str:
    """What a cell computes, as a key: two cells with one key say the same numbers.

    Args:
        spec: with one arm, as :func:`cells_of` makes it.

    Returns:
        SHA-256, in hexadecimal, of the spec, of the versions of the lab, torch and numpy, of the
        device, and of all code and data from outside.
    """
    here = _loaded_versions()
    parts = {
        "spec": spec.model_dump(mode="json"),
        "versions": {name: here[name] for name in _NUMBERS_DEPEND_ON},
        # a cell has one thread, whatever the process has that asks
        "device": spec.device if spec.device == "cpu" else describe_device(spec.device),
        "sources": [f"{s.kind} {s.name} {s.digest}" for s in sources_of(spec)],
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _loaded_versions() -> dict[str, str]:
    """The versions that this process computes with; to look them up takes milliseconds."""
    return versions()


class _Stored(BaseModel):
    """A finished cell on disk."""

    model_config = ConfigDict(extra="forbid")

    key: str
    spec: dict[str, object]
    summary: Summary


class CellStore:
    """Finished cells in a folder, one file each."""

    def __init__(self, folder: Path | None = None) -> None:
        """Opens a folder, which is made when the first cell comes.

        Args:
            folder: None means ``cells`` in the data folder.
        """
        self.folder = folder if folder is not None else data_dir() / "cells"

    def get(self, cell: ExperimentSpec) -> Summary | None:
        """The summary of a cell; None if it was never computed, or its file is damaged."""
        key = cell_key(cell)
        try:
            stored = _Stored.model_validate_json(self._file(key).read_bytes())
        except (OSError, ValidationError):
            return None
        return stored.summary if stored.key == key else None

    def put(self, cell: ExperimentSpec, summary: Summary) -> None:
        """Keeps the summary of a cell, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        key = cell_key(cell)
        stored = _Stored(key=key, spec=cell.model_dump(mode="json"), summary=summary)
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=file.parent, suffix=".partial", encoding="utf-8", delete=False
        ) as partial:
            partial.write(stored.model_dump_json())
        os.replace(partial.name, file)

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def gather(spec: ExperimentSpec, cells: Sequence[Summary]) -> Summary:
    """The summary of a run, put together from those of its arms."""
    arms = [
        cell.arms[0].model_copy(update={"label": arm.label})
        for arm, cell in zip(spec.arms, cells, strict=True)
    ]
    return Summary(
        arms=arms,
        step=max(cell.step for cell in cells),
        seconds=sum(cell.seconds for cell in cells),
        primary_metric=cells[0].primary_metric,
        initial=cells[0].initial,
    )


def cores() -> int:
    """How many processes this one may keep busy."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
        processes: how many compute at once; None means as many as there are cores.
        stop: ends the computation when it is set.
        on_done: told of each run, by its place in ``specs``, once all its arms are there.
        on_progress: told of each cell.

    Returns:
        One summary for each spec, in their order.

    Raises:
        CellError: a cell failed; all others were computed first.
        CellsStoppedError: ``stop`` was set.
        ValueError: a spec that no cell can be made of, see :func:`cells_of`.
    """
    return _Computation(list(specs), store, on_done, on_progress).run(
        processes or cores(), stop or threading.Event()
    )


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
        results: queue.SimpleQueue[tuple[str, Summary | str] | None] = queue.SimpleQueue()
        ended = threading.Event()

        def work() -> None:
            with CellWorker() as worker:
                while not (stop.is_set() or ended.is_set()):
                    try:
                        key = wanted.get_nowait()
                    except queue.Empty:
                        break
                    with suppress(CellsStoppedError):
                        results.put((key, self._attempt(worker, key, (stop, ended))))
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
    ) -> Summary | str:
        """The summary of a cell, or why there is none."""
        try:
            return worker.compute(self._cells[key], stops)
        except CellError as error:
            return str(error)

    def _take(self, key: str, result: Summary | str) -> None:
        if isinstance(result, str):
            self._failed[key] = result
        else:
            self._store.put(self._cells[key], result)
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
            environment = dict.fromkeys(_THREAD_VARIABLES, "1")
            environment["NEWTON_LAB_DATA_DIR"] = str(data_dir())
            self._process = WorkerProcess(
                "newton_core.evidence.worker:main", None, "cell worker", environment
            )
        process = self._process
        process.submit(cell.model_dump_json())
        summary: Summary | None = None
        heard = time.monotonic()
        try:
            while True:
                if any(stop.is_set() for stop in stops):
                    raise CellsStoppedError("stopped")
                message = process.receive(LOOK_SECONDS)
                if message is not None:
                    heard = time.monotonic()
                elif time.monotonic() - heard > HANG_SECONDS:
                    raise CellError(f"its process gave no sign of life for {HANG_SECONDS:.0f} s")
                match message:
                    case Output(value=str() as text):
                        summary = Summary.model_validate_json(text)
                    case Done():
                        if summary is None:
                            raise CellError("its process sent no summary")
                        return summary
                    case Failed(error=error):
                        raise CellError(error.partition(": ")[2] or error)
        except WorkerLostError as loss:
            self.close()
            raise CellError(str(loss)) from loss
        except (CellError, CellsStoppedError):
            self.close()
            raise

    def close(self) -> None:
        """Ends the process; the next cell starts another."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> "CellWorker":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
