"""The process that computes slices: imports torch once, then answers one request after the other.

Nothing heavy is imported at the top: the number of threads must be set before torch is loaded.
"""

import functools
import json
import traceback
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.processes import Wire, settle_in, take_orders
from app.settings import Settings

if TYPE_CHECKING:
    from app.landscapes.requests import LineRequest, OutputSliceRequest, RunSliceRequest, SliceJob
    from newton_core.training.slices import RunHistory

READY, PART, PROBLEM, ERROR, DONE = "ready", "part", "problem", "error", "done"
MOST_HISTORIES = 4

Say = Callable[[str, dict[str, Any]], None]
"""Sends a part of the answer: the event's type and its data."""
Stop = Callable[[], bool]


def main(connection: Wire, settings: Settings) -> None:
    """Entry point of the process: serves jobs until the server closes the connection.

    Args:
        connection: to the server. In: a :class:`SliceJob`, or the number of one to stop. Out:
            tuples (kind, ...).
        settings: of the server.
    """
    settle_in(settings)
    from app.landscapes import requests  # noqa: F401  loads all that a job needs

    jobs, stopped = take_orders(connection)
    connection.send((READY,))
    histories = _Histories()
    while True:
        job = jobs.get()
        _answer(job, histories, connection.send, functools.partial(_is_stopped, job, stopped))
        connection.send((DONE,))


def _is_stopped(job: "SliceJob", stopped: set[str | int]) -> bool:
    return job.number in stopped


class _Histories:
    """The runs that were last asked for, with the weights that have been read."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], RunHistory] = OrderedDict()

    def get(self, job: "SliceJob") -> "RunHistory":
        """The history of a job's run; read anew once the run has left another snapshot."""
        from newton_core.experiment.spec import ExperimentSpec
        from newton_core.training.slices import RunHistory

        files = tuple(sorted(file.name for file in job.snapshots.glob("*")))
        key = (job.snapshots, files)
        history = self._kept.pop(key, None)
        if history is None:
            history = RunHistory(ExperimentSpec.model_validate_json(job.spec), job.snapshots)
        self._kept[key] = history
        while len(self._kept) > MOST_HISTORIES:
            self._kept.popitem(last=False)
        return history


def _answer(
    job: "SliceJob", histories: _Histories, send: Callable[[tuple[Any, ...]], None], stop: Stop
) -> None:
    """Computes one answer and sends its parts; whatever goes wrong is sent too."""
    from pydantic import TypeAdapter

    from app.landscapes.requests import LandscapeRequest, LineRequest, OutputSliceRequest

    def say(kind: str, data: dict[str, Any]) -> None:
        send((PART, kind, json.dumps(data)))

    try:
        request = TypeAdapter(LandscapeRequest).validate_json(job.request)
        history = histories.get(job)
        if isinstance(request, OutputSliceRequest):
            _outputs(history, request, say)
        elif isinstance(request, LineRequest):
            _line(history, request, say)
        else:
            _parameters(history, request, say, stop)
    except ValueError as error:  # no plane, no snapshot, no such sample: for the reader
        send((PROBLEM, str(error)))
    except Exception as error:
        send((ERROR, f"{type(error).__name__}: {error}", traceback.format_exc()))


def _parameters(history: "RunHistory", request: "RunSliceRequest", say: Say, stop: Stop) -> None:
    from newton_core.records import to_json
    from newton_core.training.slices import SliceRequest, run_slices

    fields = request.model_dump(include=set(SliceRequest.model_fields))
    found = run_slices(history, SliceRequest(**fields))
    left, low = found.centre
    pictures = []
    for picture in found.pictures:
        around = (left, low)
        paths = []
        for arm, seen in zip(picture.arms, picture.trajectories, strict=True):
            places = zip(seen.coordinates.tolist(), found.trajectory_steps, strict=True)
            points = [[a + around[0], b + around[1], step] for (a, b), step in places]
            paths.append({"arm": arm, "points": points, "residual": seen.total_residual})
        pictures.append({"arms": picture.arms, "plane": picture.plane.kind, "paths": paths})
    say("start", to_json({"step": found.step, "steps": history.steps, "pictures": pictures}))
    for index, patch in found.stream(stop):
        grid = {"a": patch.a + left, "b": patch.b + low}
        patch_record = {"level": patch.level, "levels": patch.levels, "values": patch.values}
        say("patch", to_json({"picture": index, "grid": grid, **patch_record}))


def _outputs(history: "RunHistory", request: "OutputSliceRequest", say: Say) -> None:
    from newton_core.landscape.grid import Grid
    from newton_core.landscape.outputs import OutputPlane, output_slice
    from newton_core.records import to_json

    _check_arm(history, request.arm)
    step = history.nearest(request.step)
    outputs, target = history.outputs(request.arm, step, request.samples)
    found = output_slice(
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
    say("slice", to_json(record))


def _line(history: "RunHistory", request: "LineRequest", say: Say) -> None:
    from newton_core.records import to_json
    from newton_core.training.slices import arms_line

    _check_arm(history, request.start)
    _check_arm(history, request.end)
    step = history.nearest(request.step)
    given = {"points": request.points, "samples": request.samples}
    found = arms_line(history, request.start, request.end, step, **given)
    say("line", to_json({"step": step, "line": found}))


def _check_arm(history: "RunHistory", arm: int) -> None:
    if arm >= len(history.spec.arms):
        raise ValueError(f"there is no arm {arm}, the run has {len(history.spec.arms)}")
