"""What runs in the landscape process: it answers one request after the other, on a warm torch."""

import json
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from pydantic import TypeAdapter

from app.landscapes.parts import parts_of
from app.landscapes.requests import LandscapeJob, LandscapeRequest
from app.settings import Settings
from newton_core.byte_cache import ByteCache
from newton_core.experiment.spec import stored_spec
from newton_core.records import to_json
from newton_core.training.landscapes.history import MOST_BYTES, RunHistory
from newton_core.workers.child import Connection, Job

MOST_HISTORIES = 4


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
    try:
        request = TypeAdapter(LandscapeRequest).validate_json(job.task.request)
        for kind, data in parts_of(histories.get(job.task), request, job.cancelled):
            job.send(Part(kind, json.dumps(to_json(data))))
    except ValueError as error:  # no plane, no snapshot, no such sample
        job.send(Problem(str(error)))
