"""Rows of the table: derivatives and Newton steps of the losses."""

from collections.abc import Callable
from functools import partial

import torch
from diffsort import DiffSortNet
from torch import Tensor
from torch.nn import functional

from benchmarks.pairs import Call, Row
from newton_core import build_loss, newton_direction, permutation_matrix
from newton_core.algorithms import shortest_path
from newton_core.losses import Loss
from tests.newton_core.algorithms.algovision_path import algovision_path

BATCH = 100
Relaxed = Callable[[Tensor], Tensor]


def scores(n: int, quick: bool) -> tuple[Tensor, Tensor]:
    """Scores of a batch and the true order, which noise has made another one in places."""
    generator = torch.Generator().manual_seed(0)
    y, noise = torch.randn(2, 10 if quick else BATCH, n, generator=generator)
    return y, permutation_matrix(y + 0.3 * noise)


def forward_backward(values: Callable[[Tensor], Tensor], y: Tensor) -> Call:
    """Forward and backward of the batch's mean."""

    def call() -> None:
        leaf = y.clone().requires_grad_(True)
        torch.autograd.backward(values(leaf).mean())

    return call


def entropy(relaxed: Relaxed, target: Tensor) -> Relaxed:
    """The cross-entropy of a relaxed permutation, as its users write it."""
    return lambda y: functional.binary_cross_entropy(relaxed(y), target)


def neuralsort(y: Tensor) -> Tensor:
    """NeuralSort in a few lines of torch, temperature 1."""
    n = y.shape[1]
    spread = (y[:, :, None] - y[:, None, :]).abs().sum(2)
    weights = torch.arange(1 - n, n, 2, dtype=y.dtype)
    return (weights[:, None] * y[:, None, :] - spread[:, None, :]).softmax(2)


def softsort(y: Tensor) -> Tensor:
    """SoftSort in a few lines of torch, temperature 1."""
    return (-(y.sort(1).values[:, :, None] - y[:, None, :]).abs()).softmax(2)


def diffsort(n: int) -> Relaxed:
    """diffsort's odd-even network; its matrix has ranks as columns."""
    network = DiffSortNet("odd_even", n, steepness=1.0, distribution="cauchy")
    return lambda y: network(y)[1].mT


def softmax_step(name: str, relaxed: Relaxed, n: int, quick: bool) -> tuple[Call, Call]:
    """A Newton step's direction beside the plain step of straight torch."""
    y, target = scores(n, quick)
    loss = build_loss(name, numerics="bce_loss")
    return (
        partial(newton_direction, loss, y, target),
        forward_backward(entropy(relaxed, target), y),
    )


def network_plain(n: int, quick: bool) -> tuple[Call, Call]:
    """A sorting network's gradient beside diffsort's."""
    y, target = scores(n, quick)
    loss = build_loss("cauchy_dsn", numerics="bce_loss", inverse_temperature=1.0)
    return (
        partial(loss.derivatives, y, target, hessian=False),
        forward_backward(entropy(diffsort(n), target), y),
    )


def network_step(
    n: int, quick: bool, *, hessian: str = "batch_mean", numerics: str = "bce_loss"
) -> tuple[Call, Call]:
    """A sorting network's Newton step beside diffsort's plain step."""
    y, target = scores(n, quick)
    loss = build_loss("cauchy_dsn", numerics=numerics, inverse_temperature=1.0)
    ours = partial(newton_direction, loss, y, target)
    return (
        partial(ours, hessian="per_sample") if hessian == "per_sample" else ours,
        forward_backward(entropy(diffsort(n), target), y),
    )


def grids(count: int, size: int) -> tuple[Tensor, Tensor]:
    """Costs as a network gives them at first, and the cheapest paths under other costs."""
    generator = torch.Generator().manual_seed(0)
    costs, other = torch.rand(2, count, size, size, generator=generator) + 0.3
    return costs, shortest_path(other).path


