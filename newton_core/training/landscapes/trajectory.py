"""The way of an arm's weights during a run, as seen from one plane."""

from collections.abc import Sequence
from dataclasses import dataclass

POINTS_PER_LANDSCAPE = 10
"""Points of a trajectory between one landscape and the next."""
MOST_POINTS = 400


@dataclass(frozen=True)
class TrajectoryPoint:
    """Where an arm's weights were, seen from a plane.

    Attributes:
        step: number of updates before it.
        a: coordinate along the first direction, from the plane's origin.
        b: coordinate along the second.
        distance: from the weights to the plane.
        way: from the weights to the plane's origin.
    """

    step: int
    a: float
    b: float
    distance: float
    way: float


class Trajectory:
    """The points of one arm, thinned so that a run of any length keeps at most MOST_POINTS.

    Which steps are kept depends on the steps alone, so a resumed run keeps the same ones.
    """

    def __init__(self, points: Sequence[Sequence[float]] = ()) -> None:
        self._points = [TrajectoryPoint(int(step), *rest) for step, *rest in points]

    def wants(self, step: int, landscape_every: int) -> bool:
        """Whether the point after update ``step`` should be added."""
        stride = max(1, landscape_every // POINTS_PER_LANDSCAPE)
        while step // stride > MOST_POINTS:
            stride *= 2
        return step % stride == 0

    def add(self, point: TrajectoryPoint) -> None:
        """Adds a point; when there are more than MOST_POINTS, every second one is dropped."""
        self._points.append(point)
        if len(self._points) > MOST_POINTS:
            del self._points[1::2]

    @property
    def points(self) -> tuple[TrajectoryPoint, ...]:
        """All kept points, by step."""
        return tuple(self._points)

    def state(self) -> list[list[float]]:
        """The constructor's argument for a copy, in plain numbers."""
        return [[float(p.step), p.a, p.b, p.distance, p.way] for p in self._points]
