"""What the losses on shortest paths cost a step: the gradient, and the Hessian beside it.

    python benchmarks/path_losses.py [--batch 70] [--size 12] [--samples 10] [--repeats 10]

Also the relaxed Bellman-Ford Hessian against automatic differentiation (m backward passes), on a
batch small enough to wait for. Times are the best of the repeats, on torch's number of threads.
"""

import argparse
import functools
import time
from collections.abc import Callable

import torch
from torch import Tensor

from newton_core.algorithms import shortest_path
from newton_core.losses import autodiff_derivatives, build_loss
from newton_core.losses.base import Loss


def grids(count: int, size: int) -> tuple[Tensor, Tensor]:
    """Costs as a network gives them at first, and the cheapest paths under other costs."""
    generator = torch.Generator().manual_seed(0)
    costs, other = torch.rand(2, count, size, size, generator=generator) + 0.3
    return costs, shortest_path(other).path


def best_time(call: Callable[[], object], repeats: int) -> float:
    """The shortest of the repeats, in ms; the first call, which may compile, is not counted."""
    call()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=70)
    parser.add_argument("--size", type=int, default=12)
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    y, target = grids(options.batch, options.size)
    losses: list[tuple[str, Loss]] = [
        (name, build_loss(name, samples=options.samples))
        for name in ("smoothed_loss", "smoothed_algorithm", "perturbed_fy")
    ]
    losses += [
        (f"bellman_ford, {loop}", build_loss("bellman_ford", loop=loop))
        for loop in ("for", "while")
    ]
    print(f"batch {options.batch}, {options.size} x {options.size} tiles, S = {options.samples}")
    for label, loss in losses:
        gradient = functools.partial(loss.derivatives, y, target, hessian=False)
        plain = best_time(gradient, options.repeats)
        full = best_time(
            functools.partial(loss.derivatives, y, target), max(1, options.repeats // 3)
        )
        print(f"  {label:<22} gradient {plain:8.2f} ms   with Hessian {full:9.2f} ms")

    loss = build_loss("bellman_ford")
    few, paths = y[:4].double(), target[:4].double()
    compiled = best_time(lambda: loss.derivatives(few, paths), 3)
    automatic = best_time(lambda: autodiff_derivatives(loss, few, paths), 1)
    print(
        f"bellman_ford Hessians of 4 maps: compiled {compiled:.0f} ms, autodiff {automatic:.0f} ms"
    )


if __name__ == "__main__":
    main()
