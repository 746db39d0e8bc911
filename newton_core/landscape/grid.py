"""Grids on a plane, and functions on them: all at once, or coarse to fine."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from pydantic import AfterValidator
from torch import Tensor

from newton_core.settings import Settings, setting

COARSEST_POINTS = 5
"""Points along each axis of the coarsest level; fewer would show nothing."""

Stop = Callable[[], bool]


def _check_odd(points: int) -> int:
    if points % 2 == 0:
        raise ValueError(f"{points} is even: use an odd number, so that the centre is a point")
    return points


OddPoints = Annotated[int, AfterValidator(_check_odd)]
"""A number of points along an axis, one of them in the middle."""


class Grid(Settings):
    """A grid around a plane's origin, symmetric and with odd sides: the origin is a grid point."""

    points: OddPoints = setting(
        41, "Grid points along each axis; odd, because the centre must be one of them.",
        title="Points per axis", unit="points", ge=3, le=101,
    )  # fmt: skip
    span: float = setting(
        1.0, "Distance from the centre to the edge, in lengths of the direction.",
        title="Range", scale="log", gt=0.0, le=1e9,
    )  # fmt: skip
    second_span: float | None = setting(
        None, "The same along the second direction; empty means the same range.",
        title="Second range", scale="log", gt=0.0, le=1e9,
    )  # fmt: skip

    def axes(self) -> tuple[Float[Tensor, " A"], Float[Tensor, " B"]]:
        """Coordinates along the first and the second direction, float64, 0 in the middle."""
        half = self.points // 2
        steps = torch.arange(-half, half + 1, dtype=torch.float64) / half
        second = self.span if self.second_span is None else self.second_span
        return steps * self.span, steps * second


def plane_points(a: Float[Tensor, " A"], b: Float[Tensor, " B"]) -> Float[Tensor, "P 2"]:
    """(a[i], b[j]) of all P = B A grid points, in the order of values (B, A)."""
    return torch.stack(torch.meshgrid(a, b, indexing="xy"), dim=-1).view(-1, 2)


@runtime_checkable
class PlaneFunction(Protocol):
    """A function of the points of a plane.

    Attributes:
        chunk: number of points per call: it bounds the memory, and the time until a stop acts.
    """

    chunk: int

    def at(self, a: Float[Tensor, " P"], b: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The values at origin + a[i] first + b[i] second."""

    def centre(self) -> float:
        """The value at the origin itself, free of the rounding of a move along the plane."""


@dataclass(frozen=True)
class GridValues:
    """The values of a function on a grid at one level of detail; the last is the whole grid.

    Attributes:
        level: 0-based; each level holds all points of the levels before it.
        levels: number of levels.
        a: (A,) coordinates along the first direction.
        b: (B,) coordinates along the second.
        values: (B, A) float64: ``values[j, i]`` is at ``(a[i], b[j])``.
    """

    level: int
    levels: int
    a: Tensor
    b: Tensor
    values: Tensor


def evaluate_coarse_to_fine(
    function: PlaneFunction, grid: Grid, stop: Stop | None = None
) -> Iterator[GridValues]:
    """The function on a coarse grid first, then on finer ones up to the whole grid.

    Args:
        function: what to evaluate; it is evaluated once at each point.
        grid: the final grid.
        stop: asked between chunks; once it is true, the iterator ends before the next level.
    """
    yield from _evaluate(function, grid, _levels(grid.points), stop)


def evaluate_grid(function: PlaneFunction, grid: Grid) -> GridValues:
    """The function on the whole grid at once."""
    (values,) = _evaluate(function, grid, [torch.arange(grid.points)], None)
    return values


def _evaluate(
    function: PlaneFunction, grid: Grid, levels: list[Tensor], stop: Stop | None
) -> Iterator[GridValues]:
    """The values at each level; ``levels`` holds the indices of its rows and columns."""
    a, b = grid.axes()
    values = torch.full((grid.points, grid.points), torch.nan, dtype=torch.float64)
    known = torch.zeros_like(values, dtype=torch.bool)
    half = grid.points // 2
    values[half, half] = function.centre()
    known[half, half] = True
    for level, indices in enumerate(levels):
        wanted = torch.zeros_like(known)
        wanted[indices[:, None], indices[None, :]] = True
        rows, columns = torch.nonzero(wanted & ~known, as_tuple=True)
        for start in range(0, len(rows), function.chunk):
            if stop is not None and stop():
                return
            row = rows[start : start + function.chunk]
            column = columns[start : start + function.chunk]
            values[row, column] = function.at(a[column], b[row]).double().cpu()
        known |= wanted
        yield GridValues(
            level=level,
            levels=len(levels),
            a=a[indices],
            b=b[indices],
            values=values[indices[:, None], indices[None, :]],
        )


def _levels(points: int) -> list[Tensor]:
    """Indices of each level's rows, and columns; every level has the centre and both edges."""
    half = points // 2
    stride = 1
    while 2 * (half // (2 * stride)) + 1 >= COARSEST_POINTS:
        stride *= 2
    levels = []
    while stride >= 1:
        reach = half // stride * stride
        inner = range(half - reach, half + reach + 1, stride)
        levels.append(torch.tensor(sorted({0, *inner, points - 1})))
        stride //= 2
    return levels
