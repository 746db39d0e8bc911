"""Newton losses (Petersen et al. 2024): a Newton step in output space, then plain regression.

    z*_i = y_i - (C + tikhonov I)^-1 grad l_i(y_i)
    newton loss = 1/(2N) sum_i ||z*_i - y_i||^2            z* is a constant

The gradient that reaches the network is the *direction* (C + tikhonov I)^-1 grad l_i over N, in
place of grad l_i over N. C is the Hessian of the loss or its empirical Fisher matrix.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from newton_core.curvature import Curvature, Definiteness, HessianKind, NewtonStep
from newton_core.curvature.fisher import fisher_direction
from newton_core.curvature.local import (
    CurvatureAverage,
    check_weights,
    chosen_rows,
    is_learned,
    weighted_direction,
)
from newton_core.curvature.step import check_outputs, warn_if_flat
from newton_core.curvature.systems import (
    all_finite,
    check_choice,
    check_positive,
    check_tikhonov,
    like,
    not_finite,
)
from newton_core.losses.base import LossFunction
from newton_core.losses.plain import as_loss, derivatives_of
from newton_core.tensors import Context, check_plain, differentiable_once, flatten_outputs

Reduction = Literal["mean", "sum"]


def newton_direction(
    base: LossFunction,
    y: Float[Tensor, " N *S"],
    target: object = None,
    *,
    curvature: Curvature = "hessian",
    tikhonov: float = 0.1,
    hessian: HessianKind = "batch_mean",
    definiteness: Definiteness = "raw",
) -> Float[Tensor, " N *S"]:
    """(C + tikhonov I)^-1 gradient of each sample, detached, in the shape, dtype and device of y.

    Derivatives are taken in y's dtype, the system is solved in float64.

    Args:
        base: a :class:`Loss`, or any callable (y, target) -> (N,) that is differentiable in y
            and whose value i depends on y[i] alone.
        y: outputs of the network; S is treated as m = prod(S) coordinates.
        target: whatever ``base`` compares y with.
        curvature: C: "hessian", "fisher" (gradients only), or "none" for the plain gradient.
        tikhonov: damping, > 0: large values tend to the gradient over tikhonov, small ones to a
            full Newton step.
        hessian: "batch_mean" (paper, Definition 1) or "per_sample".
        definiteness: what happens to the Hessian's negative eigenvalues: "raw" keeps them (the
            paper), "clip" sets them to 0, "saddle_free" takes absolute values.

    Raises:
        CurvatureError: y, a derivative or the direction is not finite, or the system is singular.
        OpaqueLossError: curvature is "hessian", and autograd reaches only the base's gradient, or
            a part of its second derivatives.
        RuntimeError: it is called inside a transform of ``torch.func`` (vmap, grad, ...).
        ValueError: an argument is out of its range, or y holds no sample.

    Warns:
        UserWarning: the Hessian is exactly zero, as of a loss that is linear in pieces.
    """
    step = NewtonStep(curvature, tikhonov, hessian, definiteness)
    return step.direction_at(base, y, target)


def newton_target(
    base: LossFunction,
    y: Float[Tensor, " N *S"],
    target: object = None,
    *,
    curvature: Curvature = "hessian",
    tikhonov: float = 0.1,
    hessian: HessianKind = "batch_mean",
    definiteness: Definiteness = "raw",
) -> Float[Tensor, " N *S"]:
    """z* = y - :func:`newton_direction`, detached: where one damped Newton step would take y."""
    step = NewtonStep(curvature, tikhonov, hessian, definiteness)
    return step.target_at(base, y, target)


class NewtonLoss(nn.Module):
    """The Newton loss 1/(2N) sum ||z* - y||^2 of a base loss, a drop-in for its batch mean.

    Its gradient in y is the direction over N, exactly: y - z* is not formed as a difference,
    which would round a small step away beside a large output. It is differentiated once: a second
    backward pass through it is a RuntimeError.

    What else the base learns (its parameters, a target that requires grad) gets the plain gradient
    of the batch mean, as it would from the base itself: a Newton step is one of the outputs.

    C is local: it is the mean over the samples of this very call. Micro-batches, the ranks of a
    distributed training and padding change C, and C changes every direction. ``weights`` leave
    padding out, ``curvature_momentum`` averages C over calls, and docs/library.md has a recipe for
    ranks.

    Args:
        base: the loss; this and what follows as for :func:`newton_direction`.
        curvature: C.
        tikhonov: damping; it may be changed between calls.
        hessian: "batch_mean" or "per_sample".
        definiteness: of the Hessian.
        curvature_momentum: share of the past in a running average of C over the calls in training
            mode, in [0, 1); 0 takes each call's own C. Needs a C that the batch shares.
    """

    def __init__(
        self,
        base: LossFunction,
        *,
        curvature: Curvature = "hessian",
        tikhonov: float = 0.1,
        hessian: HessianKind = "batch_mean",
        definiteness: Definiteness = "raw",
        curvature_momentum: float = 0.0,
    ) -> None:
        super().__init__()
        step = NewtonStep(curvature, tikhonov, hessian, definiteness)
        average = CurvatureAverage(curvature_momentum)
        if curvature_momentum > 0 and (
            curvature == "none" or (curvature == "hessian" and hessian == "per_sample")
        ):
            raise ValueError(
                "curvature_momentum averages a matrix that the batch shares: use curvature"
                " 'fisher', or 'hessian' with hessian='batch_mean'"
            )
        self.average = average if curvature_momentum > 0 else None
        as_loss(base)  # refuses what is none
        self.base = base
        self.curvature = step.curvature
        self.tikhonov = step.tikhonov
        self.hessian = step.hessian
        self.definiteness = step.definiteness

    @property
    def step(self) -> NewtonStep:
        """The step with the present settings."""
        return NewtonStep(self.curvature, self.tikhonov, self.hessian, self.definiteness)

    def forward(
        self,
        y: Float[Tensor, " N *S"],
        target: object = None,
        *,
        weights: Tensor | None = None,
    ) -> Float[Tensor, ""]:
        """The scalar Newton loss at y, in y's dtype (half precision is summed in float32).

        Args:
            y: (N, *S) outputs.
            target: whatever the base compares y with.
            weights: (N,) a mask, or numbers of at least 0. Samples of weight 0 are left out, as if
                they were not in the batch; C, the loss and the gradient are weighted means.

        Raises:
            CurvatureError, OpaqueLossError, RuntimeError: as :func:`newton_direction` does.
            ValueError: an argument is out of its range, or the target requires grad and the base
                takes it for a constant.
        """
        check_plain(y, target, weights)
        if weights is not None:
            check_outputs(y)
            weights = check_weights(weights, len(y)).to(y.device)
            rows = weights > 0
            y, target, weights = y[rows], chosen_rows(target, rows), weights[rows]
        direction = self._direction(y, target, weights)
        plain = self._plain_loss(y, target, weights)
        wide = torch.promote_types(y.dtype, torch.float32)  # a share may be as large as N
        share = None if weights is None else (weights / weights.mean()).to(y.device, wide)
        value: Tensor = _Surrogate.apply(y, direction, plain, share)  # type: ignore[no-untyped-call]
        return value

    def _direction(self, y: Tensor, target: object, weights: Tensor | None) -> Tensor:
        """(N, *S) directions; without weights and average those of :func:`newton_direction`."""
        step = self.step
        if step.curvature == "none" or (weights is None and self.average is None):
            return step.direction_at(self.base, y, target)
        check_outputs(y)
        if not all_finite(y):
            raise not_finite("output", y)
        derivatives = derivatives_of(self.base, y.detach(), target, step.need)
        even = torch.ones(len(y), dtype=torch.float64, device=y.device)
        direction = weighted_direction(
            step, derivatives, even if weights is None else weights, self.average
        )
        warn_if_flat(derivatives)
        return direction.view_as(y)

    def _plain_loss(self, y: Tensor, target: object, weights: Tensor | None) -> Tensor | None:
        """The base's batch mean at constant outputs, if anything else than y is learned by it."""
        learned = is_learned(target)
        if not torch.is_grad_enabled() or not (learned or as_loss(self.base).learns):
            return None
        values: Tensor = self.base(y.detach(), target)
        if values.requires_grad:
            return values.mean() if weights is None else values @ (weights / weights.sum()).to(y)
        if learned:
            raise ValueError(
                "the target requires grad, but the base takes it for a constant: detach it"
            )
        return None

    def extra_repr(self) -> str:
        """The settings, as ``print`` shows them."""
        return (
            f"curvature={self.curvature!r}, tikhonov={self.tikhonov}, hessian={self.hessian!r},"
            f" definiteness={self.definiteness!r}"
        )


