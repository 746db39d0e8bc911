"""Pictures of arms' steps and of their landscapes, for a file that can ask nobody for them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from app.landscapes.parts import parameter_parts
from newton_core.byte_cache import ByteCache
from newton_core.experiment.spec import ExperimentSpec
from newton_core.records import to_json
from newton_core.training.landscapes.history import MOST_BYTES, RunHistory
from newton_core.training.landscapes.steps import StepSettings, step_seen
from newton_core.training.landscapes.turning import turn_of_arm
from newton_core.training.landscapes.weights import LandscapeSettings

PATH = "api/landscapes"
MOST_PICTURES = 60
"""Of one panel in a file of its own: they take up to half a second and 100 kB each."""
MOST_IN_A_REPORT = 18
"""Of the same among all panels of a report."""
KEPT_POINTS = 21
"""Points along each axis of a landscape in a file."""
KEPT_SAMPLES = 30
"""Samples that it is measured on: whoever asks for a file waits for it."""
TURN_SAMPLES = 200
"""As many as the page asks for, at most."""


def step_pictures(
    spec: ExperimentSpec, snapshots: Path, run: str, wanted: Iterable[tuple[str, int]]
) -> Iterator[dict[str, Any]]:
    """What the panels ``step`` and ``turn`` show, for every arm: question and answer of each.

    Args:
        spec: of the run.
        snapshots: its folder of snapshots.
        run: what the file calls it.
        wanted: panels and steps; the nearest snapshot answers.

    Raises:
        SnapshotError: the run has no snapshot.
    """
    history = RunHistory(spec, snapshots, ByteCache(MOST_BYTES))
    asked = sorted({(panel, history.nearest(step)) for panel, step in wanted})
    for panel, step in asked:
        for arm in range(len(spec.arms)):
            yield {
                "path": PATH,
                "question": {"space": panel, "run": run, "step": step, "arm": arm},
                "answer": {"event": panel, "data": to_json(_PICTURES[panel](history, step, arm))},
            }


def landscape_pictures(spec: ExperimentSpec, snapshots: Path, run: str) -> dict[str, Any]:
    """The landscapes of all arms in the planes nearest to their whole paths: question and answer.

    Args:
        spec: of the run.
        snapshots: its folder of snapshots.
        run: what the file calls it.

    Raises:
        PlaneError: the weights span no such plane.
        SnapshotError: a snapshot is missing or damaged.
    """
    history = RunHistory(spec, snapshots, ByteCache(MOST_BYTES))
    last = history.steps[-1]
    settings = LandscapeSettings(
        plane="trajectory", step=last, points=KEPT_POINTS, samples=KEPT_SAMPLES
    )
    finest = {
        (kind, data.get("picture")): {"event": kind, "data": to_json(data)}
        for kind, data in parameter_parts(history, settings)
    }
    return {
        "path": PATH,
        "question": {"space": None, "run": run, "step": last, "arm": None},
        "answer": list(finest.values()),
    }


def kept_steps(steps: Sequence[int], arms: int, seen: int, pictures: int) -> list[int]:
    """Which snapshots of a run have their pictures in a file, ascending.

    Args:
        steps: of all snapshots, ascending.
        arms: how many arms each has.
        seen: the step that the reader of the file sees first.
        pictures: how many there may be; three steps of each arm may always have theirs.

    Returns:
        The first, the last, the one nearest to ``seen``, and others evenly between them.
    """
    most = max(3, pictures // arms)
    if len(steps) <= most:
        return list(steps)
    nearest = min(steps, key=lambda at: abs(at - seen))
    even = _evenly(steps, most)
    return sorted(even if nearest in even else {*_evenly(steps, most - 1), nearest})


def _evenly(steps: Sequence[int], count: int) -> set[int]:
    """So many of the steps, with the first and the last."""
    return {steps[round(index * (len(steps) - 1) / (count - 1))] for index in range(count)}


def _step(history: RunHistory, step: int, arm: int) -> object:
    return step_seen(history, StepSettings(step=step, arm=arm))


def _turn(history: RunHistory, step: int, arm: int) -> object:
    samples = min(history.spec.batch_size, TURN_SAMPLES)
    return {"step": step, "curves": turn_of_arm(history, arm, step, samples)}


_PICTURES: dict[str, Callable[[RunHistory, int, int], object]] = {"step": _step, "turn": _turn}
PANELS = frozenset(_PICTURES)
