"""A lesson with its runs as one HTML file that needs neither a server nor a network."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.catalog import catalog_of
from app.figures import templates
from app.landscapes.kept import PANELS, step_pictures
from app.lessons.glossary import glossary
from app.lessons.questions import answered
from app.lessons.records import LessonAnswer, SceneView
from app.lessons.shelf import info
from app.report import Log, packed, shortened, single_page
from app.runs.identity import canonical
from app.settings import Settings
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.snapshots import SnapshotError

DATA_ID = "newton-lab-handout"
MOST_BYTES = 40_000_000
"""Of a lesson's content in the file, compressed: a phone opens it, and mail takes most of it."""


class HandoutSizeError(ValueError):
    """A hand-out that would be too large; the message says what makes it so."""


@dataclass(frozen=True)
class MadeRun:
    """A run of a lesson that has finished.

    Attributes:
        spec: as the lesson's scenes say it.
        log: its events, each as JSON text.
        snapshots: its folder of snapshots.
    """

    spec: ExperimentSpec
    log: Log
    snapshots: Path


def specs_of(lesson: LessonAnswer) -> list[ExperimentSpec]:
    """The runs that the scenes of a lesson show, each once, in their order."""
    found = {canonical(spec): spec for _, spec in _scenes(lesson)}
    return list(found.values())


def _scenes(lesson: LessonAnswer) -> Iterator[tuple[SceneView, ExperimentSpec]]:
    """The scenes that show runs, each with its spec."""
    for page in lesson.content:
        if page.scene is not None and page.scene.spec is not None:
            yield page.scene, page.scene.spec


def handout_html(
    lesson: LessonAnswer, runs: Sequence[MadeRun], settings: Settings
) -> Iterator[str]:
    """The parts of the file.

    Args:
        lesson: rendered, without mistakes.
        runs: one for each of :func:`specs_of`, in that order.
        settings: of this lab, for what its catalog says.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
        HandoutSizeError: the file would be too large.
        RequestValidationError: a scene asks for something that there is not.
    """
    keys = [canonical(run.spec) for run in runs]
    logs, pictures = [], answered(lesson.content)
    for index, run in enumerate(runs):
        pictures += _step_pictures(lesson, run, f"run-{index}")
        logs.append([json.loads(shortened(event)) for event in run.log])
    content = {
        "made": datetime.now(UTC).date().isoformat(),
        "lesson": lesson.model_dump(mode="json") | {"own": False},
        "info": info(lesson).model_dump(mode="json"),
        "glossary": [term.model_dump(mode="json") for term in glossary()],
        "catalog": catalog_of(settings).model_dump(mode="json", by_alias=True),
        "figures": templates(),
        "runs": logs,
        "shown": [_index(page.scene, keys) for page in lesson.content],
        "answers": pictures,
    }
    text = _packed(content)
    if len(text) > MOST_BYTES:
        sizes = [(len(_packed(log)), run.spec.steps) for run, log in zip(runs, logs, strict=True)]
        largest, steps = max(sizes, default=(0, 0))
        raise HandoutSizeError(
            f"the hand-out of {lesson.title!r} would take {len(text) / 1e6:.0f} MB, and may take"
            f" {MOST_BYTES / 1e6:.0f}: it holds {len(runs)} runs, of which the largest, of"
            f" {steps} steps, takes {largest / 1e6:.0f} MB; show fewer runs, or shorter ones"
        )
    return single_page(lesson.title, DATA_ID, [text])


def _index(scene: SceneView | None, keys: Sequence[str]) -> int | None:
    return None if scene is None or scene.spec is None else keys.index(canonical(scene.spec))


def _step_pictures(lesson: LessonAnswer, run: MadeRun, name: str) -> Iterator[dict[str, Any]]:
    """Of the steps at which scenes begin and rest, in the panels that they show."""
    wanted = {
        (panel, step)
        for scene, spec in _scenes(lesson)
        if canonical(spec) == canonical(run.spec)
        for panel in PANELS.intersection(scene.panels or PANELS)
        for step in (scene.start or 0, run.spec.steps if scene.stop is None else scene.stop)
    }
    if wanted:
        with contextlib.suppress(SnapshotError):  # they have made room: the panels say so
            yield from step_pictures(run.spec, run.snapshots, name, wanted)


def _packed(content: object) -> str:
    """The content as a file holds it."""
    return "".join(packed([json.dumps(content, separators=(",", ":"), allow_nan=False)]))
