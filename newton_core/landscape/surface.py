"""A two-dimensional surface as a picture: its height on a rectangle."""

from dataclasses import dataclass

import torch
from torch import Tensor

from newton_core.losses.base import LossFunction

Interval = tuple[float, float]

DEFAULT_DOMAIN: tuple[Interval, Interval] = ((-3.0, 3.0), (-3.0, 3.0))
"""Where a surface is shown that does not say where it is worth seeing."""


@dataclass(frozen=True)
class SurfacePicture:
    """Heights of a surface.

    Attributes:
        x: (A,) first coordinates.
        y: (B,) second coordinates.
        values: (B, A) float64: ``values[j, i]`` is at (x[i], y[j]); NaN or infinite where the
            surface has no height.
        minima: (M, 2) the points where it is known to be least; M = 0 if none are known.
    """

    x: Tensor
    y: Tensor
    values: Tensor
    minima: Tensor


def surface_domain(loss: LossFunction) -> tuple[Interval, Interval]:
    """The ranges that a surface is customarily shown on: its own, or [-3, 3] twice."""
    domain: tuple[Interval, Interval] = getattr(loss, "domain", DEFAULT_DOMAIN)
    return domain


def surface_minima(loss: LossFunction) -> Tensor:
    """(M, 2) float64: where a surface is known to be least."""
    return torch.tensor(getattr(loss, "minima", ()), dtype=torch.float64).view(-1, 2)


@torch.no_grad()
def surface_picture(
    loss: LossFunction,
    domain: tuple[Interval, Interval] | None = None,
    *,
    points: int = 101,
) -> SurfacePicture:
    """The height of a surface on an even grid, in float64.

    Args:
        loss: a surface: callable (y, None) -> (N,) for y (N, 2).
        domain: ranges of both coordinates (default: :func:`surface_domain`).
        points: points a side, at least 2.

    Raises:
        ValueError: a range is empty.
    """
    (left, right), (low, high) = domain or surface_domain(loss)
    if not (left < right and low < high):
        raise ValueError(f"empty range: x from {left} to {right}, y from {low} to {high}")
    x = torch.linspace(left, right, points, dtype=torch.float64)
    y = torch.linspace(low, high, points, dtype=torch.float64)
    at = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    values = loss(at.view(-1, 2), None).view(points, points)
    return SurfacePicture(x, y, values, surface_minima(loss))
