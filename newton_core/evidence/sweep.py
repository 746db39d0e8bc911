"""Sweeps: every combination of a grid on the same seeds, the best one tested on others."""

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from newton_core.evidence.cells import CellStore
from newton_core.evidence.computing import CellError, Progress, compute_cells
from newton_core.evidence.grid import Axis, Cell, expand
from newton_core.evidence.seeds import check_report_seeds, check_tuning_seeds, with_seeds
from newton_core.experiment.comparison import Comparison, compare_runs, primary_metric
from newton_core.experiment.events import Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import MetricDescription


@dataclass(frozen=True)
class SweptCell:
    """One combination and what its runs reached.

    Attributes:
        cell: the combination.
        comparison: its arms over the seeds; None if a run failed.
        error: why it failed; empty if it did not.
    """

    cell: Cell
    comparison: Comparison | None
    error: str = ""

    def value(self, arms: Sequence[int], better: str | None) -> float:
        """The best mean of some arms; NaN where nothing is known."""
        if self.comparison is None:
            return math.nan
        means = [self.comparison.arms[arm].mean for arm in arms]
        known = [mean for mean in means if math.isfinite(mean)]
        if not known:
            return math.nan
        return min(known) if better == "lower" else max(known)


@dataclass(frozen=True)
class Sweep:
    """A grid that was computed.

    Attributes:
        spec: what the grid varies.
        axes: its settings and their values.
        seeds: of every cell.
        arms: whose values a cell counts by, by index: those that the axes name, else all.
        metric: what the values are.
        cells: in the order of the grid.
    """

    spec: ExperimentSpec
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    arms: tuple[int, ...]
    metric: MetricDescription
    cells: tuple[SweptCell, ...]

    @property
    def best(self) -> SweptCell | None:
        """The best cell; the first of equals, and None if all failed or the grid is not done."""
        if len(self.cells) < math.prod(len(axis.values) for axis in self.axes):
            return None
        sign = -1.0 if self.metric.better == "lower" else 1.0
        known = [
            (sign * value, swept)
            for swept in self.cells
            if math.isfinite(value := swept.value(self.arms, self.metric.better))
        ]
        return max(known, key=lambda pair: pair[0])[1] if known else None


def swept_arms(axes: Sequence[Axis], count: int) -> tuple[int, ...]:
    """The arms that axes name, by index; all ``count`` of them where they name none."""
    parts = [axis.path.split(".") for axis in axes]
    named = {int(p[1]) for p in parts if p[0] == "arms" and len(p) > 1 and p[1].isdecimal()}
    return tuple(sorted(named)) or tuple(range(count))


def sweep(
    spec: ExperimentSpec,
    axes: Sequence[Axis],
    *,
    seeds: Sequence[int],
    store: CellStore,
    processes: int | None = None,
    stop: threading.Event | None = None,
    on_cell: Callable[[SweptCell], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Sweep:
    """Computes every combination of a grid on the same seeds.

    A sweep chooses the best combination, so its seeds are tuning seeds. Its own numbers flatter
    that combination; :func:`confirm` measures it on report seeds.

    Args:
        spec: what the grid varies; its seed does not matter.
        axes: see :func:`~newton_core.evidence.grid.expand`.
        seeds: 10,000 and up.
        store: cells that are there are not computed again.
        processes: see :func:`~newton_core.evidence.computing.compute_cells`.
        stop: see there.
        on_cell: told of each combination once all its runs are there.
        on_progress: told of each arm of each run.

    Raises:
        GridError: see :func:`~newton_core.evidence.grid.expand`.
        SeedError: a report seed would choose.
        CellsStoppedError: ``stop`` was set.
        ValueError: no seeds, or a run that a clock ends.
    """
    check_tuning_seeds(seeds)
    if not seeds:
        raise ValueError("a sweep needs at least one seed")
    cells = expand(spec, axes)
    found: dict[int, Summary] = {}
    swept: dict[int, SweptCell] = {}

    def take(place: int, summary: Summary) -> None:
        found[place] = summary
        index = place // len(seeds)
        places = range(index * len(seeds), (index + 1) * len(seeds))
        if all(p in found for p in places):
            comparison = compare_runs(cells[index].spec, [found[p] for p in places])
            swept[index] = SweptCell(cells[index], comparison)
            if on_cell is not None:
                on_cell(swept[index])

    specs = [one for cell in cells for one in with_seeds(cell.spec, seeds)]
    try:
        compute_cells(
            specs, store, processes=processes, stop=stop, on_done=take, on_progress=on_progress
        )
    except CellError as error:
        for place, reason in error.failures.items():
            index = place // len(seeds)
            if index not in swept:
                swept[index] = SweptCell(cells[index], None, reason)
                if on_cell is not None:
                    on_cell(swept[index])
    return gathered(spec, axes, seeds, swept.values())


def gathered(
    spec: ExperimentSpec, axes: Sequence[Axis], seeds: Sequence[int], swept: Iterable[SweptCell]
) -> Sweep:
    """The combinations of a sweep that are there; all of them unless it was stopped."""
    cells = tuple(sorted(swept, key=lambda one: one.cell.index))
    known = next((one.comparison for one in cells if one.comparison is not None), None)
    return Sweep(
        spec=spec,
        axes=tuple(axes),
        seeds=tuple(seeds),
        arms=swept_arms(axes, len(spec.arms)),
        metric=known.metric if known is not None else primary_metric(spec),
        cells=cells,
    )


def confirm(
    cell: Cell,
    *,
    seeds: Sequence[int],
    store: CellStore,
    processes: int | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Comparison:
    """Runs a cell that a sweep has chosen on seeds that have chosen nothing.

    Raises:
        SeedError: a tuning seed would claim.
        CellError, CellsStoppedError: see :func:`~newton_core.evidence.computing.compute_cells`.
    """
    check_report_seeds(seeds)
    specs = with_seeds(cell.spec, seeds)
    summaries = compute_cells(specs, store, processes=processes, stop=stop, on_progress=on_progress)
    return compare_runs(cell.spec, summaries)