def path_loss(name: str) -> Loss:
    """A loss on a perturbed oracle with ten samples; smoothed ones have their own noise each."""
    return build_loss(name, samples=10, generator=torch.Generator().manual_seed(0))


def path_step(name: str, size: int, quick: bool) -> tuple[Call, Call]:
    """A Newton step through an oracle beside the same loss's gradient."""
    y, target = grids(4 if quick else 70, 8 if quick else size)
    loss = path_loss(name)
    return (
        partial(newton_direction, loss, y, target),
        partial(loss.derivatives, y, target, hessian=False),
    )


def bellman_ford(quick: bool) -> tuple[Call, Call]:
    """The relaxed shortest path's loss beside AlgoVision's."""
    size = 6 if quick else 12
    y, target = grids(4 if quick else 70, size)
    y, target = y.double(), target.double()
    loss = build_loss("bellman_ford")
    moves = 2 * size + 1
    peer = algovision_path(size, size, 5.0, moves, "for")

    def ours() -> None:
        loss.derivatives(y, target, hessian=False)

    return ours, forward_backward(lambda leaf: (peer(leaf) - target).abs().sum((1, 2)), y)


def wide_step(name: str, outputs: int, quick: bool) -> tuple[Call, None]:
    """A Newton step of a classical loss with many outputs."""
    m = 32 if quick else outputs
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(BATCH, m, generator=generator)
    target = (
        torch.randint(m, (BATCH,), generator=generator)
        if name == "cross_entropy"
        else torch.randn(BATCH, m, generator=generator)
    )
    return partial(newton_direction, build_loss(name), y, target), None


SIZES = (5, 10, 32)
TURNS = {5: 100, 10: 50, 32: 9}
ROWS = [
    *(
        Row(f"DSN odd-even n = {n}, forward + backward", "diffsort", partial(network_plain, n),
            ratio=ratio, turns=TURNS[n])
        for n, ratio in zip(SIZES, (0.05, 0.06, 0.10), strict=True)
    ),
    *(
        Row(f"DSN Newton step, batch mean, n = {n}", "diffsort, plain", partial(network_step, n),
            ratio=ratio, turns=TURNS[n])
        for n, ratio in zip(SIZES, (0.15, 0.20, 2.0), strict=True)
    ),
    *(
        Row(f"DSN Newton step, per sample, n = {n}", "diffsort, plain",
            partial(network_step, n, hessian="per_sample"), ratio=ratio,
            turns=TURNS[n])
        for n, ratio in zip(SIZES, (0.3, 0.4, 2.0), strict=True)
    ),
    Row("DSN Newton step, batch mean, log domain, n = 32", "diffsort, plain",
        partial(network_step, 32, numerics="log_domain"), ratio=3.0, turns=4),
    *(
        Row(f"{title} Newton step, batch mean, n = {n}", "straight torch, plain",
            partial(softmax_step, title.lower(), relaxed, n), ratio=ratio)
        for title, relaxed in (("NeuralSort", neuralsort), ("SoftSort", softsort))
        for n, ratio in zip(SIZES, (1.2, 1.5, 4.0), strict=True)
    ),
    *(
        Row(f"{name} Newton step, 12 x 12, S = 10", "its gradient", partial(path_step, name, 12),
            ratio=2.0, turns=20)
        for name in ("perturbed_fy", "smoothed_loss", "smoothed_algorithm")
    ),
    Row("perturbed_fy Newton step, 30 x 30, S = 10", "its gradient",
        partial(path_step, "perturbed_fy", 30), milliseconds=60, megabytes=60, turns=5),
    Row("cross_entropy Newton step, m = 1,024", "", partial(wide_step, "cross_entropy", 1024),
        milliseconds=60, megabytes=100, turns=5),
    Row("squared_error Newton step, m = 2,048", "", partial(wide_step, "squared_error", 2048),
        milliseconds=60, megabytes=100, turns=5),
    Row("relaxed Bellman-Ford 12 x 12, forward + backward", "AlgoVision", bellman_ford,
        ratio=0.15, turns=10),
]  # fmt: skip
