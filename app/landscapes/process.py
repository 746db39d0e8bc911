"""What runs in the landscape process: it answers one request after the other, on a warm torch."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from pydantic import TypeAdapter

from app.landscapes.parameters import parameter_parts
from app.landscapes.requests import (
    LandscapeJob,
    LandscapeRequest,
    LineLandscapeRequest,
    OutputLandscapeRequest,
    ParameterLandscapeRequest,
    StepRequest,
    TurnRequest,
)
from app.settings import Settings
from newton_core.byte_cache import ByteCache
from newton_core.experiment.spec import stored_spec
from newton_core.landscape.grid import Grid
from newton_core.landscape.outputs import OutputPlane, output_landscape
from newton_core.records import to_json
from newton_core.training.landscapes.history import MOST_BYTES, RunHistory
from newton_core.training.landscapes.steps import StepSettings, step_seen
from newton_core.training.landscapes.turning import turn_of_arm
from newton_core.training.landscapes.weights import LandscapeSettings, line_between_arms
from newton_core.workers.child import Connection, Job

MOST_HISTORIES = 4

Emit = Callable[[str, Any], None]
"""Sends a part of the answer: the event's type and its data."""


@dataclass(frozen=True)
class Part:
    """A part of an answer: an event's type and its data as JSON text."""

    type: str
    body: str


@dataclass(frozen=True)
class Problem:
    """Why there is no answer, in words for the reader."""

    message: str


def main(settings: Settings, connection: Connection) -> None:
    """Entry function of the process."""
    torch.set_num_threads(settings.threads)
    histories = Histories()
    connection.serve(partial(_answer, histories=histories))


class Histories:
    """The runs that were last asked for; what is kept of them is bounded in bytes."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.cache = ByteCache(most_bytes)
        self._kept: OrderedDict[tuple[Any, ...], RunHistory] = OrderedDict()

    def get(self, task: LandscapeJob) -> RunHistory:
        """The history of a task's run; read anew once the run has left another snapshot."""
        files = tuple(sorted(file.name for file in task.snapshots.glob("*")))
        key = (task.snapshots, files)
        history = self._kept.pop(key, None)
        if history is None:
            spec = stored_spec(task.spec)
            history = RunHistory(spec, task.snapshots, self.cache)
        self._kept[key] = history
        while len(self._kept) > MOST_HISTORIES:
            self._kept.popitem(last=False)
        return history


def _answer(job: Job[LandscapeJob], histories: Histories) -> None:
    """Computes one answer and sends its parts."""

    def emit(kind: str, data: Any) -> None:
        job.send(Part(kind, json.dumps(to_json(data))))

    try:
        request = TypeAdapter(LandscapeRequest).validate_json(job.task.request)
        history = histories.get(job.task)
        if isinstance(request, OutputLandscapeRequest):
            _outputs(history, request, emit)
        elif isinstance(request, LineLandscapeRequest):
            _line(history, request, emit)
        elif isinstance(request, StepRequest):
            given = request.model_dump(include=set(StepSettings.model_fields))
            emit("step", step_seen(history, StepSettings(**given)))
        elif isinstance(request, TurnRequest):
            _turn(history, request, emit)
        else:
            _parameters(history, request, emit, job.cancelled)
    except ValueError as error:  # no plane, no snapshot, no such sample
        job.send(Problem(str(error)))


def _parameters(
    history: RunHistory, request: ParameterLandscapeRequest, emit: Emit, stop: Callable[[], bool]
) -> None:
    fields = request.model_dump(include=set(LandscapeSettings.model_fields))
    for kind, data in parameter_parts(history, LandscapeSettings(**fields), stop):
        emit(kind, data)


def _outputs(history: RunHistory, request: OutputLandscapeRequest, emit: Emit) -> None:
    _check_arm(history, request.arm)
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
    emit("slice", record)


def _line(history: RunHistory, request: LineLandscapeRequest, emit: Emit) -> None:
    _check_arm(history, request.start)
    _check_arm(history, request.end)
    step = history.nearest(request.step)
    given = {"points": request.points, "samples": request.samples}
    found = line_between_arms(history, request.start, request.end, step, **given)
    emit("line", {"step": step, "line": found})


def _turn(history: RunHistory, request: TurnRequest, emit: Emit) -> None:
    _check_arm(history, request.arm)
    step = history.nearest(request.step)
    curves = turn_of_arm(history, request.arm, step, request.samples)
    emit("turn", {"step": step, "curves": curves})


def _check_arm(history: RunHistory, arm: int) -> None:
    if arm >= len(history.spec.arms):
        raise ValueError(f"there is no arm {arm}, the run has {len(history.spec.arms)}")
