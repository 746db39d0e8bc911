"""What rows compare beside the metrics of a task: an update's time, a gradient's size."""

import threading

import torch

from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature.surrogate import NewtonSettings
from newton_core.evidence.computing import CellError, CellsStoppedError
from newton_core.evidence.protocols import GradientRow
from newton_core.experiment.events import ArmSummary, Failed, Finished, Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.landscape.gradient_field import gradient_field
from newton_core.losses import build_loss
from newton_core.metrics import MetricDescription
from newton_core.seeding import generator
from newton_core.training.run import run

RELATIVE_SECONDS = MetricDescription(
    "relative_seconds",
    "Time of an update",
    "times the baseline's",
    "Compute time of an arm over that of the first arm of the same run; 1 is as fast.",
    better="lower",
    bounds=(0.0, None),
    decimals=2,
    sentence="takes {value} times as long",
)
LARGEST_ENTRY = MetricDescription(
    "largest_entry",
    "Largest entry over x₁",
    "absolute value",
    "Largest absolute value that the moving score's entry of the gradient, or of the Newton"
    " direction in its place, takes over the range.",
    better="lower",
    bounds=(0.0, None),
    scale="log",
    sentence="grows to {value}",
)


def train(spec: ExperimentSpec, stop: threading.Event | None) -> Summary:
    """Runs a spec here, all arms in turns, step by step, and on the threads that torch has.

    Raises:
        CellsStoppedError: ``stop`` was set.
        CellError: the run failed.
    """
    for event in run(spec, stop=stop):
        match event:
            case Finished():
                return event.summary
            case Failed():
                raise CellError(event.error)
    raise CellsStoppedError("stopped")


def with_relative_seconds(summary: Summary) -> Summary:
    """The summary, each arm with its time as a multiple of the first arm's."""
    first = summary.arms[0].seconds
    arms = [
        arm.model_copy(
            update={"metrics": {**arm.metrics, RELATIVE_SECONDS.name: _ratio(arm, first)}}
        )
        for arm in summary.arms
    ]
    return summary.model_copy(update={"arms": arms})


def _ratio(arm: ArmSummary, first: float) -> float | None:
    return arm.seconds / first if first > 0 else None


def largest_entries(row: GradientRow, seed: int) -> Summary:
    """What one draw of the other scores gives: an arm each for the gradient and the directions.

    Args:
        row: the loss, and the range of the moving score.
        seed: of the scores and their order.
    """
    draw = generator(seed, "moving score")
    scores = row.spread * torch.randn(row.sets, row.n, generator=draw)
    values = torch.rand(row.sets, row.n, generator=draw)
    settings = [
        NewtonSettings(curvature="hessian", tikhonov=row.tikhonov),
        NewtonSettings(curvature="fisher", tikhonov=row.tikhonov),
    ]
    field = gradient_field(
        build_loss(**row.loss),
        scores,
        permutation_matrix(values),
        torch.linspace(-row.reach, row.reach, row.points),
        settings=settings,
    )
    labels = ("Raw gradient", "Hessian", "Fisher")
    arms = []
    for label, curve in zip(labels, field.curves, strict=True):
        largest = curve.component.abs().max().item()  # NaN if it has no solution somewhere
        arms.append(
            ArmSummary(
                label=label,
                status="completed",
                step=0,
                metrics={LARGEST_ENTRY.name: largest},
                seconds=0.0,
            )
        )
    return Summary(arms=arms, step=0, seconds=0.0, primary_metric=LARGEST_ENTRY.name)
