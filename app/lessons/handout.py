"""A lesson with its runs as one HTML file that needs neither a server nor a network."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.catalog import catalog_of
from app.figures import templates
from app.lessons.glossary import glossary
from app.lessons.questions import answered
from app.lessons.records import LessonAnswer, LessonInfo
from app.report import Log, shortened, single_page
from app.runs.identity import canonical
from app.settings import Settings
from newton_core.experiment.spec import ExperimentSpec

DATA_ID = "newton-lab-handout"
COMMON_MEGABYTES = 8
"""What hand-outs of the lessons that ship stay below."""


def specs_of(lesson: LessonAnswer) -> list[ExperimentSpec]:
    """The runs that the scenes of a lesson show, each once, in their order."""
    found = {canonical(spec): spec for page in lesson.content if (spec := _spec(page))}
    return list(found.values())


def _spec(page: Any) -> ExperimentSpec | None:
    return None if page.scene is None else page.scene.spec


def handout_html(lesson: LessonAnswer, logs: Sequence[Log], settings: Settings) -> Iterator[str]:
    """The parts of the file.

    Args:
        lesson: rendered, without mistakes.
        logs: the logs of its runs, in the order of :func:`specs_of`.
        settings: of this lab, for what its catalog says.

    Raises:
        PageNotBuiltError: the page's bundle is not there.
        RequestValidationError: a scene asks for something that there is not.
    """
    runs = [[json.loads(shortened(event)) for event in log] for log in logs]
    keys = [canonical(spec) for spec in specs_of(lesson)]
    shown = [
        None if (spec := _spec(page)) is None else keys.index(canonical(spec))
        for page in lesson.content
    ]
    content = {
        "made": datetime.now(UTC).date().isoformat(),
        "lesson": lesson.model_dump(mode="json") | {"own": False},
        "info": LessonInfo.model_validate(lesson.model_dump()).model_dump(mode="json"),
        "glossary": [term.model_dump(mode="json") for term in glossary()],
        "catalog": catalog_of(settings).model_dump(mode="json", by_alias=True),
        "figures": templates(),
        "runs": runs,
        "shown": shown,
        "answers": answered(lesson.content),
    }
    return single_page(lesson.title, DATA_ID, "text/plain", _packed(content))


def _packed(content: Mapping[str, Any]) -> Iterable[str]:
    """The content as JSON, compressed (gzip), in letters (base64)."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(text.encode()) + packer.flush()
    yield base64.b64encode(packed).decode()
