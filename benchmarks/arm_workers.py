"""What a run gains from an arm worker process, which computes a share of its arms.

    python -m benchmarks.arm_workers [PRESET=STEPS ...]

Whole runs of presets cut to a number of steps, one torch thread; a run alone and a run with one
warm arm worker take turns. Printed: the fastest of each and their ratio.
"""

import argparse
import time
from collections.abc import Sequence

import torch

from app.presets import load_presets
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.parallel.arm_worker import ArmWorker
from newton_core.training.run import run

PRESETS = ["collapse=1000", "sgd=600", "paths-bellman-ford=200", "paths-smoothed-loss=200"]
ROUNDS = 3


def seconds(spec: ExperimentSpec, arm_workers: Sequence[ArmWorker]) -> float:
    """Of one whole run."""
    began = time.perf_counter()
    *_, last = run(spec, workers=arm_workers)
    if last.type != "finished":
        raise RuntimeError(f"the run ended with {last}")
    return time.perf_counter() - began


def warm_up(spec: ExperimentSpec, arm_worker: ArmWorker) -> None:
    """Loads data and kernels here and there."""
    seconds(spec.model_copy(update={"steps": 1}), ())
    job = arm_worker.prepare(spec)
    while not arm_worker.is_ready(job):
        time.sleep(0.01)


def main() -> None:
    """Measures the presets named, or those of PRESETS."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", metavar="PRESET=STEPS")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    presets = {preset.name: preset.spec for preset in load_presets()}
    with ArmWorker() as arm_worker:
        for text in arguments.presets or PRESETS:
            name, _, steps = text.partition("=")
            spec = ExperimentSpec.model_validate(presets[name])
            spec = spec.model_copy(update={"steps": min(spec.steps, int(steps or spec.steps))})
            warm_up(spec, arm_worker)
            alone, together = (min(times) for times in zip(
                *[(seconds(spec, ()), seconds(spec, (arm_worker,))) for _ in range(ROUNDS)],
                strict=True,
            ))  # fmt: skip
            print(
                f"{name:22} {spec.steps:5} steps  {len(spec.arms)} arms  alone {alone:5.1f} s"
                f"  with an arm worker {together:5.1f} s  {alone / together:.2f}x"
            )


if __name__ == "__main__":
    main()
