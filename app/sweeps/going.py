"""A sweep in progress: the grid on tuning seeds, then its best combination on report seeds."""

import math
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from app.sweeps.records import (
    SweepEnd,
    SweepReport,
    SweepWish,
    SweptRecord,
    metric_of,
    report_record,
    swept_record,
)
from newton_core.evidence import SweptCell, cell_key, expand, with_seeds
from newton_core.evidence.cells import cells_of, gather
from newton_core.evidence.leases import Lease
from newton_core.evidence.sweep import swept_arms
from newton_core.experiment.comparison import compare_runs
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import STORED, ExperimentSpec


@dataclass
class _Place:
    """A combination that waits for cells."""

    runs: list[list[str]]  # by seed, the keys of its arms
    missing: set[str]


class Stage:
    """Combinations of which all runs are wanted. Its callers take turns."""

    def __init__(self, specs: Mapping[int, ExperimentSpec], seeds: Iterable[int]) -> None:
        """Begins with nothing known.

        Args:
            specs: of the combinations, by place.
            seeds: of each.
        """
        self.cells: dict[str, ExperimentSpec] = {}
        self.complete = False
        self.is_over = False
        self._specs = specs
        self._seeds = tuple(seeds)
        self._places: dict[int, _Place] = {}
        self._waiting: dict[str, list[int]] = {}
        self._wanted: deque[str] = deque()
        self._found: dict[str, Summary | str] = {}
        self._left = len(specs)

    def places(self) -> Iterator[int]:
        """All places, in the order of the grid."""
        yield from self._specs

    def cells_at(self, place: int) -> dict[str, ExperimentSpec]:
        """The cells of a place, by key."""
        self._places[place] = where = _Place([], set())
        found: dict[str, ExperimentSpec] = {}
        for run in with_seeds(self._specs[place], self._seeds):
            cells = cells_of(run)
            keys = [cell_key(cell) for cell in cells]
            where.runs.append(keys)
            found |= dict(zip(keys, cells, strict=True))
        return found

    def add(
        self,
        place: int,
        cells: Mapping[str, ExperimentSpec],
        there: Mapping[str, Summary],
    ) -> list[int]:
        """Takes the cells of a place, and what of them is known; the place itself if it is all."""
        where = self._places[place]
        for key, cell in cells.items():
            if (summary := there.get(key)) is not None:
                self._found[key] = summary
            if key in self._found:
                continue
            where.missing.add(key)
            if key not in self.cells:
                self.cells[key] = cell
                self._wanted.append(key)
            self._waiting.setdefault(key, []).append(place)
        return [] if where.missing else [place]

    def knows(self, key: str) -> bool:
        """Whether a cell is there, or wanted, already."""
        return key in self._found or key in self.cells

    @property
    def has_wanted(self) -> bool:
        """Whether there is a cell to compute."""
        return bool(self._wanted)

    def next_key(self) -> str | None:
        """A cell to compute."""
        return self._wanted.popleft() if self._wanted else None

    def give_back(self, key: str, *, last: bool = False) -> None:
        """A cell that was not computed after all comes next, or after all others."""
        if last:
            self._wanted.append(key)
        else:
            self._wanted.appendleft(key)

    def take(self, key: str, found: Summary | str) -> list[int]:
        """Takes a cell's summary, or why there is none; the places that are done with it."""
        self._found[key] = found
        done = []
        for place in self._waiting.pop(key, []):
            missing = self._places[place].missing
            missing.discard(key)
            if not missing:
                done.append(place)
        return done

    @property
    def is_done(self) -> bool:
        """Whether the runs of all places have been fetched."""
        return self.complete and self._left == 0

    def runs_at(self, place: int) -> list[Summary] | str:
        """The runs of a place that is done, by seed, or why there are none; asked for once."""
        self._left -= 1
        spec = self._specs[place]
        runs = []
        for keys in self._places.pop(place).runs:
            found = [self._found[key] for key in keys]
            for arm, one in zip(spec.arms, found, strict=True):
                if isinstance(one, str):
                    return f"arm {arm.label!r} could not be computed: {one}"
            runs.append(gather(spec, [one for one in found if isinstance(one, Summary)]))
        return runs


