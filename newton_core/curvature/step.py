"""One Newton step in output space: which curvature, how it is damped, and where it leads."""

import warnings
from dataclasses import dataclass
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.fisher import fisher_direction
from newton_core.curvature.hessian import Definiteness, HessianKind, hessian_direction
from newton_core.curvature.systems import (
    all_finite,
    check_choice,
    check_tikhonov,
    like,
    not_finite,
)
from newton_core.losses.base import Derivatives, LossFunction, Need
from newton_core.losses.plain import as_loss, derivatives_of
from newton_core.tensors import check_plain, check_tensor, flatten_outputs

Curvature = Literal["none", "hessian", "fisher"]
"""C: nothing, which leaves the plain gradient, the Hessian, or the empirical Fisher matrix."""


@dataclass(frozen=True)
class NewtonStep:
    """The damped Newton step (C + tikhonov I)^-1 gradient of each sample of a batch.

    A pure function of its settings and of a loss's derivatives: ``newton_direction``,
    :class:`~newton_core.NewtonLoss`, training and every picture of it take the same one.

    Attributes:
        curvature: C: "hessian", "fisher" (gradients only), or "none" for the plain gradient.
        tikhonov: damping, > 0: large values tend to the gradient over tikhonov, small ones to a
            full Newton step; "none" ignores it.
        hessian: "batch_mean" (paper, Definition 1) or "per_sample".
        definiteness: what happens to the Hessian's negative eigenvalues: "raw" keeps them (the
            paper), "clip" sets them to 0, "saddle_free" takes absolute values.

    Raises:
        ValueError: a name is unknown, or tikhonov is not a positive finite number.
    """

    curvature: Curvature = "hessian"
    tikhonov: float = 0.1
    hessian: HessianKind = "batch_mean"
    definiteness: Definiteness = "raw"

    def __post_init__(self) -> None:
        check_tikhonov(self.tikhonov)
        check_choice("curvature", self.curvature, Curvature)
        check_choice("hessian", self.hessian, HessianKind)
        check_choice("definiteness", self.definiteness, Definiteness)

    @property
    def need(self) -> Need:
        """The derivatives that :meth:`direction` reads."""
        return "hessian" if self.curvature == "hessian" else "gradient"

    def direction(self, derivatives: Derivatives) -> Float[Tensor, "N m"]:
        """(C + tikhonov I)^-1 gradient of each sample, in the gradient's dtype.

        Raises:
            CurvatureError: the system is singular or not finite.
            ValueError: the Hessian is missing.
        """
        gradient, hessian = derivatives.gradient, derivatives.hessian
        if self.curvature == "none":
            return gradient
        if self.curvature == "fisher":
            return fisher_direction(gradient, self.tikhonov)
        if hessian is None:
            raise ValueError(
                "the Hessian direction needs a Hessian: ask for derivatives(y, target,"
                " hessian=True), or use curvature 'fisher'"
            )
        return hessian_direction(gradient, hessian, self.tikhonov, self.hessian, self.definiteness)

    def short_cut(
        self, loss: LossFunction, y: Float[Tensor, " N *S"], target: Any = None
    ) -> Float[Tensor, "N m"] | None:
        """The direction at y without any Hessian, where the loss has one for this step.

        See :meth:`Loss.per_sample_direction`; None where :meth:`direction` is the way.

        Raises:
            CurvatureError: the system is singular or not finite, or the direction is too large
                for y's dtype.
        """
        if self.need != "hessian":
            return None
        loss, y = as_loss(loss), y.detach()
        if self.hessian == "batch_mean" and not loss.shares_hessian:
            return None
        direct = loss.per_sample_direction(y, target, self.tikhonov)
        return None if direct is None else like(flatten_outputs(y), direct)

    def derivatives_at(
        self, loss: LossFunction, y: Float[Tensor, " N *S"], target: Any = None
    ) -> Derivatives:
        """What :meth:`direction` reads at y, at the least cost: see :meth:`Loss.mean_derivatives`.

        Where the mean of the Hessians is not finite, each sample has its own, so that an error
        can name the samples.
        """
        if self.need == "hessian" and self.hessian == "batch_mean":
            found = as_loss(loss).mean_derivatives(y.detach(), target)
            if found is not None and found.hessian is not None and all_finite(found.hessian[0]):
                return found
        return derivatives_of(loss, y, target, self.need)

    def direction_at(
        self, loss: LossFunction, y: Float[Tensor, " N *S"], target: object = None
    ) -> Float[Tensor, " N *S"]:
        """The direction at outputs y, detached, in the shape, dtype and device of y.

        Raises:
            CurvatureError: y, a derivative or the direction is not finite, or the system is
                singular.
            OpaqueLossError: a Hessian is needed, and autograd reaches only the loss's gradient.
            RuntimeError: it is inside a transform of ``torch.func``.
            ValueError: y holds no sample, or no real floating-point numbers.

        Warns:
            UserWarning: the Hessian is exactly zero, so the direction is gradient / tikhonov.
        """
        check_plain(y, target)
        check_outputs(y)
        if not all_finite(y):
            raise not_finite("output", y)
        y = y.detach()
        direction = self.short_cut(loss, y, target)
        if direction is None:
            derivatives = self.derivatives_at(loss, y, target)
            direction = self.direction(derivatives)
            warn_if_flat(derivatives)
        return direction.view_as(y)

    def target_at(
        self, loss: LossFunction, y: Float[Tensor, " N *S"], target: object = None
    ) -> Float[Tensor, " N *S"]:
        """z* = y - :meth:`direction_at`, detached: where the step would take y."""
        return y.detach() - self.direction_at(loss, y, target)


def warn_if_flat(derivatives: Derivatives) -> None:
    """Says that a Hessian direction is the gradient over tikhonov, where no Hessian is left."""
    hessian = derivatives.hessian
    if hessian is None or hessian[0].any():
        return
    if hessian.stride(0) == 0:  # one matrix, expanded
        hessian = hessian[:1]
    if not hessian.any() and derivatives.gradient.any():
        warnings.warn(
            "the loss's Hessian is exactly zero here (as of a loss that is linear in pieces), so"
            " the Hessian direction is the plain gradient over tikhonov; curvature 'fisher' needs"
            " no Hessian",
            stacklevel=4,
        )


def check_outputs(y: Tensor) -> None:
    """Raises ValueError (no tensor: TypeError) unless y holds real outputs of a sample or more."""
    check_tensor("y", y)
    if not y.is_floating_point():
        raise ValueError(f"y must hold real floating-point outputs, got {y.dtype}")
    if y.ndim == 0 or y.numel() == 0:
        raise ValueError(
            f"y must be (N, *S) with at least one sample and one output, got {tuple(y.shape)}"
        )
