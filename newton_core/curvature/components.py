"""The two components of a Newton step: how far it goes, and which way.

A Newton step differs from the plain gradient in its length and in its direction. Each alone is a
control: the arm that takes one of them shows how much of a gain is due to it.
"""

import functools
import math
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from newton_core.curvature.systems import check_choice, check_system, like
from newton_core.tensors import to_float64

Component = Literal["full", "length", "direction"]
"""What is kept of a Newton step: all of it, its length alone, or its direction alone."""

ComponentOf = Literal["batch", "sample"]
"""Whose norms are compared: those over the whole batch, or those of each sample."""

_SHAPES = "the Newton step has the gradient's shape, got {} beside {}"


def step_component(
    gradient: Float[Tensor, "N m"],
    direction: Float[Tensor, "N m"],
    component: Component,
    of: ComponentOf = "batch",
) -> Float[Tensor, "N m"]:
    """One component of a Newton step, in the gradient's dtype.

    "length" is the plain gradient, scaled to the Newton step's norm; "direction" is the Newton
    step, scaled to the plain gradient's norm; "full" is the Newton step as it is. Norms and
    factors are float64. What has the norm zero has no direction, and stays zero.

    Args:
        gradient: plain per-sample gradients.
        direction: the Newton step of the same samples, (C + tikhonov I)^-1 gradient.
        component: what is kept.
        of: "batch" takes one factor from the norms over the whole batch, "sample" one each.

    Raises:
        CurvatureError: the component is not finite in the gradient's dtype.
        ValueError: a name is unknown, or the shapes differ.
    """
    check_choice("component", component, Component)
    check_choice("component_of", of, ComponentOf)
    check_system(gradient, 1.0)
    if direction.shape != gradient.shape:
        raise ValueError(_SHAPES.format(tuple(direction.shape), tuple(gradient.shape)))
    if component == "full":
        return direction
    kept, sized = (gradient, direction) if component == "length" else (direction, gradient)
    dims = (0, 1) if of == "batch" else (1,)
    return like(gradient, unit(to_float64(kept), dims) * norm(to_float64(sized), dims))


def turn(gradient: Float[Tensor, "N m"], direction: Float[Tensor, "N m"]) -> float:
    """The angle between two steps over the whole batch, in degrees from 0 to 180.

    2 atan2(|u - v|, |u + v|) of the unit vectors u and v, in float64: the arccosine of their
    product sees nothing below 0.02 degrees in float32. NaN where one of them is zero or not
    finite.

    Raises:
        ValueError: the shapes differ.
    """
    if direction.shape != gradient.shape:
        raise ValueError(_SHAPES.format(tuple(direction.shape), tuple(gradient.shape)))
    numbers = (_numbers(steps).ravel() for steps in (gradient, direction))
    angle: float = _kernels().angle(*numbers)
    return math.degrees(angle)


class StepSizes(NamedTuple):
    """What one step in output space is beside the gradient that it takes the place of.

    Attributes:
        usual: mean norm of the samples' gradients.
        length: the same of the step.
        squares: mean square norm of the step.
        cosine: of the angle between the two over the whole batch.
        degrees: that angle, see :func:`turn`.
    """

    usual: float
    length: float
    squares: float
    cosine: float
    degrees: float


def step_sizes(gradient: Float[Tensor, "N m"], direction: Float[Tensor, "N m"]) -> StepSizes:
    """The sizes of a step, in float64; NaN where a number is not finite.

    Raises:
        ValueError: the shapes differ, or are not (N, m) with one sample and output or more.
    """
    check_system(gradient, 1.0)
    if direction.shape != gradient.shape:
        raise ValueError(_SHAPES.format(tuple(direction.shape), tuple(gradient.shape)))
    found = _kernels().sizes(_numbers(gradient), _numbers(direction))
    usual, length, squares, cosine, angle = found
    return StepSizes(usual, length, squares, cosine, math.degrees(angle))


def _numbers(steps: Tensor) -> NDArray[np.floating[Any]]:
    """All entries by rows, as a compiled loop takes them."""
    plain = steps.detach().cpu().contiguous()
    if plain.dtype not in (torch.float32, torch.float64):
        plain = plain.float()
    return plain.numpy()


@functools.cache
def _kernels() -> ModuleType:
    """The compiled loops; numba is imported when they are first needed."""
    from newton_core.curvature import turn_kernels

    return turn_kernels


def norm(steps: Float[Tensor, "N m"], dims: tuple[int, ...]) -> Tensor:
    """Euclidean norm over ``dims``, kept as dimensions of size 1, also of tiny and huge entries."""
    largest = _largest(steps, dims)
    size: Tensor = torch.linalg.vector_norm(steps / largest, dim=dims, keepdim=True)
    return largest * size


def unit(steps: Float[Tensor, "N m"], dims: tuple[int, ...]) -> Float[Tensor, "N m"]:
    """``steps`` over their norm over ``dims``; what is zero stays zero."""
    scaled = steps / _largest(steps, dims)
    sizes: Tensor = torch.linalg.vector_norm(scaled, dim=dims, keepdim=True)
    return scaled / torch.where(sizes > 0, sizes, 1.0)


def _largest(steps: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The largest absolute entry over ``dims``, 1 where that is 0: over it no square overflows."""
    largest = torch.linalg.vector_norm(steps, math.inf, dim=dims, keepdim=True)
    return torch.where(largest > 0, largest, 1.0)
