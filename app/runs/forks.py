"""Forks: where a spec departs from another run's, and what they have in common up to there."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from app.runs.records import LoggedEvent
from newton_core.experiment.events import LAST_EVENTS
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.replay import Replay
from newton_core.training.snapshots import SnapshotError, load_snapshot, snapshot_steps

_FREE = {"changes", "steps", "seconds"}
"""Fields that may differ between runs with a common beginning."""


def common_steps(parent: ExperimentSpec, child: ExperimentSpec) -> int | None:
    """The last step whose snapshot both specs share; None where they share nothing.

    A change at s acts after snapshot s, so that snapshot s is the last one in common. A run is
    evaluated at its last step even out of turn, so that the end of the shorter one is in common
    only where it is evaluated in turn and the other run does go on from there.
    """
    if _fixed(parent) != _fixed(child):
        return None
    differing = set(parent.changes) ^ set(child.changes)
    shared = min([change.step for change in differing], default=child.steps)
    if child.steps == parent.steps:
        return shared
    shorter = min(child.steps, parent.steps)
    in_turn = child.steps > shorter and shorter % (child.evaluate_every or 1) == 0
    return min(shared, shorter if in_turn else shorter - 1)


def untouched_arms(parent: ExperimentSpec, child: ExperimentSpec) -> frozenset[int]:
    """Arms that the child trains as the parent does, to the last step."""
    if _fixed(parent) != _fixed(child) or parent.steps != child.steps:
        return frozenset()
    if parent.seconds is not None or child.seconds is not None:  # the last step is not known
        return frozenset()
    touched = {change.arm for change in set(parent.changes) ^ set(child.changes)}
    return frozenset(range(len(child.arms))) - touched


def _fixed(spec: ExperimentSpec) -> dict[str, Any]:
    record = spec.model_dump(exclude=_FREE)
    for arm in record["arms"]:
        del arm["label"]  # a name changes no number
    return record


@dataclass(frozen=True)
class ResumePlan:
    """What a run can take over from another.

    Attributes:
        step: the step of the snapshot that it starts from.
        snapshots: the parent's snapshots up to there, by step.
        later: its snapshots after there, by step.
        records: the parent's events, decoded.
        untouched: arms that the parent has in common with the run to the end.
    """

    step: int
    snapshots: dict[int, Path]
    later: dict[int, Path]
    records: list[dict[str, Any]]
    untouched: frozenset[int] = frozenset()

    def events(self) -> list[LoggedEvent]:
        """The parent's events up to the snapshot, numbered from 2: ``started`` is one's own."""
        return list(_renumbered(self.records, self.step))

    def link_into(self, folder: Path) -> Path:
        """Puts the parent's snapshots into ``folder``; returns the one to start from."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.snapshots.values():
            _link(path, folder / path.name)
        return folder / self.snapshots[self.step].name

    @cached_property
    def replayed(self) -> dict[int, Path]:
        """The later snapshots that the run can have of the untouched arms, without a gap."""
        found: dict[int, Path] = {}
        for step in snapshot_steps(self.records[0]["spec"]["steps"]) if self.untouched else ():
            if step <= self.step:
                continue
            if step not in self.later or not _is_sound(self.later[step]):
                break
            found[step] = self.later[step]
        return found

    def work(self, steps: int, arms: int) -> int:
        """How many updates are left to a run of so many steps and arms."""
        until = max(self.replayed, default=self.step)
        return arms * (steps - self.step) - len(self.untouched) * (until - self.step)

    def replay_into(self, folder: Path) -> Replay | None:
        """The untouched arms as far as the parent's snapshots go, linked into ``folder``.

        None where there is nothing that the run can have.

        Raises:
            FileNotFoundError: a snapshot was removed meanwhile.
        """
        if not self.replayed:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        for file in self.replayed.values():
            _link(file, folder / file.name)
        bodies = tuple(
            json.dumps(record)
            for record in self.records
            if record.get("arm") in self.untouched and step_of(record) > self.step
        )
        return Replay(self.untouched, max(self.replayed), bodies, folder)


