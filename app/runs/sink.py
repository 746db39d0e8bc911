"""Where a run's events go as they come from its worker."""

import json
from collections.abc import Sequence
from dataclasses import replace

from app.runs.executors.base import StopRequest
from app.runs.files import without_paths
from app.runs.log import EventLog
from app.runs.patience import Patience
from app.runs.records import LoggedEvent
from app.settings import Settings
from newton_core.experiment.events import LAST_EVENTS


class RunSink:
    """Stores a run's events as they come, what it took over from its parent after ``started``.

    While the database is away the run waits here: its worker computes no further than the pipe
    between them holds.
    """

    def __init__(
        self,
        log: EventLog,
        patience: Patience,
        run_id: str,
        taken_over: Sequence[LoggedEvent],
        stop: StopRequest,
        settings: Settings,
    ) -> None:
        self._settings = settings
        self._log = log
        self._patience = patience
        self._run_id = run_id
        self._taken_over = list(taken_over)
        self._stop = stop
        self.ended = False

    def __call__(self, events: Sequence[LoggedEvent]) -> None:
        """Stores events, which follow those before."""
        whole = [self._for_strangers(event) for event in events]
        if self._taken_over and whole[0].type == "started":
            whole[1:1] = self._taken_over
        self._taken_over = []
        self._patience.insist(
            lambda again: self._log.append(self._run_id, whole, again=again), self._stop
        )
        self.ended = whole[-1].type in LAST_EVENTS

    def _for_strangers(self, event: LoggedEvent) -> LoggedEvent:
        """A run's own account of its failure, without the paths of this machine."""
        if event.type != "failed":
            return event
        record = json.loads(event.body)
        record["error"] = without_paths(record["error"], self._settings)
        return replace(event, body=json.dumps(record, ensure_ascii=False))
