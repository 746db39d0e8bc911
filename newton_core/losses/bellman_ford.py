"""Relaxed Bellman-Ford: how far the soft shortest path is from the true path."""

import functools
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from torch import Tensor

from newton_core.algorithms.soft_shortest_path import Loop, default_moves, soft_shortest_path
from newton_core.algorithms.threads import over_batch
from newton_core.losses.base import (
    Derivatives,
    Loss,
    LossParameters,
    TargetKind,
    autodiff_derivatives,
    register_loss,
)
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


@register_loss
class BellmanFord(Loss[BellmanFordParameters]):
    """Distance of the relaxed shortest path under costs y (N, h, w) > 0 from a 0/1 path (N, h, w).

    ``l1`` is sum |p - w*| over the tiles, ``l2`` sum (p - w*)^2, both in tiles, where p is
    :func:`newton_core.algorithms.soft_shortest_path.soft_shortest_path`. Values (N,), gradients
    (N, m) and Hessians (N, m, m) are exact. The Hessian is indefinite in general.

    The gradient costs a few hundred small tensor operations. The Hessian needs m tangents through
    all of them: a compiled kernel on the CPU, in float64, which still takes some twenty times as
    long as the gradient (and some seconds to compile on first use). The method's authors use the
    Fisher here.

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
        _, path = check_path_inputs(y, target)
        soft = soft_shortest_path(y, self.settings.inverse_temperature, loop=self.settings.loop)
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
        if not hessian:
            return autodiff_derivatives(self, y, target, hessian=False)
        costs, path = (t.cpu().double().contiguous() for t in check_path_inputs(y, target))
        N, h, w = costs.shape
        value, gradient = torch.empty(N).double(), torch.empty(N, h * w).double()
        second = torch.empty(N, h * w, h * w).double()
        kernel = _kernel()
        over_batch(
            lambda part: kernel(
                costs[part].numpy(),
                path[part].numpy(),
                self.settings.inverse_temperature,
                default_moves(h, w),
                self.settings.loop == "while",
                self.settings.distance == "l2",
                value[part].numpy(),
                gradient[part].numpy(),
                second[part].numpy(),
            ),
            N,
        )
        return Derivatives(value.to(y), gradient.to(y), second.to(y))


@functools.cache
def _kernel() -> Callable[..., None]:
    """The compiled derivatives; numba loads on the first call, not on import."""
    from newton_core.algorithms import soft_path_kernels

    kernel: Callable[..., None] = soft_path_kernels.path_distance
    return kernel
