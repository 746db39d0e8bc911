"""Computes a protocol row by row: tunes its arms, runs them over report seeds, compares them."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from newton_core.evidence.cells import CellStore
from newton_core.evidence.computing import CellsStoppedError, Progress, compute_cells
from newton_core.evidence.measures import (
    LARGEST_ENTRY,
    RELATIVE_SECONDS,
    largest_entries,
    train,
    with_relative_seconds,
)
from newton_core.evidence.protocols import Budget, GradientRow, Plan, Record, Row
from newton_core.evidence.results import (
    RowResult,
    TuningRecord,
    arm_results,
    metric_record,
)
from newton_core.evidence.seeds import FIRST_TUNING_SEED, check_report_seeds
from newton_core.evidence.tuning import tune
from newton_core.experiment.comparison import compare
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import MetricDescription
from newton_core.tasks import TASKS


@dataclass(frozen=True)
class Tuned:
    """Arms that were tuned, and how.

    Attributes:
        arms: JSON of the arms of each spec of a row.
        record: how.
    """

    arms: tuple[list[Record], ...]
    record: TuningRecord

    def put_into(self, specs: Sequence[Record]) -> tuple[Record, ...]:
        """The specs with these arms; the rest, such as their steps, stays."""
        pairs = zip(specs, self.arms, strict=True)
        return tuple({**spec, "arms": arms} for spec, arms in pairs)


@dataclass
class Reproduction:
    """Computes the rows of a plan; every run is kept in the store, so that it can go on later.

    Attributes:
        plan: what to compute.
        store: of runs, those of tuning too.
        processes: child processes that compute at once, one thread each.
        device: where tensors live.
        kept: arms that were tuned before, by :func:`tuning_key`.
        stop: ends it between runs.
        on_done: called with seconds of one core, by the protocol's own estimate, when so much is
            done.
    """

    plan: Plan
    store: CellStore
    processes: int
    device: str = "cpu"
    kept: Mapping[str, Tuned] = field(default_factory=dict)
    stop: threading.Event | None = None
    on_done: Callable[[float], None] = lambda seconds: None

    def __post_init__(self) -> None:
        """Makes sure that the plan claims on report seeds.

        Raises:
            SeedError: it does not.
        """
        check_report_seeds(range(self.plan.seeds))

    def rows(self) -> Iterator[RowResult]:
        """The rows in their order, each when it is done.

        Raises:
            CellsStoppedError: ``stop`` was set; what was finished is kept.
            CellError: a run failed; all others of its row were computed first.
        """
        if self.plan.budget is None:
            self._compute_all()
        for row in self.plan.rows:
            if isinstance(row, GradientRow):
                yield self._gradients(row)
            else:
                yield self._trained(row)

    def _compute_all(self) -> None:
        """Computes the runs of all rows at once: starting processes for each would take longer."""
        wanted = [
            (row, cell)
            for row in self.plan.rows
            if isinstance(row, Row) and row.metric != RELATIVE_SECONDS.name
            for cell in self._cells(self._placed(row))
        ]
        if wanted:
            compute_cells(
                [cell for _, cell in wanted],
                self.store,
                processes=self.processes,
                stop=self.stop,
                on_done=lambda index, _: self.on_done(_seconds(*wanted[index])),
            )

    def _placed(self, row: Row) -> tuple[Record, ...]:
        return tuple({**spec, "device": self.device} for spec in row.specs)

    def _cells(self, specs: Sequence[Record]) -> list[ExperimentSpec]:
        """Each spec on each seed, those of one seed side by side."""
        return [
            ExperimentSpec.model_validate({**spec, "seed": seed})
            for seed in range(self.plan.seeds)
            for spec in specs
        ]

    def _trained(self, row: Row) -> RowResult:
        specs = self._placed(row)
        tuned = None
        if self.plan.budget is not None:
            tuned = self._tune(row, specs, self.plan.budget)
            specs = tuned.put_into(specs)
        summaries = self._run(row, specs)
        first = ExperimentSpec.model_validate(specs[0])
        metric = _metric_of(row, first)
        comparison = compare(summaries, metric)
        return RowResult(
            title=row.title,
            metric=metric_record(metric),
            arms=arm_results(comparison, row.paper),
            seeds=list(range(self.plan.seeds)),
            note=row.note,
            specs=[ExperimentSpec.model_validate(spec).model_dump(mode="json") for spec in specs],
            tuning=None if tuned is None else tuned.record,
            minutes=sum(arm.seconds for summary in summaries for arm in summary.arms) / 60,
        )

    def _run(self, row: Row, specs: Sequence[Record]) -> list[Summary]:
        """One summary a seed, with the arms of all specs side by side."""
        cells = self._cells(specs)
        if row.metric == RELATIVE_SECONDS.name:
            return self._time(row, cells)
        found = iter(
            compute_cells(
                cells,
                self.store,
                processes=self.processes,
                stop=self.stop,
                on_done=lambda index, _: self._tell(_seconds(row, cells[index])),
            )
        )
        return [_joined([next(found) for _ in specs]) for _ in range(self.plan.seeds)]

    def _tell(self, seconds: float) -> None:
        if self.plan.budget is not None:  # else all were told of at the beginning
            self.on_done(seconds)

    def _time(self, row: Row, specs: Sequence[ExperimentSpec]) -> list[Summary]:
        """Each run here and now, because kept times, or those of arms apart, compare nothing."""
        found = []
        for spec in specs:
            found.append(with_relative_seconds(train(spec, self.stop)))
            self.on_done(_seconds(row, spec))
        return found

    def _tune(self, row: Row, specs: tuple[Record, ...], budget: Budget) -> Tuned:
        key = tuning_key(specs, budget)
        before = self.kept.get(key)
        if before is not None:
            self.on_done(tuning_seconds(row, budget))
            return before
        tries = budget.points * budget.seeds * sum(len(spec["arms"]) for spec in specs)
        told = _Told(self.on_done, tuning_seconds(row, budget) / tries)
        seeds = tuple(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + budget.seeds))
        chosen = []
        seconds = 0.0
        for spec in specs:
            tried = ExperimentSpec.model_validate(_shortened(spec, budget))
            tuning = tune(
                tried,
                budget=budget.points,
                seeds=seeds,
                store=self.store,
                processes=self.processes,
                stop=self.stop,
                on_progress=told,
            )
            seconds += tuning.cell_seconds
            chosen.append(tuning.spec.model_dump(mode="json")["arms"])
        minutes = seconds / self.processes / 60
        steps = budget.steps or specs[0]["steps"]
        record = TuningRecord(
            key=key, points=budget.points, seeds=list(seeds), steps=steps, minutes=minutes
        )
        return Tuned(tuple(chosen), record)

    def _gradients(self, row: GradientRow) -> RowResult:
        began = time.monotonic()
        summaries = []
        for seed in range(self.plan.seeds):
            if self.stop is not None and self.stop.is_set():
                raise CellsStoppedError(f"stopped at seed {seed} of {row.title}")
            summaries.append(largest_entries(row, seed))
            self.on_done(row.milliseconds / 1000)
        return RowResult(
            title=row.title,
            metric=metric_record(LARGEST_ENTRY),
            arms=arm_results(compare(summaries, LARGEST_ENTRY), {}),
            seeds=list(range(self.plan.seeds)),
            note=row.note,
            specs=[],
            minutes=(time.monotonic() - began) / 60,
        )


class _Told:
    """Hands on the progress of tuning, which counts its cells anew in every round."""

    def __init__(self, on_done: Callable[[float], None], seconds: float) -> None:
        self._on_done = on_done
        self._seconds = seconds
        self._done = 0

    def __call__(self, progress: Progress) -> None:
        new = progress.done - self._done
        self._done = progress.done
        if progress.done == progress.total:
            self._done = 0  # the next one is of another round
        self._on_done(new * self._seconds)


def tuning_key(specs: Sequence[Record], budget: Budget) -> str:
    """A digest of what is tuned under which budget: another one whenever one of them is another."""
    tried = [
        ExperimentSpec.model_validate(_shortened(spec, budget)).model_dump(mode="json")
        for spec in specs
    ]
    text = json.dumps([tried, budget.points, budget.seeds], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kept_tunings(rows: Sequence[RowResult]) -> dict[str, Tuned]:
    """The tuned arms that earlier results hold, by :func:`tuning_key`."""
    return {
        row.tuning.key: Tuned(tuple(spec["arms"] for spec in row.specs), row.tuning)
        for row in rows
        if row.tuning is not None
    }


def seconds_of(plan: Plan) -> float:
    """About what a plan takes on one core, in seconds, where nothing was computed before."""
    return sum(row_seconds(plan, row) for row in plan.rows)


def row_seconds(plan: Plan, row: Row | GradientRow) -> float:
    """About what a row of a plan takes on one core, in seconds."""
    if isinstance(row, GradientRow):
        return plan.seeds * row.milliseconds / 1000
    specs = [ExperimentSpec.model_validate(spec) for spec in row.specs]
    report = plan.seeds * sum(_seconds(row, spec) for spec in specs)
    return report + (tuning_seconds(row, plan.budget) if plan.budget else 0.0)


def tuning_seconds(row: Row, budget: Budget) -> float:
    """About what tuning a row takes on one core, in seconds."""
    tries = budget.points * budget.seeds
    steps = sum(len(spec["arms"]) * (budget.steps or spec["steps"]) for spec in row.specs)
    return tries * steps * row.milliseconds / 1000


def _seconds(row: Row, spec: ExperimentSpec) -> float:
    return spec.steps * len(spec.arms) * row.milliseconds / 1000


def _shortened(spec: Record, budget: Budget) -> Record:
    """A spec as it is tuned: with fewer steps, if the budget says so."""
    if budget.steps is None:
        return spec
    steps = budget.steps
    return {**spec, "steps": steps, "log_every": steps, "evaluate_every": steps}


def _joined(summaries: Sequence[Summary]) -> Summary:
    """Runs on the same seed, hence from the same weights and on the same batches, as one."""
    first = summaries[0]
    arms = [arm for summary in summaries for arm in summary.arms]
    return first.model_copy(update={"arms": arms})


def _metric_of(row: Row, spec: ExperimentSpec) -> MetricDescription:
    if row.metric == RELATIVE_SECONDS.name:
        return RELATIVE_SECONDS
    task = TASKS.get(spec.task.name)
    return task.describe(row.metric or task.primary_metric)
