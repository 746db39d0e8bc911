"""Relaxed Bellman-Ford: how far the soft shortest path is from the true path."""

import functools
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from torch import Tensor

from newton_core.algorithms.soft_shortest_path import (
    Loop,
    default_moves,
    resolve_moves,
    soft_shortest_path,
)
from newton_core.algorithms.threads import over_batch
from newton_core.losses.base import (
    Derivatives,
    Loss,
    LossParameters,
    TargetKind,
    autodiff_derivatives,
    register_loss,
)
from newton_core.losses.compiled_value import compiled_value
from newton_core.losses.path_inputs import all_are_costs, check_path_inputs
from newton_core.settings import setting


class BellmanFordParameters(LossParameters):
    """Parameters of the relaxed Bellman-Ford loss."""

    title = "Relaxed Bellman-Ford"
    name: Literal["bellman_ford"] = "bellman_ford"
    inverse_temperature: float = setting(
        5.0,
        "Sharpness of the soft minima: large values tend to the hard path, small ones blur it.",
        title="Inverse temperature β", unit="1/cost", scale="log", gt=0.0, le=1e4,
    )  # fmt: skip
    loop: Loop = setting(
        "for",
        "How the backtrace along the path ends: after a fixed number of moves (for), or by a"
        " relaxed exit condition once it reaches the start (while).",
        title="Loop",
    )
    distance: Literal["l1", "l2"] = setting(
        "l1",
        "Distance between the soft path and the true one, summed over the tiles: absolute"
        " differences (l1) or their squares (l2).",
        title="Distance",
    )
    moves: int | None = setting(
        None,
        "Longest path that can be found, in moves; empty covers each batch's longest true path, and"
        " at least twice the grid's side.",
        title="Moves", unit="moves", scale="log", ge=1, le=10_000,
    )  # fmt: skip


@register_loss
class BellmanFord(Loss[BellmanFordParameters]):
    """Distance of the relaxed shortest path under costs y (N, h, w) > 0 from a 0/1 path (N, h, w).

    ``l1`` is sum |p - w*| over the tiles, ``l2`` sum (p - w*)^2, both in tiles, where p is
    :func:`newton_core.algorithms.soft_shortest_path.soft_shortest_path`. Values (N,), gradients
    (N, m) and Hessians (N, m, m) are exact. The Hessian is indefinite in general.

    Compiled kernels compute values and derivatives on the CPU, in float64. The Hessian needs m
    tangents through all that the gradient computes, so it takes some hundred times as long. The
    method's authors use the Fisher here.

    A path of more than ``moves`` moves cannot be found, whatever the costs. By default ``moves`` is
    :func:`~newton_core.algorithms.soft_shortest_path.default_moves`, or more if a true path of the
    batch is longer (a path through a maze). A target that is no path from corner to corner, or
    longer than that many moves, is a ValueError.

    Source: Petersen et al., "Newton Losses" (2024), relaxed Bellman-Ford, after AlgoVision (2021).
    """

    Parameters = BellmanFordParameters
    target_kind: ClassVar[TargetKind] = "path"
    costly_hessian: ClassVar[bool] = True

    def forward(self, y: Tensor, target: Tensor | None = None) -> Tensor:
        """(N,) distances, twice differentiable in y.

        Raises:
            ValueError: a cost is not positive or not finite, or y and target do not fit.
        """
        if y.device.type != "cpu":
            return self._by_torch(y, target)
        return compiled_value(self, self._by_torch, y, target)

    def _by_torch(self, y: Tensor, target: Tensor | None = None) -> Tensor:
        """The same from torch's operations: the reference, and the way to a second derivative."""
        _, path = check_path_inputs(y, target)
        soft = soft_shortest_path(
            y,
            self.settings.inverse_temperature,
            loop=self.settings.loop,
            moves=self._moves(path),
        )
        error = soft - path
        each = error.abs() if self.settings.distance == "l1" else error.square()
        return each.sum(dim=(1, 2))

    def defined_at(self, y: Tensor) -> Tensor:
        """Where all costs are positive and finite."""
        return all_are_costs(y)

    def derivatives(
        self, y: Tensor, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value (N,), gradient (N, m) and Hessian (N, m, m), exact and detached.

        Raises:
            ValueError: a cost is not positive or not finite, or y and target do not fit.
        """
        if not hessian and y.device.type != "cpu":
            return autodiff_derivatives(self._by_torch, y, target, hessian=False)
        costs, path = (t.cpu().double().contiguous() for t in check_path_inputs(y, target))
        N, h, w = costs.shape
        moves = self._moves(path)
        value, gradient = torch.empty(N).double(), torch.empty(N, h * w).double()
        second = torch.empty(N, h * w, h * w if hessian else 0).double()
        kernel = _kernel()
        over_batch(
            lambda part: kernel(
                costs[part].numpy(),
                path[part].numpy(),
                self.settings.inverse_temperature,
                moves,
                self.settings.loop == "while",
                self.settings.distance == "l2",
                value[part].numpy(),
                gradient[part].numpy(),
                second[part].numpy(),
            ),
            N,
        )
        return Derivatives(value.to(y), gradient.to(y), second.to(y) if hessian else None)

    def _moves(self, path: Tensor) -> int:
        """The moves that suffice for the true paths (N, h, w).

        Raises:
            ValueError: a path needs more than ``moves``, or they reach no corner.
        """
        tiles = path.sum(dim=(1, 2)).round()
        _, h, w = path.shape
        needed = int(tiles.max()) - 1 if len(tiles) else 0
        if self.settings.moves is None:
            return max(default_moves(h, w), needed)
        if needed > self.settings.moves:
            raise ValueError(
                f"the true path of sample {int(tiles.argmax())} has {needed + 1} tiles, more than"
                f" {self.settings.moves} moves can reach; moves must be at least {needed}, or empty"
            )
        return resolve_moves(h, w, self.settings.moves)


@functools.cache
def _kernel() -> Callable[..., None]:
    """The compiled derivatives; numba loads on the first call, not on import."""
    from newton_core.algorithms import soft_path_kernels

    kernel: Callable[..., None] = soft_path_kernels.path_distance
    return kernel
