"""A loss of two numbers as a landscape over its whole domain, and a model of two weights."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from newton_core.landscape.grid import Grid, plane_points
from newton_core.landscape.planes import ParameterPlane, coordinate_plane, model_weights
from newton_core.losses.base import LossFunction

Interval = tuple[float, float]

DEFAULT_DOMAIN: tuple[Interval, Interval] = ((-3.0, 3.0), (-3.0, 3.0))
"""Where a surface is shown that has no domain of its own."""


@dataclass(frozen=True)
class SurfaceLandscape:
    """The values of a surface on a grid.

    Attributes:
        x: (A,) first coordinates.
        y: (B,) second coordinates.
        values: (B, A) float64: ``values[j, i]`` is at (x[i], y[j]); NaN or infinite where the
            surface is not defined.
        minima: (M, 2) the known minima; M = 0 if none is known.
    """

    x: Tensor
    y: Tensor
    values: Tensor
    minima: Tensor


def surface_domain(loss: LossFunction) -> tuple[Interval, Interval]:
    """The ranges on which a surface is customarily shown: its own, or [-3, 3] twice."""
    domain: tuple[Interval, Interval] = getattr(loss, "domain", DEFAULT_DOMAIN)
    return domain


def surface_minima(loss: LossFunction) -> Tensor:
    """(M, 2) float64: the known minima of a surface."""
    return torch.tensor(getattr(loss, "minima", ()), dtype=torch.float64).view(-1, 2)


@torch.no_grad()
def surface_landscape(
    loss: LossFunction,
    domain: tuple[Interval, Interval] | None = None,
    *,
    points: int = 101,
) -> SurfaceLandscape:
    """The values of a surface on an evenly spaced grid, in float64.

    Args:
        loss: a surface: callable (y, None) -> (N,) for y (N, 2).
        domain: ranges of both coordinates (default: :func:`surface_domain`).
        points: number of points along each axis, at least 2.

    Raises:
        ValueError: a range is empty.
    """
    (left, right), (low, high) = domain or surface_domain(loss)
    if not (left < right and low < high):
        raise ValueError(f"empty range: x from {left} to {right}, y from {low} to {high}")
    x = torch.linspace(left, right, points, dtype=torch.float64)
    y = torch.linspace(low, high, points, dtype=torch.float64)
    values = loss(plane_points(x, y), None).view(points, points)
    return SurfaceLandscape(x, y, values, surface_minima(loss))


def has_two_weights(model: nn.Module) -> bool:
    """Whether the model's weights are one point of a plane, which then shows all of the loss."""
    return sum(value.numel() for value in model.parameters()) == 2


def surface_plane(
    model: nn.Module, loss: LossFunction, points: int
) -> tuple[ParameterPlane, Grid, tuple[float, float]]:
    """Plane, grid and middle of the loss's domain in the weight space of a model of two weights.

    The plane's coordinates count from that middle.

    Raises:
        PlaneError: the model has another number of weights.
    """
    (left, right), (low, high) = surface_domain(loss)
    middle = ((left + right) / 2, (low + high) / 2)
    weights = model_weights(model)
    plane = coordinate_plane(weights)
    first, second = plane.first, plane.second
    origin = {name: middle[0] * first[name] + middle[1] * second[name] for name in weights}
    grid = Grid(points=points, span=(right - left) / 2, second_span=(high - low) / 2)
    return plane.around(origin), grid, middle