if TYPE_CHECKING:

    class _StepContext(Context):
        y: Tensor
        direction: Tensor
        learns: bool

    class _FisherContext(Context):
        y: Tensor
        tikhonov: float
        samples: float
        scale: float | Callable[[], float]

else:
    _StepContext = _FisherContext = Context


class _Surrogate(torch.autograd.Function):
    """1/(2N) sum_i w_i ||direction_i||^2; backward gives y the direction, the plain loss its own.

    w_i is a sample's share of the weights, of mean 1; None for 1.
    """

    @staticmethod
    def forward(
        ctx: _StepContext, y: Tensor, direction: Tensor, plain: Tensor | None, share: Tensor | None
    ) -> Tensor:
        ctx.y, ctx.direction, ctx.learns = y, direction, plain is not None
        wide = direction.to(torch.promote_types(y.dtype, torch.float32))
        squares = wide.square()
        if share is not None:
            share = share.view(-1, *[1] * (y.ndim - 1))
            ctx.direction, squares = wide * share, squares * share
        return (squares.sum() / (2 * len(y))).to(y.dtype)

    @staticmethod
    def backward(
        ctx: _StepContext, *grad_outputs: Tensor
    ) -> tuple[Tensor, None, Tensor | None, None]:
        (incoming,) = grad_outputs
        y, direction = ctx.y, differentiable_once(ctx.direction, _TWICE, ctx.y)
        wide = torch.promote_types(y.dtype, torch.float32)
        gradient = direction.to(wide) * (incoming.to(wide) / len(y))
        return gradient.to(y.dtype), None, incoming if ctx.learns else None, None


