"""What curvature costs: a whole training step with Hessian and Fisher beside the plain one.

    python benchmarks/newton_step.py [--steps 1000] [--n 5] [--batch-size 100] [--loss neuralsort]

Two ways to train the same network on the same batches, in one process, one thread:

    loop   the lab's own training loop, one arm per curvature (Arm.update): Hessian at most 1.3
           times and Fisher at most 1.05 times the plain step is what we ask for
    bare   three lines of PyTorch: loss(model(x), target).backward(); optimizer.step(), with the
           batch mean of the loss, NewtonLoss, and inject_fisher before the batch mean (which pays
           for a detour of the backward pass through Python)

A step is forward, loss, backward and optimizer; drawing the batch, which all share, is left out.
The variants take turns at every step, in random order, and what counts is the time that the
thread spent on the processor: other programs on the machine take none of it, though they do cool
its caches. Printed: the median time of a step, the ratio of the medians to plain, and the middle
half of the ratios step by step.
"""

import argparse
import copy
import random
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from newton_core import NewtonLoss, build_loss, inject_fisher
from newton_core.experiment.spec import ExperimentSpec
from newton_core.tasks import Batch
from newton_core.training.arm import Arm
from newton_core.training.context import build_task

Step = Callable[[Batch, int], object]
CURVATURES = {"plain": "none", "hessian": "hessian", "fisher": "fisher"}
WARM_UP = 50


def experiment(options: argparse.Namespace) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "task": {"name": "ranking", "n": options.n, "model": {"name": "mlp"}},
            "loss": {"name": options.loss, "numerics": options.numerics},
            "arms": [
                {"curvature": curvature, "tikhonov": options.tikhonov}
                for curvature in CURVATURES.values()
            ],
            "batch_size": options.batch_size,
            "steps": options.steps + WARM_UP,
        }
    )


def loop_steps(spec: ExperimentSpec, model: nn.Module) -> dict[str, Step]:
    """The lab's loop, with the metrics that it logs at every step."""

    def step_of(arm: Arm) -> Step:
        return lambda batch, step: arm.update(batch, step, observe=True)

    return {name: step_of(Arm(spec, i, copy.deepcopy(model))) for i, name in enumerate(CURVATURES)}


def bare_steps(spec: ExperimentSpec, model: nn.Module) -> dict[str, Step]:
    """What somebody writes who takes the losses alone."""
    base = build_loss(**spec.loss.model_dump())
    tikhonov = spec.arms[1].tikhonov
    hessian = NewtonLoss(base, curvature="hessian", tikhonov=tikhonov)
    values: dict[str, Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]] = {
        "plain": lambda y, target: base(y, target).mean(),
        "hessian": hessian,
        "fisher": lambda y, target: base(inject_fisher(y, tikhonov), target).mean(),
    }

    def step_of(name: str) -> Step:
        network = copy.deepcopy(model)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)

        def step(batch: Batch, _: int) -> None:
            optimizer.zero_grad()
            torch.autograd.backward(values[name](network(batch.inputs), batch.target))
            optimizer.step()

        return step

    return {name: step_of(name) for name in CURVATURES}


def measure(variants: dict[str, Step], batches: Callable[[int], Batch], steps: int) -> None:
    """Runs the variants in turn and prints what they cost."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    names, shuffled = list(variants), random.Random(0)
    for step in range(1, WARM_UP + steps + 1):
        batch = batches(step)
        for name in shuffled.sample(names, len(names)):
            began = time.thread_time()
            variants[name](batch, step)
            if step > WARM_UP:
                seconds[name].append(time.thread_time() - began)
    plain = statistics.median(seconds["plain"])
    for name, times in seconds.items():
        pairs = [t / p for t, p in zip(times, seconds["plain"], strict=True)]
        low, _, high = statistics.quantiles(pairs, n=4)
        median = statistics.median(times)
        print(
            f"  {name:8} {1e3 * median:7.3f} ms   x {median / plain:.3f}"
            f"   (middle half {low:.3f} to {high:.3f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--loss", default="neuralsort")
    parser.add_argument("--numerics", default="log_domain", choices=["log_domain", "bce_loss"])
    parser.add_argument("--tikhonov", type=float, default=0.1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    spec = experiment(options)
    task = build_task(spec)
    model = task.build_model()
    print(
        f"{options.loss} ({options.numerics}), n = {options.n}, batch {options.batch_size},"
        f" {options.steps} steps, torch {torch.__version__}"
    )
    for title, build in (("loop", loop_steps), ("bare", bare_steps)):
        print(title)
        measure(
            build(spec, model), lambda step: task.batch(step, options.batch_size), options.steps
        )


if __name__ == "__main__":
    main()
