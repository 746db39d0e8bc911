"""How far curvature turns the gradient in each preset: at its own λ, as vanilla trains.

    python -m benchmarks.turning [--steps 100] [--seeds 3] [NAME ...]

Printed: the angle between the batch's gradient and the step of the preset's first Hessian arm (as
a median over seeds), at the start and after some steps of the first arm. 0 degrees: curvature
changes lengths alone.
"""

import argparse
import statistics

import torch

from app.presets import load_presets
from app.specs import read_spec
from newton_core.curvature import turn
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.arm import Arm
from newton_core.training.context import build_task


def angles(spec: ExperimentSpec, hessian: int, steps: int) -> tuple[float, float]:
    """Degrees at the start and after ``steps`` steps of the first arm."""
    task = build_task(spec)
    plain = Arm(spec, 0, task.build_model())
    step_of = Arm(spec, hessian, plain.model).newton_step

    def angle(step: int) -> float:
        batch = task.batch(step, spec.batch_size)
        derivatives = plain.derivatives(batch, step, hessian=True)
        return float(turn(derivatives.gradient, step_of.direction(derivatives)))

    first = angle(1)
    for step in range(1, steps + 1):
        plain.update(task.batch(step, spec.batch_size), step, observe=False)
    return first, angle(steps + 1)


def main() -> None:
    """Measures the presets that have a Hessian arm and data that ship with the lab."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    known = [preset.name for preset in load_presets() if preset.pace == "quick"]
    for name in options.names or known:
        spec = read_spec(name)
        arm = next((i for i, a in enumerate(spec.arms) if a.curvature == "hessian"), None)
        if arm is None:
            continue
        found = [
            angles(spec.model_copy(update={"seed": seed}), arm, options.steps)
            for seed in range(options.seeds)
        ]
        start, end = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:26} {spec.loss.name:20} start {start:3.0f}°, then {end:3.0f}°")


if __name__ == "__main__":
    main()
