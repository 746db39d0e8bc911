"""Chooses learning rate and damping of a preset's arms, each arm under the same budget.

    python -m benchmarks.tune_preset NAME [--seeds 3] [--points 16] [--only LABEL ...]

Every arm is tried alone, at ``points`` settings around the preset's own, on the same seeds from
10,000 on, which no claim is measured on. An arm with two settings (a learning rate, and λ or the
norm that it is clipped at) gets a square grid, two values a decade; one with a learning rate alone
gets as many rates, close together over two decades. Printed, best first: the mean of the primary
metric at the last step over the seeds; an arm without a finite value counts as the worst.
"""

import argparse
import itertools
import math
import statistics
from collections.abc import Iterator
from typing import Any

import torch

from app.specs import read_spec
from newton_core.experiment.arms import ArmSpec
from newton_core.experiment.events import Finished
from newton_core.experiment.spec import ExperimentSpec
from newton_core.tasks import TASKS
from newton_core.training.run import run

FIRST_SEED = 10_000


def around(centre: float, count: int, a_decade: float) -> list[float]:
    """``count`` values, ``a_decade`` of them each tenfold, ``centre`` in their middle."""
    exponents = [k - (count - 1) // 2 for k in range(count)]
    return [float(f"{centre * 10 ** (k / a_decade):.2g}") for k in exponents]


def settings_of(arm: ArmSpec, points: int) -> Iterator[dict[str, Any]]:
    """The settings that an arm is tried at, ``points`` of them or as near as a square comes."""
    second = None
    if arm.curvature != "none":
        second = ("tikhonov", arm.tikhonov)
    elif arm.gradient == "clip":
        second = ("clip_norm", arm.clip_norm)
    if second is None:
        yield from ({"lr": lr} for lr in around(arm.lr, points, points / 2))
        return
    side = max(1, round(math.sqrt(points)))
    name, centre = second
    for lr, value in itertools.product(around(arm.lr, side, 2), around(centre, side, 2)):
        yield {"lr": lr, name: value}


def score(spec: ExperimentSpec, arm: ArmSpec, seeds: int, sign: int) -> float:
    """Mean primary metric at the end of the arm's own runs, times ``sign``: larger is better."""
    values = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        alone = spec.model_copy(
            update={"arms": (arm,), "seed": seed, "evaluate_every": spec.steps, "changes": ()}
        )
        for event in run(alone):
            if isinstance(event, Finished):
                end = event.summary.arms[0]
                value = end.metrics.get(event.summary.primary_metric)
                lost = value is None or end.status == "diverged"
                values.append(-math.inf if lost else sign * float(value or 0.0))
    return statistics.fmean(values)


def main() -> None:
    """Prints each arm's settings, the best first."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("name")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--points", type=int, default=16)
    parser.add_argument("--only", nargs="*", default=[], help="labels of arms")
    options = parser.parse_args()
    torch.set_num_threads(1)
    spec = read_spec(options.name)
    task = TASKS.get(spec.task.name)
    sign = -1 if task.describe(task.primary_metric).better == "lower" else 1
    for arm in spec.arms:
        if options.only and arm.label not in options.only:
            continue
        tried = []
        for settings in settings_of(arm, options.points):
            result = score(spec, arm.model_copy(update=settings), options.seeds, sign)
            tried.append((result, settings))
        print(arm.label)
        for result, settings in sorted(tried, key=lambda pair: -pair[0]):
            shown = ", ".join(f"{name} {value:g}" for name, value in settings.items())
            print(f"  {sign * result:9.4f}   {shown}", flush=True)


if __name__ == "__main__":
    main()
