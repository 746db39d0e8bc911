"""How often ApproxNDCG's batch-mean Hessian is indefinite, and where each rule then leads.

    python -m benchmarks.ndcg_definiteness [--seeds 3] [--n 5] [--steps 200]

A network learns to rank digits by their relevance, with the plain gradient under Adam, and each
batch is looked at. Printed for stretches of the training: the share of batches whose batch-mean
Hessian has an eigenvalue below zero (rounding apart), the share where one stays below zero with
the damping added, and for each definiteness rule the share of batches in which its step leads
uphill (it stands at 90 degrees or more to the gradient, or there is none), and the median angle
between the two. Last the loss of an arm of each rule over the last 20 steps of the lab's own
training.
"""

import argparse
import math
import statistics
from typing import get_args

import torch
from torch import Tensor

from newton_core.curvature.hessian import Definiteness, batch_mean
from newton_core.curvature.step import NewtonStep
from newton_core.curvature.systems import CurvatureError
from newton_core.experiment.events import Metrics
from newton_core.experiment.spec import ExperimentSpec
from newton_core.losses import Derivatives, build_loss
from newton_core.training.context import build_task
from newton_core.training.run import run

RULES: tuple[Definiteness, ...] = get_args(Definiteness)
STRETCHES = 4
LAST = 20
"""Steps that the loss at the end is a mean over."""


def spec_of(n: int, steps: int, seed: int, lr: float, tikhonov: float) -> ExperimentSpec:
    """Vanilla and an arm of each rule."""
    newton = {"curvature": "hessian", "tikhonov": tikhonov, "lr": lr}
    arms = [{"lr": lr}, *({**newton, "label": rule, "definiteness": rule} for rule in RULES)]
    return ExperimentSpec.model_validate(
        {
            "task": {"name": "ranking", "n": n},
            "loss": {"name": "approx_ndcg"},
            "arms": arms,
            "steps": steps,
            "evaluate_every": steps,
            "seed": seed,
        }
    )


def angles(found: Derivatives, tikhonov: float) -> dict[str, float]:
    """Between each rule's step and the gradient over the batch, in degrees; NaN for no step."""
    result: dict[str, float] = {}
    for rule in RULES:
        try:
            step = NewtonStep("hessian", tikhonov, "batch_mean", rule).direction(found)
        except CurvatureError:
            result[rule] = math.nan
            continue
        cosine = torch.cosine_similarity(step.flatten(), found.gradient.flatten(), dim=0)
        result[rule] = math.degrees(cosine.double().clamp(-1, 1).acos().item())
    return result


def least(found: Derivatives) -> tuple[float, float]:
    """The least and the largest eigenvalue of the batch-mean Hessian."""
    assert found.hessian is not None
    eigenvalues: Tensor = torch.linalg.eigvalsh(batch_mean(found.hessian))
    return eigenvalues[0].item(), eigenvalues[-1].item()


def share(flags: list[bool]) -> str:
    """In per cent."""
    return f"{sum(flags) / len(flags):.0%}"


def watch(spec: ExperimentSpec, tikhonov: float) -> None:
    """Trains with the plain gradient and prints what each batch's Hessian is like."""
    task = build_task(spec)
    loss = build_loss("approx_ndcg", **spec.loss.model_dump(exclude={"name"}))
    model = task.build_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.arms[0].lr)
    seen = []
    for step in range(1, spec.steps + 1):
        batch = task.batch(step, spec.batch_size)
        y = model(batch.inputs)
        found = loss.derivatives(y.detach().double(), batch.target)
        seen.append((least(found), angles(found, tikhonov)))
        optimizer.zero_grad()
        loss(y, batch.target).mean().backward()
        optimizer.step()
    size = math.ceil(len(seen) / STRETCHES)
    for begin in range(0, len(seen), size):
        part = seen[begin : begin + size]
        negative = share([low < -1e-9 * max(high, -low) for (low, high), _ in part])
        damped = share([low + tikhonov < 0 for (low, _), _ in part])
        turns = []
        for rule in RULES:
            found_angles = [turned[rule] for _, turned in part]
            uphill = share([not angle < 90 for angle in found_angles])
            median = sorted(found_angles)[len(part) // 2]
            turns.append(f"{rule} uphill {uphill}, {median:.0f}°")
        print(
            f"  steps {begin + 1:3} to {begin + len(part):3}: indefinite {negative},"
            f" damped too {damped}; {'; '.join(turns)}",
            flush=True,
        )


def train(spec: ExperimentSpec) -> str:
    """The arms' loss over their last steps."""
    losses: dict[int, list[float]] = {}
    for event in run(spec):
        if isinstance(event, Metrics):
            losses.setdefault(event.arm, []).extend(
                v for v in event.values["loss"] if v is not None
            )
    return ", ".join(
        f"{spec.arms[arm].label} {statistics.mean(values[-LAST:]):.3f}"
        for arm, values in sorted(losses.items())
    )


def main() -> None:
    """Prints, for every damping and seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--tikhonov", type=float, nargs="+", default=[0.1, 0.01, 0.001])
    options = parser.parse_args()
    torch.set_num_threads(1)
    for tikhonov in options.tikhonov:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            spec = spec_of(options.n, options.steps, seed, options.lr, tikhonov)
            print(f"lambda {tikhonov:g}, seed {seed}", flush=True)
            watch(spec, tikhonov)
            print(f"  loss at the end: {train(spec)}", flush=True)


if __name__ == "__main__":
    main()