class Going:
    """One sweep, from stage to stage."""

    def __init__(self, sweep_id: str, wish: str, lease: Lease | None) -> None:
        """Reads nothing yet, because a large grid takes a moment.

        Args:
            sweep_id: of the sweep.
            wish: a :class:`SweepWish` as it was stored.
            lease: on the cells that it uses; None where there can be none.
        """
        self.id = sweep_id
        self._lease = lease
        self.stopped = False
        self.is_new = True
        self.writing = threading.Lock()
        self.stage = Stage({}, ())
        self.unwritten: list[tuple[str, BaseModel]] = []
        self._stored = wish
        self._means: dict[int, float] = {}
        self._errors: list[str] = []
        self._best: int | None = None
        self._report_failed: str | None = None

    def end_lease(self) -> None:
        """Lets its cells go when room is needed."""
        if self._lease is not None:
            self._lease.release()

    def next_stage(self, logged: Sequence[tuple[str, str]]) -> Stage | None:
        """What is to be computed next; None if all is there.

        Args:
            logged: what an earlier server, or an earlier beginning, has written.
        """
        if self.is_new:
            self.is_new = False
            self._read()
            for kind, body in logged:
                if kind == "cell":
                    self._note(SweptRecord.model_validate_json(body))
            todo = {c.index: c.spec for c in self._cells if c.index not in self._means}
            self._errors.clear()
            self.stage = Stage(todo, self._wish.tuning_seeds)
            return self.stage
        if self._best is not None or not self._wish.report_seeds:
            return None
        self._best = self._choose()
        if self._best is None:
            return None
        best = self._cells[self._best]
        self.stage = Stage({best.index: best.spec}, range(self._wish.report_seeds))
        return self.stage

    def _read(self) -> None:
        self._wish = wish = SweepWish.model_validate_json(self._stored, context=STORED)
        self._cells = expand(wish.spec, wish.axes)
        self._arms = swept_arms(wish.axes, len(wish.spec.arms))
        self._better = metric_of(wish.spec).better

    def record(self, place: int) -> tuple[str, BaseModel]:
        """What the log says of a place of the present stage that is done."""
        cell = self._cells[place]
        runs = self.stage.runs_at(place)
        if self._best is None:
            found = None if isinstance(runs, str) else compare_runs(cell.spec, runs)
            error = runs if isinstance(runs, str) else ""
            swept = swept_record(SweptCell(cell, found, error), self._arms)
            self._note(swept)
            return "cell", swept
        if isinstance(runs, str):
            self._report_failed = runs
            return "report", SweepReport(
                index=place, settings=dict(cell.settings), seeds=self._wish.report_seeds, arms=[],
                error=runs,
            )  # fmt: skip
        return "report", report_record(cell, compare_runs(cell.spec, runs))

    def ending(self) -> tuple[str, SweepEnd]:
        """How it ends, once there is nothing left to compute."""
        if self._report_failed is not None:
            return "failed", SweepEnd(error=self._report_failed)
        if not self._means and self._errors:
            return "failed", SweepEnd(
                error=f"every combination failed, the first: {self._errors[0]}"
            )
        return "finished", SweepEnd()

    def _note(self, record: SweptRecord) -> None:
        if record.error is not None:
            self._errors.append(record.error)
        else:
            self._means[record.index] = math.nan if record.mean is None else record.mean

    def _choose(self) -> int | None:
        """The best combination; the first of equals."""
        sign = -1.0 if self._better == "lower" else 1.0
        known = [place for place in sorted(self._means) if math.isfinite(self._means[place])]
        return max(known, key=lambda place: sign * self._means[place], default=None)
