"""What a run takes over from others, so that it need not begin from scratch."""

from dataclasses import replace
from pathlib import Path

from app.database import RunRow
from app.runs.files import folder_of
from app.runs.forks import ResumePlan, common_steps, find_resume_plan, untouched_arms
from app.runs.log import EventLog
from app.runs.records import LoggedEvent
from app.runs.store import RunStore
from app.settings import Settings
from newton_core.experiment.spec import stored_spec
from newton_core.training.replay import Replay

REPLAYED = "replayed"
"""Folder in a run's own with the snapshots of arms that it takes from its parent, while it runs."""


class Beginnings:
    """Finds where runs can begin."""

    def __init__(self, settings: Settings, store: RunStore, log: EventLog) -> None:
        self._settings = settings
        self._store = store
        self._log = log

    def take_over(
        self, run: RunRow, folder: Path
    ) -> tuple[Path | None, list[LoggedEvent], Replay | None]:
        """The snapshot to start from, the events before it, and arms that need no computing.

        Nothing means from scratch.
        """
        if (beginning := self._beginning(run)) is None:
            return None, [], None
        try:
            start = beginning.link_into(folder)
        except FileNotFoundError:  # the parent was removed just now
            return None, [], None
        try:
            replay = beginning.replay_into(folder / REPLAYED)
        except FileNotFoundError:
            replay = None
        return start, beginning.events(), replay

    def _beginning(self, run: RunRow) -> ResumePlan | None:
        """What leaves the least to compute of the parent and the last broken run of this spec."""
        parents = [self._store.get(run.parent)] if run.parent else []
        if run.key:
            parents.append(self._store.last_broken(run.key))
        found = [self._beginning_from(parent, run) for parent in parents if parent]
        spec = stored_spec(run.spec)
        return min(
            (beginning for beginning in found if beginning),
            key=lambda beginning: beginning.work(spec.steps, len(spec.arms)),
            default=None,
        )

    def _beginning_from(self, parent: RunRow, run: RunRow) -> ResumePlan | None:
        same = ("version", "device", "threads")  # or the numbers could differ in the last bits
        if any(getattr(parent, name) != getattr(run, name) for name in same):
            return None
        theirs, own = (stored_spec(row.spec) for row in (parent, run))
        shared = common_steps(theirs, own)
        if shared is None:
            return None
        beginning = find_resume_plan(
            self._log.all(parent.id), folder_of(self._settings.snapshots_dir, parent.id), shared
        )
        return beginning and replace(beginning, untouched=untouched_arms(theirs, own))
