"""Landscapes of a run's loss over its arms' weights, at any step that has a snapshot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Literal

import torch
from torch import Tensor

from newton_core.labels import Labels
from newton_core.landscape.grid import (
    Grid,
    GridValues,
    OddPoints,
    Stop,
    evaluate_coarse_to_fine,
)
from newton_core.landscape.parameters import LineLandscape, ParameterFunction, line_landscape
from newton_core.landscape.planes import (
    ParameterPlane,
    PlaneError,
    Projection,
    filter_normalised_plane,
    fitting_spans,
    model_weights,
    principal_plane,
    project,
)
from newton_core.landscape.surface import has_two_weights, surface_plane
from newton_core.settings import Settings, setting
from newton_core.training.landscapes.history import RunHistory

PREVIEW_SAMPLES = 20
"""Of the first, coarse picture, where one of all samples would take long."""
PREVIEW_WORK = 2**20
"""Numbers in the largest tensor of a forward pass from which on it does: some 10 ms a point."""

LandscapePlane = Annotated[
    Literal["filter_normalised", "trajectory", "principal", "arms"],
    Labels(
        filter_normalised="two random directions",
        trajectory="nearest to each arm's path",
        principal="nearest to all paths",
        arms="through the arms' weights",
    ),
]


class LandscapeSettings(Settings):
    """The landscapes of a run over its arms' weights: plane, step, grid and data."""

    plane: LandscapePlane = setting(
        "filter_normalised",
        "Two Gaussian filter-normalised directions around each arm, for each arm the plane that"
        " holds most of its own trajectory, the one that holds most of all trajectories, or the"
        " plane through the arms' present weights.",
        title="Plane",
    )
    step: int = setting(
        0, "Step of the run; the nearest snapshot answers.", title="Step", unit="steps", ge=0
    )
    points: OddPoints = setting(
        41, "Points along each axis; odd.", title="Points per axis", unit="points", ge=21, le=101
    )  # fmt: skip
    span: float | None = setting(
        None,
        "Distance from centre to edge in lengths of the direction; empty means 1 for"
        " filter-normalised directions and all that the arms' trajectories need for the others.",
        title="Range", scale="log", gt=0.0, le=1e6,
    )  # fmt: skip
    samples: int = setting(
        100, "Samples of training data that the loss is measured on, used by no update.",
        title="Samples", unit="samples", scale="log", ge=1, le=1000,
    )  # fmt: skip


@dataclass(frozen=True)
class ArmLandscape:
    """The landscape of one arm, or of all arms where they share a plane.

    Attributes:
        arms: the arms that it shows.
        plane: origin and directions.
        function_on: the mean loss on the plane, of so many samples.
        samples: as many as were asked for.
        trajectories: for each of ``arms``, its snapshots up to the step as seen from the plane.
    """

    arms: tuple[int, ...]
    plane: ParameterPlane
    function_on: Callable[[int], ParameterFunction]
    samples: int
    trajectories: tuple[Projection, ...]

    @cached_property
    def function(self) -> ParameterFunction:
        """The mean loss on the plane."""
        return self.function_on(self.samples)

    def values(self, grid: Grid, stop: Stop | None = None) -> Iterator[GridValues]:
        """Coarse first, then finer; where that takes long, at first on a part of the samples."""
        previews = 0
        if self.samples > PREVIEW_SAMPLES:
            preview = self.function_on(PREVIEW_SAMPLES)
            if preview.work * self.samples > PREVIEW_WORK * PREVIEW_SAMPLES:
                found = next(evaluate_coarse_to_fine(preview, grid, stop), None)
                if found is None:
                    return
                previews = 1
                yield replace(found, levels=found.levels + previews)
        for found in evaluate_coarse_to_fine(self.function, grid, stop):
            yield replace(found, level=found.level + previews, levels=found.levels + previews)


@dataclass(frozen=True)
class RunLandscapes:
    """The landscapes of a run at one step; :meth:`stream` computes their values.

    Attributes:
        step: the snapshot's step that answers.
        trajectory_steps: steps of the trajectories' points.
        grid: points and range, the same for every landscape.
        centre: added to all coordinates: the middle of a surface's domain, (0, 0) otherwise.
        landscapes: one per arm if each is centred at its own weights, otherwise one for all.
        known: the finished ones among them by index; the stream reads and extends it.
    """

    step: int
    trajectory_steps: tuple[int, ...]
    grid: Grid
    centre: tuple[float, float]
    landscapes: tuple[ArmLandscape, ...]
    known: dict[int, GridValues]

    def stream(self, stop: Stop | None = None) -> Iterator[tuple[int, GridValues]]:
        """(index of the landscape, values): all of them coarse first, then all of them finer.

        Of a network that takes long, the first picture of each shows ``PREVIEW_SAMPLES`` samples.
        """
        if len(self.known) == len(self.landscapes):
            yield from sorted(self.known.items())
            return
        streams = [one.values(self.grid, stop) for one in self.landscapes]
        while True:
            for index, stream in enumerate(streams):
                values = next(stream, None)
                if values is None:  # all have the same levels, so all end with the first to end
                    return
                if values.level == values.levels - 1:
                    self.known[index] = values
                yield index, values


