"""What the losses on ranks and top-k cost: many items, and whole updates beside the plain one.

    python -m benchmarks.rank_losses [--steps 200]

One thread, processor time, medians. First ``soft_rank`` forward and backward for 100 samples of
1,000 items, which is to take at most 10 ms. Then the lab's own update (Arm.update, batch 70) with
the batch-mean Hessian (at most 3 times the plain one) and with the Fisher matrix (at most 1.5
times); the three arms take turns on the same batches.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from newton_core import build_loss
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.arm import Arm
from newton_core.training.context import build_task

RANKING: dict[str, Any] = {"name": "ranking", "n": 10}
TOP_K: dict[str, Any] = {"name": "top_k", "k": 5}
UPDATES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (RANKING, {"name": "soft_rank"}),
    (RANKING, {"name": "soft_rank", "objective": "ndcg"}),
    (RANKING, {"name": "soft_rank", "regularization": "entropic"}),
    (RANKING, {"name": "approx_ndcg"}),
    (TOP_K, {"name": "top_k_cross_entropy", "relaxation": "neuralsort"}),
    (TOP_K, {"name": "top_k_cross_entropy", "relaxation": "softsort"}),
    (TOP_K, {"name": "top_k_cross_entropy", "relaxation": "cauchy_dsn"}),
)
CURVATURES = ("none", "hessian", "fisher")
WARM_UP = 20


def seconds_of(work: Callable[[], object]) -> float:
    """Processor time of this thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def many_items(regularization: str, repeats: int) -> float:
    """Median seconds of a forward and a backward pass of 100 samples of 1,000 items."""
    loss = build_loss("soft_rank", regularization=regularization)
    draw = torch.Generator().manual_seed(0)
    y, truth = torch.randn(100, 1000, generator=draw), torch.randn(100, 1000, generator=draw)

    def both() -> None:
        leaf = y.clone().requires_grad_(True)
        torch.autograd.backward(loss(leaf, truth).mean())

    return statistics.median([seconds_of(both) for _ in range(repeats + WARM_UP)][WARM_UP:])


def updates(task: dict[str, Any], loss: dict[str, Any], steps: int) -> list[float]:
    """Median seconds of an update: plain, with the Hessian, with the Fisher matrix."""
    arms = [{"curvature": curvature} for curvature in CURVATURES]
    total = steps + WARM_UP
    spec = ExperimentSpec.model_validate(
        {"task": task, "loss": loss, "arms": arms, "batch_size": 70, "steps": total}
    )
    data = build_task(spec)
    ways = [Arm(spec, i, data.build_model()) for i in range(len(arms))]
    seconds: list[list[float]] = [[] for _ in ways]
    for step in range(1, total + 1):
        batch = data.batch(step, spec.batch_size)
        for way, times in zip(ways, seconds, strict=True):
            begin = time.thread_time()
            way.update(batch, step, observe=True)
            times.append(time.thread_time() - begin)
    return [statistics.median(times[WARM_UP:]) for times in seconds]


def main() -> None:
    """Prints a line each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for regularization in ("l2", "entropic"):
        took = many_items(regularization, min(options.steps, 50))
        print(
            f"soft_rank {regularization}, 100 x 1,000 items: {1e3 * took:.1f} ms (10)", flush=True
        )
    for task, loss in UPDATES:
        plain, hessian, fisher = updates(task, loss, options.steps)
        words = " ".join(str(value) for value in loss.values())
        print(
            f"{words}: plain {1e3 * plain:.2f} ms, Hessian x {hessian / plain:.2f} (3),"
            f" Fisher x {fisher / plain:.2f} (1.5)",
            flush=True,
        )


if __name__ == "__main__":
    main()
