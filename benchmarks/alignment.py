"""What soft-DTW costs, forward and backward, and its Hessians beside a plain step of the loss.

    python -m benchmarks.alignment [--series 100] [--steps 100] [--repeats 5]

On one thread, against: a recursion cell by cell through autograd, one vectorised over
anti-diagonals, and tslearn's PyTorch loss, which is compiled by numba too. Asked for: at most 0.05
of the first, no slower than the others; Hessians in at most m / 2 plain steps. Times are the best
of the repeats.
"""

import argparse

import torch
from torch import Tensor
from tslearn.metrics import SoftDTWLossPyTorch

from benchmarks.path_losses import best_time
from newton_core.algorithms.alignment import SoftAlignment
from newton_core.losses import build_loss
from newton_core.losses.base import LossFunction

TEMPERATURE = 0.1


def cell_by_cell(y: Tensor, target: Tensor) -> Tensor:
    """The recursion as it is written, for all series at once."""
    edge = torch.full((len(y),), 1e30, dtype=y.dtype)
    row = [torch.zeros_like(edge)] + [edge] * target.shape[1]
    for i in range(y.shape[1]):
        below = [edge]
        for j in range(target.shape[1]):
            options = torch.stack((row[j], row[j + 1], below[j]))
            least = -TEMPERATURE * torch.logsumexp(-options / TEMPERATURE, dim=0)
            below.append((y[:, i] - target[:, j]).square() + least)
        row = below
    return row[-1]


def step(loss: LossFunction, y: Tensor, target: Tensor) -> None:
    """Forward and backward."""
    leaf = y.clone().requires_grad_(True)
    loss(leaf, target).sum().backward()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    y, target = torch.randn(2, options.series, options.steps, generator=generator)
    ours = build_loss("soft_dtw", temperature=TEMPERATURE)
    alignment = SoftAlignment(TEMPERATURE)
    peer = SoftDTWLossPyTorch(gamma=TEMPERATURE)

    def diagonals(a: Tensor, b: Tensor) -> Tensor:
        return alignment.by_torch(a.double()[..., None], b.double()[..., None])

    def tslearn(a: Tensor, b: Tensor) -> Tensor:
        value: Tensor = peer(a[..., None], b[..., None])
        return value

    def time(loss: LossFunction) -> float:
        return best_time(lambda: step(loss, y, target), options.repeats)

    plain = time(ours)
    print(f"{options.series} series of {options.steps} steps, forward and backward")
    print(f"  ours            {plain:9.1f} ms")
    print(f"  tslearn         {time(tslearn):9.1f} ms")
    print(f"  anti-diagonals  {time(diagonals):9.1f} ms")
    slow = best_time(lambda: step(cell_by_cell, y, target), 1)
    print(f"  cell by cell    {slow:9.1f} ms, of which ours is {plain / slow:.4f}")
    full = best_time(lambda: ours.derivatives(y, target), options.repeats)
    print(
        f"  with Hessians   {full:9.1f} ms, {full / plain:.1f} plain steps of m = {options.steps}"
    )


if __name__ == "__main__":
    main()
