"""Cells: one arm trained on one seed, computed once and kept.

A run's arms share batches and initial weights and nothing else, so that each can be computed
alone. A sweep over one arm's settings therefore computes the others once.
"""

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from newton_core.evidence.leases import Lease, Leases
from newton_core.experiment.events import Summary
from newton_core.experiment.sources import sources_of
from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import data_dir
from newton_core.training.devices import describe_device, versions

_NUMBERS_DEPEND_ON = ("newton-lab", "torch", "numpy")


def cells_of(spec: ExperimentSpec) -> list[ExperimentSpec]:
    """The spec's arms alone, each recording as little as its last numbers allow.

    Raises:
        ValueError: a clock ends the run, so that the same spec gives other numbers.
    """
    if spec.seconds is not None:
        raise ValueError(
            "seconds: a run that a clock ends gives other numbers each time; leave it empty"
        )
    return [_cell(arm_alone(spec, index)) for index in range(len(spec.arms))]


def arm_alone(spec: ExperimentSpec, index: int) -> ExperimentSpec:
    """The spec with one of its arms, and with the changes of that arm."""
    changes = [change for change in spec.changes if change.arm == index]
    return spec.model_copy(
        update={
            "arms": (spec.arms[index],),
            "changes": tuple(change.model_copy(update={"arm": 0}) for change in changes),
        }
    )


def _cell(alone: ExperimentSpec) -> ExperimentSpec:
    (arm,) = alone.arms
    return alone.model_copy(
        update={
            "arms": (arm.model_copy(update={"label": ""}),),
            "evaluate_every": alone.evaluate_every if alone.target is not None else alone.steps,
            "landscape_every": None,
            "log_every": alone.steps,
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
    """Finished cells in a folder, one file each, of limited size.

    A computation takes a lease first and makes room at its end. Cells that were used since the
    oldest lease of any process began are in use, and stay; of the others, those whose last use is
    longest ago go first.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int | None = None) -> None:
        """Opens a folder, which is made when it is needed.

        Args:
            folder: None means ``cells`` in the data folder.
            most_bytes: how large all files together may be; None for no limit.
        """
        self.folder = folder if folder is not None else data_dir() / "cells"
        self._most_bytes = most_bytes
        self._leases = Leases(self.folder / "leases")

    def lease(self) -> Lease:
        """Until it is released, all cells stay that are looked up or kept.

        Raises:
            OSError: the folder cannot be written.
        """
        return self._leases.take()

    def make_room(self) -> None:
        """Removes cells that are not in use until the limit is kept.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._most_bytes is None:
            return
        with self._leases.oldest() as in_use_since:
            files = sorted(_sizes(self.folder.glob("*/*.json")))
            excess = sum(size for _, size, _ in files) - self._most_bytes
            for used, size, file in files:
                if excess <= 0 or used >= in_use_since:
                    return
                file.unlink(missing_ok=True)
                excess -= size

    def get(self, cell: ExperimentSpec) -> Summary | None:
        """The summary of a cell; None if it was never computed, or its file is damaged."""
        key = cell_key(cell)
        file = self._file(key)
        try:
            stored = _Stored.model_validate_json(file.read_bytes())
        except (OSError, ValidationError):
            return None
        if stored.key != key:
            return None
        with suppress(OSError):
            os.utime(file)  # its last use
        return stored.summary

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

    @contextmanager
    def claim(self, cell: ExperimentSpec) -> Iterator[bool]:
        """Whether a cell is one's own to compute: true for one computation at a time, in whatever
        process. It ends with the block, or with the process.
        """
        file = self.folder / "claims" / f"{cell_key(cell)}.lock"
        lock = FileLock(file)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        except OSError:  # who cannot claim computes what another may compute too
            yield True
            return
        try:
            yield True
        finally:
            file.unlink(missing_ok=True)
            lock.release()

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _sizes(files: Iterable[Path]) -> Iterator[tuple[float, int, Path]]:
    """Of each file the time of its last use, its bytes, and itself."""
    for file in files:
        with suppress(OSError):  # it has gone meanwhile
            state = file.stat()
            yield state.st_mtime, state.st_size, file


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
