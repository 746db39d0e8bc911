"""Soft dynamic time warping: series are compared after they have been aligned in time."""

from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.alignment import SoftAlignment
from newton_core.losses.base import (
    Derivatives,
    Loss,
    LossParameters,
    TargetKind,
    autodiff_derivatives,
    register_loss,
)
from newton_core.settings import setting
from newton_core.tensors import check_finite, check_floating, to_float64


class SoftDtwParameters(LossParameters):
    """Soft-DTW between a series and the true one."""

    title = "Soft dynamic time warping"
    name: Literal["soft_dtw"] = "soft_dtw"
    temperature: float = setting(
        0.1, "Softness of the alignment: small values tend to dynamic time warping, large ones to"
        " a mean over all alignments.",
        title="Temperature γ", unit="squared units of the series", scale="log", gt=0.0, le=1e4,
    )  # fmt: skip
    normalised: bool = setting(
        False, "Take away half of each series' soft-DTW to itself: the divergence is never"
        " negative, and zero for equal series alone.",
        title="Divergence",
    )  # fmt: skip
    window: int | None = setting(
        None, "Most steps that two aligned steps may lie apart; 0 is the squared error, empty sets"
        " no limit.",
        title="Window", unit="steps", ge=0, le=10_000,
    )  # fmt: skip


@register_loss
class SoftDtw(Loss[SoftDtwParameters]):
    """Soft minimum over all alignments of two series in time of their squared differences.

    An alignment A is a walk over cells (i, j) from (1, 1) to (n, k) that moves to the next step of
    one series or of both; it costs <A, D> with D_ij = ||y_i - target_j||^2, and

        l = -temperature log sum_A exp(-<A, D> / temperature).

    With E and Cov over the alignments, each as likely as its share of that sum, and s_i =
    sum_j A_ij 2 (y_i - target_j) in one dimension:

        gradient_i = E[s_i],    Hessian = 2 diag(E[sum_j A_ij]) - Cov[s] / temperature.

    The first term counts the target's steps aligned with each own one; the second says how far the
    alignment is undecided, and makes the Hessian indefinite. As the temperature falls, the second
    term vanishes wherever one alignment is the best: the Hessian is diagonal there. The value may
    be negative. ``normalised`` is the divergence l(y, t) - l(y, y) / 2 - l(t, t) / 2.

    Value, gradient and Hessian are exact: compiled dynamic programming on the CPU, in float64. The
    Hessian takes one pass over the table with m numbers in each cell.

    Shapes: y (N, n) or (N, n, d); target (N, k) or (N, k, d), of any length k.

    Source: Cuturi & Blondel (2017), equations 1 and 2, algorithms 1 and 2; the divergence: Blondel,
    Mensch & Vert (2021). The Hessian's form is ours.
    """

    Parameters = SoftDtwParameters
    target_kind: ClassVar[TargetKind] = "series"
    up_to_constant: ClassVar[bool] = True

    def why_flat(self) -> str:
        """Every step stands in the middle of what it is aligned with."""
        return "every step of the series is the mean of the target's steps aligned with it"

    def forward(self, y: Float[Tensor, " N *S"], target: Tensor | None = None) -> Tensor:
        """(N,) soft costs of the best alignments, twice differentiable in y.

        Raises:
            ValueError: a series is empty, the target's values are not finite, or they do not fit.
        """
        series, true = self._checked(y, target)
        value: Tensor = self._alignment(series, true).to(y)
        return value

    def derivatives(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value (N,), gradient (N, m) and Hessian (N, m, m), exact and detached.

        Raises:
            ValueError: a series is empty, the target's values are not finite, or they do not fit.
        """
        series, true = self._checked(y.detach(), target)
        if not hessian and series.device.type != "cpu":
            return autodiff_derivatives(self, y, target, hessian=False)
        value, gradient, second = self._alignment.derivatives(
            series.cpu(), true.cpu(), gradient=True, hessian=hessian
        )
        return Derivatives(value.to(y), gradient.to(y), second.to(y) if hessian else None)

    @property
    def _alignment(self) -> SoftAlignment:
        p = self.settings
        return SoftAlignment(p.temperature, p.window, p.normalised)

    def _checked(self, y: Tensor, target: Tensor | None) -> tuple[Tensor, Tensor]:
        """Both series in float64, (N, n, d) and (N, k, d)."""
        if y.ndim not in (2, 3) or y[:1].numel() == 0:
            raise ValueError(
                "series have shape (N, n), or (N, n, d) with d values a step, and n >= 1 steps; got"
                f" {tuple(y.shape)}"
            )
        if target is None or target.ndim != y.ndim or _but_steps(target) != _but_steps(y):
            given = "none" if target is None else f"{tuple(target.shape)}"
            wanted = ", ".join([str(len(y)), "k", *map(str, y.shape[2:])])
            raise ValueError(
                f"the true series have shape ({wanted}), with any number k of steps; got {given}"
            )
        if target.shape[1] == 0:
            raise ValueError("the true series are empty: they have at least one step each")
        check_floating(y, "series")
        check_finite(target, "the true series")
        apart, window = abs(y.shape[1] - target.shape[1]), self.settings.window
        if window is not None and window < apart:
            raise ValueError(
                f"a window of {window} steps aligns no series of {y.shape[1]} steps with one of"
                f" {target.shape[1]}: it must be at least {apart}, or empty"
            )
        series, true = to_float64(y), to_float64(target.to(y.device))
        return (series, true) if y.ndim == 3 else (series[:, :, None], true[:, :, None])


def _but_steps(series: Tensor) -> tuple[int, ...]:
    return (len(series), *series.shape[2:])
