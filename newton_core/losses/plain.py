"""Any differentiable callable as a :class:`Loss`, so that nobody else asks which of them it has."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import (
    Derivatives,
    Loss,
    LossFunction,
    Need,
    autodiff_derivatives,
    generator_in,
)


class PlainLoss(Loss):
    """A callable (y, target) -> (N,), differentiated by autograd."""

    under_autocast = True  # a callable may hold a network

    def __init__(self, function: LossFunction) -> None:
        super().__init__()
        self.function = function

    @property
    def random_source(self) -> torch.Generator | None:
        """The callable's own attribute ``generator``, if it is a source of random numbers."""
        return generator_in(self.function)

    @property
    def learns(self) -> bool:
        """True: what a callable closes over cannot be seen."""
        return True

    def forward(self, y: Tensor, target: Any = None) -> Tensor:
        """What the callable gives; its target may be anything."""
        value: Tensor = self.function(y, target)
        return value

    def derivatives(self, y: Tensor, target: Any = None, *, hessian: bool = True) -> Derivatives:
        """By automatic differentiation."""
        return autodiff_derivatives(self.function, y, target, hessian=hessian)

    def mean_derivatives(self, y: Tensor, target: Any = None) -> None:
        """None: a callable has no short cut."""

    def per_sample_direction(self, y: Tensor, target: Any, tikhonov: float) -> None:
        """None: a callable has no short cut."""


def as_loss(loss: LossFunction) -> Loss:
    """A :class:`Loss` as it is; any other callable as a :class:`PlainLoss`.

    Raises:
        TypeError: it is neither, such as a name, or a class without its parameters.
    """
    if isinstance(loss, type) or not callable(loss):
        raise TypeError(
            f"the base is a loss, or a callable (y, target) -> (N,), not {loss!r}:"
            " build_loss(name) makes one"
        )
    return loss if isinstance(loss, Loss) else PlainLoss(loss)


def derivatives_of(
    loss: LossFunction,
    y: Float[Tensor, " N *S"],
    target: Any = None,
    need: Need = "hessian",
) -> Derivatives:
    """Derivatives of a loss at y up to what is needed, per sample and detached.

    A :class:`Loss` brings its own; those of any other callable are found by automatic
    differentiation.
    """
    return as_loss(loss).derivatives(y, target, hessian=need == "hessian")
