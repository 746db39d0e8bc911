"""``newton-lab lesson export``: the runs of a lesson are made, and all of it becomes one file."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from fastapi.exceptions import RequestValidationError
from rich.console import Console

from app import train as training
from app.lessons.handout import HandoutSizeError, MadeRun, handout_html, specs_of
from app.lessons.parsing import LessonFileError, lesson_text, read_lesson
from app.lessons.records import LessonAnswer
from app.lessons.shelf import (
    UnknownLessonError,
    answer_of,
    find_lesson,
    measured_file,
    read_measurement,
)
from app.report import check_page
from app.results import OutputError, check_writable
from app.settings import load_settings
from app.static import PageNotBuiltError
from newton_core import run
from newton_core.experiment.spec import ExperimentSpec


class ExportError(RuntimeError):
    """A lesson that cannot become a file; the message says why."""


@dataclass(frozen=True)
class Made:
    """The file that was written."""

    title: str
    pages: int
    runs: int
    megabytes: float


def export_lesson(
    source: str, out: Path, console: Console, *, force: bool = False, threads: int = 1
) -> Made:
    """Makes the runs of a lesson, and writes it with them into one HTML file.

    Args:
        source: the lesson's name, or the path of its Markdown file.
        out: where to.
        console: shows how far the runs are.
        force: whether ``out`` may be replaced.
        threads: of each run.

    Raises:
        ExportError: the lesson has mistakes or is not there, a run failed, the file would be too
            large, or it cannot be written.
    """
    settings = load_settings()
    lesson = _lesson(source, settings.lessons_dir)
    try:
        check_page()
        check_writable("--out", out, overwrite=force)
    except (PageNotBuiltError, OutputError) as error:
        raise ExportError(str(error)) from error
    torch.set_num_threads(threads)
    specs = specs_of(lesson)
    try:
        with tempfile.TemporaryDirectory() as folder:
            runs = [
                _made(spec, Path(folder) / f"{number}", f"run {number} of {len(specs)}", console)
                for number, spec in enumerate(specs, start=1)
            ]
            parts = handout_html(lesson, runs, settings)
        with out.open("w", encoding="utf-8") as file:
            file.writelines(parts)
    except HandoutSizeError as error:
        raise ExportError(str(error)) from error
    except RequestValidationError as error:
        raise ExportError(f"{source}: a scene asks for what there is not: {error}") from error
    except OSError as error:
        raise ExportError(f"cannot write {out}: {error.strerror or error}") from error
    return Made(lesson.title, len(lesson.content), len(specs), out.stat().st_size / 1e6)


def _lesson(source: str, own: Path | None) -> LessonAnswer:
    if not source.endswith(".md"):
        try:
            lesson = find_lesson(source, own)
        except UnknownLessonError as error:
            raise ExportError(str(error)) from error
        if lesson.problems:
            raise ExportError(f"{source} has mistakes: newton-lab lesson check names them")
        return lesson
    file = Path(source)
    try:
        written = read_lesson(file.stem, lesson_text(file))
    except LessonFileError as error:
        raise ExportError(str(error)) from error
    if written.problems:
        raise ExportError(f"{file}: {written.problems[0]}; newton-lab lesson check names them all")
    return answer_of(written, read_measurement(measured_file(file)), own=True)


def _made(spec: ExperimentSpec, snapshots: Path, title: str, console: Console) -> MadeRun:
    lines: list[str] = []
    snapshots.mkdir()
    events = run(spec, snapshots=snapshots)
    try:
        training.train(spec, events, console=console, title=title, sinks=[lines.append])
    except (training.RunFailedError, ValueError) as error:
        raise ExportError(f"{title} failed: {error}") from error
    return MadeRun(spec, lines, snapshots)
