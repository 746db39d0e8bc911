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
"""Points a side below which a first picture says nothing."""

Stop = Callable[[], bool]


def _check_odd(points: int) -> int:
    if points % 2 == 0:
        raise ValueError(f"{points} is even: use an odd number, so that the centre is a point")
    return points


OddPoints = Annotated[int, AfterValidator(_check_odd)]
"""A number of points on a side that has one in the middle."""


class Grid(Settings):
    """An odd, symmetric grid around a plane's origin, so that the centre is one of its points."""

    points: OddPoints = setting(
        41, "Grid points on each side; odd, so that the centre is one of them.",
        title="Points a side", unit="points", ge=3, le=101,
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


@runtime_checkable
class PlaneFunction(Protocol):
    """A number at each point of a plane.

    Attributes:
        chunk: points to hand over at once: bounds memory, and the time until a stop acts.
    """

    chunk: int

    def at(self, a: Float[Tensor, " P"], b: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The values at origin + a[i] first + b[i] second."""

    def centre(self) -> float:
        """The value at the origin, computed as everything else computes it: no plane involved."""


@dataclass(frozen=True)
class GridPatch:
    """All that is known of a slice at one level of detail; the last level is the whole grid.

    Attributes:
        level: 0-based; each one holds all points of those before it.
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


def progressive_slice(
    function: PlaneFunction, grid: Grid, stop: Stop | None = None
) -> Iterator[GridPatch]:
    """The function on the grid, coarse first: each patch is a complete picture.

    Args:
        function: what to evaluate; no point is evaluated twice.
        grid: the final grid.
        stop: asked between chunks; once true, the iterator ends without its last patch.
    """
    yield from _evaluate(function, grid, _levels(grid.points), stop)


def full_slice(function: PlaneFunction, grid: Grid) -> GridPatch:
    """The function on the whole grid in one go."""
    (patch,) = _evaluate(function, grid, [torch.arange(grid.points)], None)
    return patch


def _evaluate(
    function: PlaneFunction, grid: Grid, levels: list[Tensor], stop: Stop | None
) -> Iterator[GridPatch]:
    """One patch a level, each from the indices of its rows and columns."""
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
        yield GridPatch(
            level=level,
            levels=len(levels),
            a=a[indices],
            b=b[indices],
            values=values[indices[:, None], indices[None, :]],
        )


def _levels(points: int) -> list[Tensor]:
    """Indices of each level's rows (and columns): the centre and both edges are in every one."""
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