_TWICE = (
    "a Newton loss is differentiated once: its gradient is a Newton direction, which holds the"
    " curvature already and whose own derivative is not computed"
)


def inject_fisher(
    y: Float[Tensor, " N *S"],
    tikhonov: float = 0.1,
    reduction: Reduction = "mean",
    scale: float | Callable[[], float] = 1.0,
) -> Float[Tensor, " N *S"]:
    """y itself; in the backward pass its gradient is preconditioned with the empirical Fisher.

    Put it between network and loss and any loss trains as its Fisher-Newton loss. What comes
    back from the loss, g of shape (N, m), holds grad l_i / N if the loss is the batch mean and
    grad l_i if it is the batch sum, which only the caller knows:

        "mean":  g (N g^T g + tikhonov I)^-1    = direction / N, as ``NewtonLoss(..., "fisher")``
        "sum":   g (g^T g / N + tikhonov I)^-1  = direction

    A loss that is differentiated with a factor before it needs that factor as ``scale``, or
    tikhonov acts as if divided by its square. What comes back is then ``scale`` times the above::

        out = inject_fisher(network(x), 0.1, scale=0.3)           # a weighted loss
        (0.3 * loss(out, target).mean() + other).backward()

        out = inject_fisher(network(x), 0.1, scale=1 / parts)     # gradient accumulation
        (loss(out, target).mean() / parts).backward()

        scaler = torch.amp.GradScaler()                           # mixed precision
        out = inject_fisher(network(x), 0.1, scale=scaler.get_scale)
        scaler.scale(loss(out, target).mean()).backward()

    The Fisher is local: it is the mean over the samples of this very call. So each micro-batch has
    its own, and so has each rank of a distributed training. Rows of padding make it smaller: inject
    before padding, or only into the rows that are not padding.

    If ``scale`` is callable, it is called in the backward pass. Gradients that are not finite then
    pass unchanged, and directions too large for the dtype become infinities, because GradScaler
    looks for these, skips the update and lowers its scale. The backward pass cannot itself be
    differentiated (RuntimeError).

    Args:
        y: (N, *S) outputs of the network.
        tikhonov: damping, > 0, of the loss without its factor.
        reduction: whether the loss is the batch's mean or its sum.
        scale: the factor before that loss, > 0. The wrong one, or the wrong ``reduction``, changes
            the damping without a word: a gradient alone does not show its scale.

    Raises:
        CurvatureError: in the backward pass, if a gradient is not finite.
        RuntimeError: it is called inside a transform of ``torch.func`` (vmap, grad, ...).
        ValueError: an argument is out of its range, or y holds no sample; of a callable's scale
            in the backward pass.
    """
    check_plain(y)
    check_outputs(y)
    check_tikhonov(tikhonov)
    check_choice("reduction", reduction, Reduction)
    if not callable(scale):
        check_positive("scale", scale)
    samples = float(len(y)) if reduction == "mean" else 1.0
    injected: Tensor = _InjectFisher.apply(y, tikhonov, samples, scale)  # type: ignore[no-untyped-call]
    return injected


class _InjectFisher(torch.autograd.Function):
    """Identity; backward gives direction / factor, where grad l_i = factor * incoming gradient."""

    @staticmethod
    def forward(
        ctx: _FisherContext,
        y: Tensor,
        tikhonov: float,
        samples: float,
        scale: float | Callable[[], float],
    ) -> Tensor:
        ctx.y, ctx.tikhonov, ctx.samples, ctx.scale = y, tikhonov, samples, scale
        return y.view_as(y)

    @staticmethod
    def backward(ctx: _FisherContext, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        (incoming,) = grad_outputs
        check_plain(incoming)
        with torch.no_grad():
            preconditioned = _InjectFisher.precondition(ctx, incoming)
        once = differentiable_once(preconditioned, _TWICE, ctx.y, incoming)
        return once, None, None, None

    @staticmethod
    def precondition(ctx: _FisherContext, incoming: Tensor) -> Tensor:
        """What :func:`inject_fisher` says of the gradient that comes back from the loss."""
        scaled = callable(ctx.scale)
        scale = check_positive("scale", ctx.scale() if callable(ctx.scale) else ctx.scale)
        # with f = factor, the direction of f g is that of g at tikhonov / f^2, over f
        factor = ctx.samples / scale
        square = factor**2
        flat = flatten_outputs(incoming)
        wide = flat.to(torch.promote_types(flat.dtype, torch.float32))
        if scaled and not all_finite(wide):
            return incoming
        direction: Tensor = fisher_direction(wide, ctx.tikhonov / square) / square
        if scaled:
            return direction.view_as(incoming).to(incoming.dtype)
        bound = math.sqrt(len(flat) / ctx.tikhonov) / (2 * factor)
        return like(incoming, direction.view_as(incoming), bound)
