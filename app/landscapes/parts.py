"""The parts of an answer about a run's landscapes, each as they travel: a type and its data."""

from collections.abc import Callable, Iterator
from typing import Any

from app.landscapes.requests import (
    AnyLandscapeRequest,
    LineLandscapeRequest,
    OutputLandscapeRequest,
    StepRequest,
    TurnRequest,
)
from newton_core.landscape.grid import Grid
from newton_core.landscape.outputs import OutputPlane, output_landscape
from newton_core.training.landscapes.history import RunHistory
from newton_core.training.landscapes.steps import StepSettings, step_seen
from newton_core.training.landscapes.turning import turn_of_arm
from newton_core.training.landscapes.weights import (
    LandscapeSettings,
    line_between_arms,
    run_landscapes,
)

PartData = tuple[str, Any]
"""An event's type and its data."""


def parts_of(
    history: RunHistory, request: AnyLandscapeRequest, stop: Callable[[], bool]
) -> Iterator[PartData]:
    """The parts of the answer to a request.

    Args:
        history: of the run.
        request: what is asked.
        stop: ends the computation once it says so.

    Raises:
        ValueError: there is no plane, snapshot, arm or sample as is asked; the message says why.
    """
    match request:
        case OutputLandscapeRequest():
            yield _outputs(history, request)
        case LineLandscapeRequest():
            yield _line(history, request)
        case StepRequest():
            given = request.model_dump(include=set(StepSettings.model_fields))
            yield "step", step_seen(history, StepSettings(**given))
        case TurnRequest():
            yield _turn(history, request)
        case _:
            fields = request.model_dump(include=set(LandscapeSettings.model_fields))
            yield from parameter_parts(history, LandscapeSettings(**fields), stop)


def parameter_parts(
    history: RunHistory, settings: LandscapeSettings, stop: Callable[[], bool] = lambda: False
) -> Iterator[PartData]:
    """The landscapes over weights: what is drawn, then values, coarse to fine.

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


def _outputs(history: RunHistory, request: OutputLandscapeRequest) -> PartData:
    history.check_arm(request.arm)
    step = history.nearest(request.step)
    outputs, target = history.outputs(request.arm, step, request.samples)
    found = output_landscape(
        history.loss,
        outputs,
        target,
        sample=request.sample,
        plane=OutputPlane(**request.model_dump(include=set(OutputPlane.model_fields))),
        grid=Grid(points=request.points, span=request.span or 1.0),
        surrogates=request.surrogates,
        damped=request.damped,
        fit=request.span is None,
    )
    chosen = outputs if request.sample is None else outputs[request.sample][None]
    record = {
        "step": step,
        "outputs": chosen.mean(0).flatten(),
        "shape": outputs.shape[1:],
        "sample": {} if request.sample is None else history.sample(request.samples, request.sample),
        "slice": found,
    }
    return "slice", record


def _line(history: RunHistory, request: LineLandscapeRequest) -> PartData:
    history.check_arm(request.start)
    history.check_arm(request.end)
    step = history.nearest(request.step)
    given = {"points": request.points, "samples": request.samples}
    found = line_between_arms(history, request.start, request.end, step, **given)
    return "line", {"step": step, "line": found}


def _turn(history: RunHistory, request: TurnRequest) -> PartData:
    history.check_arm(request.arm)
    step = history.nearest(request.step)
    curves = turn_of_arm(history, request.arm, step, request.samples)
    return "turn", {"step": step, "curves": curves}
