"""The landscapes over weights as parts of an answer: what is drawn, then values, coarse to fine."""

from collections.abc import Callable, Iterator
from typing import Any

from newton_core.training.landscapes.history import RunHistory
from newton_core.training.landscapes.weights import LandscapeSettings, run_landscapes


def parameter_parts(
    history: RunHistory, settings: LandscapeSettings, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of an answer: each event's type and its data.

    Args:
        history: of the run.
        settings: plane, step, grid and data.
        stop: ends the computation once it says so.

    Raises:
        PlaneError: the weights span no such plane (yet); the message says why.
        SnapshotError: a snapshot is missing or damaged.
    """
    found = run_landscapes(history, settings)
    left, low = found.centre
    pictures = []
    for picture in found.landscapes:
        paths = []
        for arm, seen in zip(picture.arms, picture.trajectories, strict=True):
            places = zip(seen.coordinates.tolist(), found.trajectory_steps, strict=True)
            points = [[a + left, b + low, step] for (a, b), step in places]
            paths.append({"arm": arm, "points": points, "residual": seen.total_residual})
        pictures.append({"arms": picture.arms, "plane": picture.plane.kind, "paths": paths})
    yield "start", {"step": found.step, "steps": history.steps, "pictures": pictures}
    for index, patch in found.stream(stop):
        grid = {"a": patch.a + left, "b": patch.b + low}
        record = {"level": patch.level, "levels": patch.levels, "values": patch.values}
        yield "patch", {"picture": index, "grid": grid, **record}