def find_resume_plan(log: Iterable[LoggedEvent], folder: Path, shared: int) -> ResumePlan | None:
    """The most that a run can take over from another whose log and snapshots these are.

    Args:
        log: the parent's events, from the first; it may still be growing.
        folder: its snapshots.
        shared: the last step in common, as :func:`common_steps` says.

    Returns:
        None where no snapshot can be used. That of step 0 can where the log is whole: it saves
        no update, but those of untouched arms.
    """
    records = [json.loads(event.body) for event in log]
    if not records or records[0]["type"] != "started":
        return None
    log_every = records[0]["spec"]["log_every"]
    settled = settled_step(records)
    usable = {
        record["step"]: folder / record["file"]
        for record in records
        if record["type"] == "snapshot"
        and _last_logged(record["step"], log_every) <= settled
        and (folder / record["file"]).is_file()
    }
    is_whole = records[-1]["type"] == "finished"
    for step in sorted((at for at in usable if at <= shared), reverse=True):
        if (step > 0 or is_whole) and _is_sound(usable[step]):
            until_there = {at: path for at, path in usable.items() if at <= step}
            later = {at: path for at, path in usable.items() if at > step}
            return ResumePlan(step, until_there, later, records)
    return None


def settled_step(records: Iterable[dict[str, Any]]) -> int:
    """The last step up to which a log holds the metrics of every arm.

    Metrics wait in the worker and come as one group of events, the arms in order. A log that
    grows, or whose worker was killed, can end in the middle of a group or before it.
    """
    settled, group_arm, group_step = 0, -1, 0
    for record in records:
        kind = record["type"]
        same_group = kind == "metrics" and record["arm"] > group_arm
        torn = kind == "failed" or (kind == "cancelled" and record.get("summary") is None)
        if not same_group and not torn:
            settled = max(settled, group_step)
            group_arm = -1
        if kind == "diverged":  # emitted in the middle of its step, before the arms after it
            settled = min(settled, record["step"] - 1)
        if kind == "metrics":
            group_arm, group_step = record["arm"], max(group_step, record["steps"][-1])
    return settled


def _last_logged(step: int, log_every: int) -> int:
    """The last step at or before ``step`` that has metrics; 0 for the initial weights."""
    return 1 + (step - 1) // log_every * log_every if step else 0


def _is_sound(snapshot: Path) -> bool:
    try:
        load_snapshot(snapshot)
    except SnapshotError:
        return False
    return True


def _renumbered(records: Iterable[dict[str, Any]], step: int) -> Iterator[LoggedEvent]:
    seq = 1
    for record in records:
        if not _belongs(record, step):
            continue
        own = _cut(record, step) if record["type"] == "metrics" else dict(record)
        if own.get("steps") == []:
            continue
        seq += 1
        own["seq"] = seq
        body = json.dumps(own, separators=(",", ":"))
        yield LoggedEvent(seq, own["type"], step_of(own), body)


def _belongs(record: dict[str, Any], step: int) -> bool:
    """Whether an event of the parent is the child's too, up to the snapshot at ``step``."""
    kind = record["type"]
    if kind == "started" or kind in LAST_EVENTS:
        return False
    if kind == "metrics":
        return True
    if kind == "changed":  # a change at the snapshot's step is applied again from there
        return bool(record["step"] < step)
    return bool(record["step"] <= step)


def _cut(record: dict[str, Any], step: int) -> dict[str, Any]:
    """A batch of metrics without the steps after ``step``."""
    kept = sum(1 for at in record["steps"] if at <= step)
    values = {name: column[:kept] for name, column in record["values"].items()}
    return {**record, "steps": record["steps"][:kept], "values": values}


def step_of(record: dict[str, Any]) -> int:
    """The last step that an event speaks of, 0 where it speaks of none."""
    if record["type"] == "metrics":
        return int(record["steps"][-1])
    summary = record.get("summary") or {}
    return int(record.get("step", summary.get("step", 0)))


def _link(source: Path, target: Path) -> None:
    """Makes ``target`` the same file as ``source`` (snapshots never change), or a copy of it."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
