"""One cell in a slot of the queue."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.runs.executors.base import Executor, StopRequest
from app.runs.identity import canonical
from app.runs.records import Job, LoggedEvent
from app.sweeps.going import Going, Stage
from newton_core.experiment.events import Summary
from newton_core.experiment.sources import sources_of
from newton_core.experiment.spec import ExperimentSpec

if TYPE_CHECKING:
    from app.sweeps.service import SweepService


@dataclass(frozen=True)
class CellTask:
    """A cell that a slot has taken.

    Attributes:
        name: for the server's log.
        service: whose it is.
        going: the sweep.
        stage: of the sweep, when the cell was taken.
        key: of the cell.
    """

    name: str
    service: "SweepService"
    going: Going
    stage: Stage
    key: str

    def compute(self, executor: Executor, stop: StopRequest) -> None:
        """See :class:`app.runs.spare.SpareTask`."""
        self.service.compute(self, executor, stop)

    def execute(
        self, executor: Executor, spec: ExperimentSpec, stop: StopRequest
    ) -> Summary | str | None:
        """The cell's summary, or why there is none; None if it was stopped.

        It has one thread, as every cell, so that its numbers are those of the command line.
        """
        job = Job(self.name, canonical(spec), None, sources=sources_of(spec), threads=1)
        sink = _LastEvent()
        reason = executor.execute(job, sink, stop)
        last = {} if sink.last is None else json.loads(sink.last.body)
        match last.get("type"):
            case "finished":
                return Summary.model_validate(last["summary"])
            case "failed":
                return str(last["error"])
        return None if stop.asked else reason or "the run ended without a last event"


class _LastEvent:
    """Keeps the newest event of a run alone."""

    def __init__(self) -> None:
        self.last: LoggedEvent | None = None

    def __call__(self, events: Sequence[LoggedEvent]) -> None:
        self.last = events[-1]
