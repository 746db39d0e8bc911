"""Lessons and the glossary, as they are on disk now."""

from fastapi import APIRouter, HTTPException

from app.lessons.glossary import Term, glossary
from app.lessons.records import LessonAnswer, LessonInfo
from app.lessons.shelf import UnknownLessonError, all_lessons, find_lesson, info
from app.routes.common import TheLab, problem

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


@router.get("/api/glossary")
def terms() -> list[Term]:
    """Every term and symbol, in words."""
    return list(glossary())
