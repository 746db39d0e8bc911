"""Lessons and the glossary, as they are on disk now."""

import re

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import StreamingResponse

from app.lessons.glossary import Term, glossary
from app.lessons.handout import HandoutSizeError, MadeRun, handout_html, specs_of
from app.lessons.records import LessonAnswer, LessonInfo
from app.lessons.shelf import UnknownLessonError, all_lessons, find_lesson, info
from app.routes.common import PICTURE, PICTURE_RESPONSES, TheLab, problem
from app.runs.files import folder_of
from app.runs.submission import new_run
from app.static import PageNotBuiltError

router = APIRouter(tags=["lessons"])


@router.get("/api/lessons")
def lessons(lab: TheLab) -> list[LessonInfo]:
    """All lessons in their order, those of the teacher's own folder last."""
    return [info(lesson) for lesson in all_lessons(lab.settings.lessons_dir)]


@router.get("/api/lessons/{name}", responses={404: problem("There is no such lesson.")})
def lesson(lab: TheLab, name: str) -> LessonAnswer:
    """One lesson, rendered page by page, with the specs of its scenes."""
    try:
        return find_lesson(name, lab.settings.lessons_dir)
    except UnknownLessonError as error:
        raise HTTPException(404, str(error)) from error


@router.get(
    "/api/lessons/{name}/handout",
    response_class=Response,
    dependencies=[PICTURE],
    responses={
        **PICTURE_RESPONSES,
        200: {
            "description": "The file, as an attachment.",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        404: problem("There is no such lesson."),
        409: problem("Runs are not finished, the file has mistakes, or would be too large."),
        503: problem("The page is not built."),
    },
)
def handout(lab: TheLab, name: str) -> StreamingResponse:
    """A lesson with its runs as one HTML file, which needs neither this server nor a network."""
    found = lesson(lab, name)
    if found.problems:
        raise HTTPException(409, f"the lesson {name!r} has mistakes: correct its file first")
    specs = specs_of(found)
    rows = [lab.store.find_reusable(new_run(spec, lab.settings)) for spec in specs]
    ready = [row for row in rows if row is not None and row.status == "finished"]
    if len(ready) < len(rows):
        raise HTTPException(
            409,
            f"{len(rows) - len(ready)} of the {len(rows)} runs of the lesson are not finished:"
            " post the specs of its scenes to /api/runs, and wait for them",
        )
    runs = [
        MadeRun(
            spec=spec,
            log=(event.body for event in lab.log.all(row.id)),
            snapshots=folder_of(lab.settings.snapshots_dir, row.id),
        )
        for spec, row in zip(specs, ready, strict=True)
    ]
    try:
        parts = handout_html(found, runs, lab.settings)
    except HandoutSizeError as error:
        raise HTTPException(409, str(error)) from error
    except PageNotBuiltError as error:
        raise HTTPException(503, str(error)) from error
    headers = {"Content-Disposition": f'attachment; filename="newton-lab-{_plain(name)}.html"'}
    return StreamingResponse(parts, media_type="text/html; charset=utf-8", headers=headers)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "lesson"


@router.get("/api/glossary")
def terms() -> list[Term]:
    """Every term and symbol, in words."""
    return list(glossary())
