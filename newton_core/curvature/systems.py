"""What every damped system shares: its error, its checks, and the way back to the dtype of y."""

import math
from contextlib import suppress
from typing import SupportsFloat

import torch
from torch import Tensor

from newton_core.conditions import holds, number

_LARGEST = {
    dtype: torch.finfo(dtype).max
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
}


class CurvatureError(ArithmeticError):
    """A damped system without a finite solution; the message names the remedy."""


def check_tikhonov(tikhonov: float) -> None:
    """Raises ValueError unless ``tikhonov`` is positive and finite."""
    check_positive("tikhonov", tikhonov)


def check_positive(what: str, number: object) -> float:
    """The number, if it is a positive finite one: truths and texts are no numbers.

    Raises:
        ValueError: it is none.
    """
    if type(number) is float and 0 < number < math.inf:  # the protocol below takes far longer
        return number
    found = math.nan
    truth = isinstance(number, bool) or str(getattr(number, "dtype", "")).endswith("bool")
    if isinstance(number, SupportsFloat) and not truth:
        # what torch and NumPy raise where there are several numbers
        with suppress(TypeError, ValueError, RuntimeError):
            found = float(number)
    if not 0 < found < math.inf:
        raise ValueError(f"{what} must be a positive finite number, got {number!r}")
    return found


def check_choice(kind: str, name: str, choices: object) -> None:
    """Raises ValueError unless ``name`` is one of the ``Literal`` ``choices``, and lists them."""
    known: tuple[str, ...] = getattr(choices, "__args__", ())  # typing.get_args takes far longer
    if name not in known:
        raise ValueError(f"unknown {kind} {name!r}; use one of {', '.join(known)}")


def check_system(gradient: Tensor, tikhonov: float) -> None:
    """Raises ValueError unless ``gradient`` is (N, m), N and m >= 1, and ``tikhonov`` positive."""
    check_tikhonov(tikhonov)
    if gradient.ndim != 2 or gradient.numel() == 0:
        raise ValueError(
            "the gradient has one row per sample and one column per output, at least one of"
            f" each: (N, m); got {tuple(gradient.shape)}"
        )


def all_finite(tensor: Tensor) -> bool:
    """One reduction in place of isfinite's three passes: NaN and infinity survive a sum.

    Where the sum alone is too large, the maximum says that no number was.
    """
    return holds(abs(number(tensor.sum())) < math.inf) or holds(
        number(torch.linalg.vector_norm(tensor, math.inf)) < math.inf
    )


def not_finite(what: str, tensor: Tensor) -> CurvatureError:
    """The error that says which samples' ``what`` is not finite."""
    bad = ~torch.isfinite(tensor.flatten(1)).all(1)
    if not bad.any():
        return CurvatureError(f"the {what} is too large to be summed in float64")
    return CurvatureError(
        f"the {what} of {int(bad.sum())} of {len(bad)} samples, first of sample"
        f" {int(bad.nonzero()[0])}, has NaN or infinite entries, which no damping repairs: use"
        " numerics='log_domain' where the loss has it, a lower learning rate or float64 outputs"
    )


def like(gradient: Tensor, direction: Tensor, bound: float = math.inf) -> Tensor:
    """``direction`` on the gradient's device and in its dtype.

    ``bound`` is what no entry of it can exceed; where the dtype can hold that, nothing is checked.

    Raises:
        CurvatureError: the gradient, or the direction in that dtype, is not finite.
    """
    result = direction.to(gradient).contiguous()
    if bound > _LARGEST.get(gradient.dtype, 0.0) and not all_finite(result):
        if not all_finite(gradient):
            raise not_finite("gradient", gradient)
        raise CurvatureError(
            f"the direction is too large for {gradient.dtype}: its largest entry is"
            f" {direction.abs().amax().item():.3g}; use a larger tikhonov or a wider dtype"
        )
    return result