def run_landscapes(history: RunHistory, settings: LandscapeSettings) -> RunLandscapes:
    """The landscapes of all arms, with the same directions, range, data and loss (the run's).

    "filter_normalised" centres each arm's landscape at its own weights, in two directions that the
    run's seed and the initial weights fix. "trajectory" gives each arm the plane of its own
    snapshots, on the same range for all arms; one whose path spans no plane (it diverged at once)
    has no landscape. "principal" is the plane nearest to all snapshots of
    all arms. "arms" goes through the arms' weights at the step and, if there are only two arms,
    also through their common start. The last two give one landscape for all arms.

    A model of two weights has one plane, the surface itself, whatever the settings ask for.

    Raises:
        PlaneError: the weights of no arm span such a plane (yet); the message says why.
        SnapshotError: a snapshot is missing or damaged.
    """
    step = history.nearest(settings.step)
    shown = [at for at in history.steps if at <= step]
    arms = tuple(range(len(history.spec.arms)))
    paths = {arm: [history.weights(arm, at) for at in shown] for arm in arms}

    def landscape(which: tuple[int, ...], plane: ParameterPlane) -> ArmLandscape:
        model = history.model(which[0], step)

        def function_on(samples: int) -> ParameterFunction:
            batch = history.batch(samples)
            return ParameterFunction(model, plane, history.loss, batch, channels_last=True)

        seen = tuple(project(plane, paths[arm]) for arm in which)
        return ArmLandscape(which, plane, function_on, settings.samples, seen)

    centre = (0.0, 0.0)
    if has_two_weights(history.initial_model):
        plane, grid, centre = surface_plane(history.initial_model, history.loss, settings.points)
        found = [landscape(arms, plane)]
    elif settings.plane == "filter_normalised":
        plane = filter_normalised_plane(model_weights(history.initial_model), history.spec.seed)
        found = [landscape((arm,), plane.around(paths[arm][-1])) for arm in arms]
        grid = Grid(points=settings.points, span=settings.span or 1.0)
    else:
        # The range shows the whole run at every step, so the axes stay while a user moves in time.
        seen = []
        found = []
        if settings.plane == "trajectory":
            problem = None
            for arm in arms:
                points = [history.weights(arm, at) for at in history.steps]
                try:
                    plane = principal_plane(points, "trajectory")
                except PlaneError as error:  # it diverged at once: the others are shown
                    problem = error
                    continue
                found.append(landscape((arm,), plane))
                seen.append(project(plane, points))
            if problem is not None and not found:
                raise problem
        else:
            points = _defining_points(history, settings.plane, step)
            plane = principal_plane(points, settings.plane)
            found.append(landscape(arms, plane))
            seen += [project(plane, points), *found[0].trajectories]
        first, second = fitting_spans(seen)
        grid = Grid(
            points=settings.points,
            span=settings.span or first,
            second_span=settings.span or second,
        )
    known = _known(history, settings)
    return RunLandscapes(step, tuple(shown), grid, centre, tuple(found), known)


def line_between_arms(
    history: RunHistory, start: int, end: int, step: int, *, points: int = 41, samples: int = 100
) -> LineLandscape:
    """The loss along the straight line from one arm's weights to another's, at one snapshot.

    Raises:
        PlaneError: the arms' weights are the same.
        SnapshotError: the snapshot is missing or damaged.
    """
    ends = [history.weights(arm, step) for arm in (start, end)]
    if all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0]):
        raise PlaneError(f"arms {start} and {end} have the same weights at step {step}: no line")
    return line_landscape(
        history.model(start, step),
        ends[0],
        ends[1],
        history.loss,
        history.batch(samples),
        points=points,
    )


def _known(history: RunHistory, settings: LandscapeSettings) -> dict[int, GridValues]:
    """Where the finished landscapes of these settings are kept for the run's other steps.

    Planes of whole trajectories are the same at every step, and so are their values, unless the
    network has statistics beside its weights. All other landscapes are not kept.
    """
    same_at_every_step = settings.plane in ("trajectory", "principal")
    if not same_at_every_step or any(True for _ in history.initial_model.buffers()):
        return {}
    without_step = settings.model_copy(update={"step": 0}).model_dump_json()
    return history.finished_landscapes(without_step, settings.points)


def _defining_points(
    history: RunHistory, kind: Literal["principal", "arms"], step: int
) -> list[dict[str, Tensor]]:
    """The weights that a shared plane goes through or is nearest to."""
    arms = range(len(history.spec.arms))
    if kind == "principal":
        return [history.weights(arm, at) for arm in arms for at in history.steps]
    if len(arms) == 1:
        raise PlaneError("a plane through the arms needs at least two arms")
    points = [history.weights(arm, step) for arm in arms]
    if len(arms) == 2:
        points.append(model_weights(history.initial_model))
    return points
