"""Derivatives of the sorting losses: closed forms and structured passes beside autograd's loop.

    python benchmarks/sorting_derivatives.py [--repeats 30] [--batch-size 100] [--n 5 10]

For each loss and either numerics, four ways to differentiate the same batch, in one process and
one thread:

    plain     value and gradient by forward and backward through torch.autograd
    gradient  value and gradient by the loss's own derivatives()
    hessian   value, gradient and Hessian by derivatives()
    loop      value, gradient and Hessian by autodiff_derivatives: n backward passes

They take turns, in rotating order, and what counts is the time that the thread spent on the
processor. Printed: the median of plain in ms, and the median ratios to it, taken turn by turn;
last how many times faster than the loop the structured Hessian is. Before they are timed, the
Hessians are compared, in float64 and on scores close enough that no P saturates.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from newton_core import build_loss, permutation_matrix
from newton_core.losses import autodiff_derivatives

LOSSES = (
    "neuralsort",
    "softsort",
    "logistic_dsn",
    "cauchy_dsn",
    "gaussian_dsn",
    "reciprocal_dsn",
    "optimal_dsn",
)
WARM_UP = 3


def variants(
    name: str, numerics: str, y: torch.Tensor, target: torch.Tensor
) -> dict[str, Callable[[], object]]:
    """The four ways, once the fast one is known to agree with the loop (where no P saturates)."""
    loss = build_loss(name, numerics=numerics)
    exact = 0.1 * y.double()
    fast, slow = loss.derivatives(exact, target), autodiff_derivatives(loss, exact, target)
    torch.testing.assert_close(fast.gradient, slow.gradient)
    torch.testing.assert_close(fast.hessian, slow.hessian)

    def plain() -> None:
        leaf = y.clone().requires_grad_(True)
        loss(leaf, target).mean().backward()

    return {
        "plain": plain,
        "gradient": lambda: loss.derivatives(y, target, hessian=False),
        "hessian": lambda: loss.derivatives(y, target),
        "loop": lambda: autodiff_derivatives(loss, y, target),
    }


def measure(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Seconds of processor time of every call, in turns that start with another one each time."""
    names = list(calls)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats + WARM_UP):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.thread_time()
            calls[name]()
            if turn >= WARM_UP:
                seconds[name].append(time.thread_time() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--n", type=int, nargs="+", default=[5, 10])
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"batch {options.batch_size}, {options.repeats} turns, torch {torch.__version__}")
    print(f"{'loss':15} {'numerics':11} {'n':>3} {'plain ms':>9}", end="")
    print(f" {'gradient':>9} {'hessian':>9} {'loop':>9} {'loop/hessian':>13}")
    for name in LOSSES:
        for numerics in ("log_domain", "bce_loss"):
            for n in options.n:
                generator = torch.Generator().manual_seed(0)
                y = torch.randn(options.batch_size, n, generator=generator)
                noise = torch.randn(options.batch_size, n, generator=generator)
                seconds = measure(
                    variants(name, numerics, y, permutation_matrix(y + 0.3 * noise)),
                    options.repeats,
                )

                def ratio(top: str, bottom: str, seconds: dict[str, list[float]] = seconds) -> str:
                    pairs = zip(seconds[top], seconds[bottom], strict=True)
                    return f"x {statistics.median(a / b for a, b in pairs):.2f}"

                print(
                    f"{name:15} {numerics:11} {n:3}"
                    f" {1e3 * statistics.median(seconds['plain']):9.2f}"
                    f" {ratio('gradient', 'plain'):>9} {ratio('hessian', 'plain'):>9}"
                    f" {ratio('loop', 'plain'):>9} {ratio('loop', 'hessian'):>13}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
