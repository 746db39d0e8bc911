"""Alignment of series in time: soft-DTW with its derivatives, and hard DTW with its paths.

Soft-DTW is that of Cuturi & Blondel, "Soft-DTW: a Differentiable Loss Function for Time-Series"
(2017); the divergence is that of Blondel, Mensch & Vert, "Differentiable Divergences Between Time
Series" (2021).
"""

import functools
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from numpy.typing import NDArray
from torch import Tensor

from newton_core.algorithms.threads import over_batch
from newton_core.tensors import Context, differentiable_once

BEYOND = 1e30
"""Cost of cells outside the window or the table: large, and yet its multiples are finite."""


@dataclass(frozen=True)
class SoftAlignment:
    """How two series are aligned softly.

    Attributes:
        temperature: of the soft minima, > 0, in squared units of the series.
        window: most steps that two aligned steps may lie apart; None: any.
        divergence: whether half of each series' soft-DTW to itself is taken away.
    """

    temperature: float
    window: int | None = None
    divergence: bool = False

    def derivatives(
        self,
        series: Float64[Tensor, "N n d"],
        target: Float64[Tensor, "N k d"],
        *,
        gradient: bool,
        hessian: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Values (N,), gradients (N, n d), Hessians (N, n d, n d) of tensors on the CPU, detached.

        Gradients and Hessians that are not asked for are empty. NaN where a series is not finite.
        """
        N, n, d = series.shape
        value = series.new_empty(N)
        first = series.new_zeros((N, n * d) if gradient else (0, 0))
        second = series.new_zeros((N, n * d, n * d) if hessian else (0, 0, 0))
        window = max(n, target.shape[1]) if self.window is None else self.window
        kernel = _kernels().soft_alignment
        finite = torch.isfinite(series).flatten(1).all(1)
        # the soft minima compare numbers, and NaN is neither more nor less
        series = torch.where(finite[:, None, None], series.detach(), 0.0).contiguous()
        target = target.detach().contiguous()
        over_batch(
            lambda part: kernel(
                series[part].numpy(), target[part].numpy(), self.temperature, window,
                self.divergence, value[part].numpy(), first[part].numpy(), second[part].numpy(),
            ),
            N,
        )  # fmt: skip
        if not bool(finite.all()):
            for tensor in (value, first, second):
                if len(tensor) > 0:
                    tensor[~finite] = torch.nan
        return value, first, second

    def by_torch(
        self, series: Float[Tensor, "N n d"], target: Float[Tensor, "N k d"]
    ) -> Float[Tensor, " N"]:
        """The value from plain torch operations, one for each anti-diagonal of the table.

        For devices that have no compiled kernels, and as their reference. Any order of derivative.
        """
        value = self._soft_dtw(series, target)
        if self.divergence:
            own = self._soft_dtw(series, series) + self._soft_dtw(target, target)
            value = value - own / 2
        return value

    def _soft_dtw(self, a: Float[Tensor, "N n d"], b: Float[Tensor, "N k d"]) -> Tensor:
        N, n, _ = a.shape
        k = b.shape[1]
        costs = (a[:, :, None] - b[:, None]).square().sum(3)
        if self.window is not None:
            steps = torch.arange(max(n, k), device=a.device)
            outside = (steps[:n, None] - steps[:k]).abs() > self.window
            costs = costs.masked_fill(outside, BEYOND)
        # row i moves i columns to the right: column s then is the anti-diagonal i + j = s
        wide = torch.cat((costs, costs.new_full((N, n, n), BEYOND)), dim=2)
        skewed = wide.flatten(1)[:, : n * (n + k - 1)].view(N, n, n + k - 1)
        first, *others = skewed.movedim(2, 0).contiguous().unbind()
        edge = costs.new_full((N, 1), BEYOND)
        before = torch.cat((edge.expand(N, n), edge), dim=1)  # of the anti-diagonal before the last
        last = torch.cat((edge, first), dim=1)
        for own in others:
            options = torch.stack((before[:, :-1], last[:, :-1], last[:, 1:]))
            least = -self.temperature * torch.logsumexp(-options / self.temperature, dim=0)
            before, last = last, torch.cat((edge, own + least), dim=1)
        return last[:, n]

    def __call__(
        self, series: Float64[Tensor, "N n d"], target: Float64[Tensor, "N k d"]
    ) -> Float64[Tensor, " N"]:
        """The value, twice differentiable in ``series``: by compiled kernels on the CPU."""
        if series.device.type != "cpu":
            return self.by_torch(series, target)
        apply: Any = _Value.apply
        value: Tensor = apply(series, target, self)
        return value


if TYPE_CHECKING:

    class _AlignmentContext(Context):
        alignment: SoftAlignment
        hessian: Tensor | None

else:
    _AlignmentContext = Context


class _Value(torch.autograd.Function):
    """Soft-DTW, whose gradient is found together with it if anyone may ask."""

    @staticmethod
    def forward(
        ctx: _AlignmentContext, series: Tensor, target: Tensor, alignment: SoftAlignment
    ) -> Tensor:
        wanted = ctx.needs_input_grad[0]
        value, gradient, _ = alignment.derivatives(series, target, gradient=wanted, hessian=False)
        ctx.save_for_backward(series, target, gradient)
        ctx.alignment = alignment
        return value

    @staticmethod
    def backward(ctx: _AlignmentContext, *grads: Tensor) -> tuple[Tensor, None, None]:
        series, target, gradient = ctx.saved_tensors
        apply: Any = _Gradient.apply
        gradient = apply(series, target, gradient, ctx.alignment)
        return (grads[0][:, None] * gradient).view_as(series), None, None


class _Gradient(torch.autograd.Function):
    """The gradient as a function of the series, whose Hessian is found when it is first needed."""

    @staticmethod
    def forward(
        ctx: _AlignmentContext,
        series: Tensor,
        target: Tensor,
        gradient: Tensor,
        alignment: SoftAlignment,
    ) -> Tensor:
        ctx.save_for_backward(series, target)
        ctx.alignment, ctx.hessian = alignment, None
        return gradient.clone()

    @staticmethod
    def backward(ctx: _AlignmentContext, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        series, target = ctx.saved_tensors
        if ctx.hessian is None:
            ctx.hessian = ctx.alignment.derivatives(series, target, gradient=False, hessian=True)[2]
        with torch.no_grad():
            product = (ctx.hessian @ grads[0][:, :, None])[:, :, 0].view_as(series)
        complaint = "soft-DTW has no third derivative here: use SoftAlignment.by_torch"
        return differentiable_once(product, complaint, series, grads[0]), None, None, None


def hard_alignments(
    series: Float[Tensor, "N n"], target: Float[Tensor, "N k"]
) -> tuple[Float64[Tensor, " N"], list[NDArray[np.int64]]]:
    """Dynamic time warping: least sums of squared differences, and alignments that have them.

    Args:
        series: (N, n) finite values.
        target: (N, k) finite values.

    Returns:
        The sums (N,), and of each pair its cells (i, j) from (0, 0) to (n - 1, k - 1).
    """
    (N, n), k = series.shape, target.shape[1]
    costs = np.empty(N)
    paths = np.empty((N, n + k - 1, 2), np.int64)
    lengths = np.empty(N, np.int64)
    a, b = (part.detach().cpu().double().contiguous().numpy() for part in (series, target))
    _kernels().hard_alignment(a, b, costs, paths, lengths)
    found = [path[:length][::-1] for path, length in zip(paths, lengths, strict=True)]
    return torch.from_numpy(costs), found


@functools.cache
def _kernels() -> ModuleType:
    """The compiled kernels; numba loads on the first call, not on import."""
    from newton_core.algorithms import alignment_kernels

    return alignment_kernels
