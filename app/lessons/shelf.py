"""The lessons that there are: those that ship with the lab, and those of a teacher's folder."""

import functools
import logging
import threading
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from app.lessons.measuring import claim_key
from app.lessons.parsing import WrittenClaim, WrittenLesson, read_lesson
from app.lessons.records import (
    ClaimBlock,
    LessonAnswer,
    LessonInfo,
    LessonPage,
    Measurement,
)
from app.lessons.rendering import render_sentence
from app.lessons.scenes import view_of
from newton_core.registry import did_you_mean

logger = logging.getLogger(__name__)
_reading = threading.Lock()
"""A class opens thirty pages at once, and each lesson need be rendered by one of them alone."""


class UnknownLessonError(LookupError):
    """There is no lesson of this name; the message lists those that there are."""


def shipped_dir() -> Path:
    """The folder of the lessons that ship with the lab."""
    return Path(str(resources.files(__package__))) / "content"


def measured_file(lesson: Path) -> Path:
    """Where the measured claims of a lesson's file are kept."""
    return lesson.parent / "measured" / f"{lesson.stem}.json"


def all_lessons(own: Path | None) -> list[LessonAnswer]:
    """Every lesson, as it is on disk now; a file of ``own`` replaces one that ships.

    Args:
        own: the teacher's folder; None: there is none.
    """
    files = {file.stem: (file, False) for file in _files(shipped_dir())}
    if own is not None:
        files |= {file.stem: (file, True) for file in _files(own)}
    found = [_lesson(file, is_own) for file, is_own in files.values()]
    return sorted(
        (lesson for lesson in found if lesson), key=lambda one: (one.own, one.order, one.name)
    )


def find_lesson(name: str, own: Path | None) -> LessonAnswer:
    """The lesson called ``name``.

    Raises:
        UnknownLessonError: there is none.
    """
    lessons = all_lessons(own)
    for lesson in lessons:
        if lesson.name == name:
            return lesson
    names = [lesson.name for lesson in lessons]
    hint = did_you_mean(name, names)
    raise UnknownLessonError(f"there is no lesson {name!r}; there are: {', '.join(names)}{hint}")


def info(lesson: LessonAnswer) -> LessonInfo:
    """What the list says of a lesson."""
    return LessonInfo.model_validate(lesson.model_dump(include=set(LessonInfo.model_fields)))


def read_measurement(file: Path) -> Measurement | None:
    """What was measured of a lesson's claims; None where nothing was."""
    try:
        return Measurement.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        logger.warning("%s holds no measurement that this version understands", file)
        return None


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(
            file for file in folder.glob("*.md") if file.is_file() and not file.name.startswith(".")
        )
    except OSError:
        logger.warning("the folder of lessons %s cannot be read", folder)
        return []


def _lesson(file: Path, own: bool) -> LessonAnswer | None:
    try:
        stamp = (_stamp(file), _stamp(measured_file(file)))
        with _reading:
            return _read(file, stamp, own)
    except OSError:  # gone between listing and reading
        logger.warning("the lesson %s cannot be read", file)
        return None


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=200)
def _read(file: Path, stamp: object, own: bool) -> LessonAnswer:
    """A file is read again once its ``stamp`` is another one: that is all there is to reloading."""
    lesson = read_lesson(file.stem, file.read_text("utf-8", errors="replace"))
    return answer_of(lesson, read_measurement(measured_file(file)), own)


def answer_of(lesson: WrittenLesson, measured: Measurement | None, own: bool) -> LessonAnswer:
    """The lesson as the page gets it."""
    known = {claim.key: claim.values for claim in measured.claims} if measured else {}
    content = []
    for page in lesson.pages:
        blocks = [
            ClaimBlock(
                say=render_sentence(block.claim.say),
                values=known.get(claim_key(block.claim, block.scene), []),
            )
            if isinstance(block, WrittenClaim)
            else block
            for block in page.blocks
        ]
        scene = None if page.scene is None else view_of(page.scene)
        content.append(LessonPage(title=page.title, scene=scene, blocks=blocks))
    header = lesson.header
    return LessonAnswer(
        name=lesson.name,
        title=header.title,
        minutes=header.minutes,
        order=header.order,
        summary=header.summary,
        own=own,
        pages=len(content),
        problems=len(lesson.problems),
        content=content,
    )
