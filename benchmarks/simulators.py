"""What curvature costs through a simulator: a whole update at the presets' sizes.

    python -m benchmarks.simulators [--steps 300] [NAME ...]

One thread; network, loss, solve and optimizer, as in :mod:`benchmarks.newton_step`. The plain arm
and the Hessian arm of a preset (trajectory, heat, discs-sgd) take turns. Asked for: at most 2 times
the plain update.
"""

import argparse
import copy

import torch

from app.specs import read_spec
from benchmarks.newton_step import WARM_UP, Step, measure
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.arm import Arm
from newton_core.training.context import build_task


def compare(spec: ExperimentSpec, steps: int) -> None:
    """Prints the cost of the Hessian arm's update beside that of the first arm's."""
    task = build_task(spec)
    model = task.build_model()

    def step_of(index: int) -> Step:
        arm = Arm(spec, index, copy.deepcopy(model))
        return lambda batch, step: arm.update(batch, step, observe=True)

    hessian = next(i for i, arm in enumerate(spec.arms) if arm.curvature == "hessian")
    measure(
        {"plain": step_of(0), "hessian": step_of(hessian)},
        lambda step: task.batch(step, spec.batch_size),
        steps,
    )


def main() -> None:
    """Compares on each preset."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", default=["trajectory", "heat", "discs-sgd"])
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.names:
        print(name)
        compare(read_spec(name, {"steps": options.steps + WARM_UP}), options.steps)


if __name__ == "__main__":
    main()
