"""What a run gains from computing two arms at once (``run(..., arms_at_once=2)``).

    python -m benchmarks.side_by_side [PRESET=STEPS ...]

Whole runs of presets cut to a number of steps, start included, one torch thread; one arm at a time
and two at a time take turns. Printed: the fastest of each and their ratio.
"""

import argparse
import time

import torch

from app.presets import load_presets
from newton_core.training.run import run
from newton_core.training.spec import ExperimentSpec

PRESETS = ["collapse=1000", "sgd=600", "paths-bellman-ford=200", "paths-smoothed-loss=200"]
ROUNDS = 3


def seconds(spec: ExperimentSpec, arms_at_once: int) -> float:
    """Of one whole run."""
    began = time.perf_counter()
    *_, last = run(spec, arms_at_once=arms_at_once)
    if last.type != "finished":
        raise RuntimeError(f"the run ended with {last}")
    return time.perf_counter() - began


def main() -> None:
    """Measures the presets named, or those of PRESETS."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", metavar="PRESET=STEPS")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    presets = {preset.name: preset.spec for preset in load_presets()}
    for text in arguments.presets or PRESETS:
        name, _, steps = text.partition("=")
        spec = ExperimentSpec.model_validate(presets[name])
        spec = spec.model_copy(update={"steps": min(spec.steps, int(steps or spec.steps))})
        seconds(spec.model_copy(update={"steps": 1}), 1)  # data and kernels, loaded once
        alone, together = (min(times) for times in zip(
            *[(seconds(spec, 1), seconds(spec, 2)) for _ in range(ROUNDS)], strict=True
        ))  # fmt: skip
        print(
            f"{name:22} {spec.steps:5} steps  {len(spec.arms)} arms  one at a time {alone:5.1f} s"
            f"  two {together:5.1f} s  {alone / together:.2f}x"
        )


if __name__ == "__main__":
    main()
