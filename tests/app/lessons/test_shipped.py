"""The lessons that ship: whole, linked, runnable, and true as measured."""

import re

import pytest

from app.figures import templates
from app.lessons.glossary import glossary
from app.lessons.measuring import claim_key, walk_curves
from app.lessons.parsing import WrittenLesson, read_lesson
from app.lessons.records import ArmQuestion, QuestionBlock, Scene
from app.lessons.scenes import spec_of, view_of
from app.lessons.shelf import measured_file, read_measurement, shipped_dir
from newton_core import run

FILES = sorted(shipped_dir().glob("*.md"))
NAMES = [file.stem for file in FILES]
LESSONS = {file.stem: read_lesson(file.stem, file.read_text("utf-8")) for file in FILES}
each = pytest.mark.parametrize("lesson", LESSONS.values(), ids=NAMES)


def test_there_is_a_course_of_ten() -> None:
    headers = sorted((lesson.header.order, lesson.header.minutes) for lesson in LESSONS.values())
    assert [order for order, _ in headers] == list(range(1, 11))
    assert all(10 <= minutes <= 20 for _, minutes in headers)


@each
def test_a_lesson_has_no_mistakes(lesson: WrittenLesson) -> None:
    assert lesson.problems == []
    assert lesson.claims
    assert all(len(page.blocks) > 0 for page in lesson.pages)


@each
def test_a_lesson_asks_before_it_tells(lesson: WrittenLesson) -> None:
    kinds = [type(block) for page in lesson.pages for block in page.blocks]
    assert QuestionBlock in kinds


@each
def test_links_lead_somewhere(lesson: WrittenLesson) -> None:
    text = (shipped_dir() / f"{lesson.name}.md").read_text("utf-8")
    for name in re.findall(r"\]\(lessons/([^)?#]+)\)", text):
        assert name in LESSONS


@each
def test_claims_are_measured_and_true(lesson: WrittenLesson) -> None:
    """A claim or a scene that was changed must be measured again: ``lesson check --measure``."""
    measured = read_measurement(measured_file(shipped_dir() / f"{lesson.name}.md"))
    assert measured is not None
    assert [claim.key for claim in measured.claims] == [
        claim_key(written.claim, written.scene) for written in lesson.claims
    ]
    assert all(claim.holds for claim in measured.claims)


def _distinct_runs() -> dict[str, Scene]:
    """One scene of each task and loss; the others differ in numbers that its spec checks."""
    found: dict[str, Scene] = {}
    for lesson in LESSONS.values():
        for scene in lesson.scenes:
            if scene.page == "compare":
                spec = spec_of(scene)
                found.setdefault(f"{spec.task.name} {spec.loss.name}", scene)
    return found


RUNS = _distinct_runs()


@pytest.mark.parametrize("scene", RUNS.values(), ids=RUNS)
def test_a_scene_runs(scene: Scene) -> None:
    spec = spec_of(scene).model_copy(update={"steps": 3, "landscape_every": None})
    events = list(run(spec))
    assert events[-1].type == "finished"


@each
def test_every_scene_is_seen(lesson: WrittenLesson) -> None:
    for scene in lesson.scenes:
        view = view_of(scene)
        assert (view.spec is None) == (scene.page != "compare")


@each
def test_questions_name_what_is_there(lesson: WrittenLesson) -> None:
    scene = None
    for page in lesson.pages:
        scene = page.scene or scene
        for block in page.blocks:
            if not isinstance(block, QuestionBlock):
                continue
            question = block.question
            if scene.page == "compare":
                labels = {arm.label for arm in spec_of(scene).arms}
            else:
                labels = set(walk_curves(scene))
            named = question.among if isinstance(question, ArmQuestion) else [question.arm]
            assert set(named) <= labels


def test_every_metric_of_a_chart_is_a_matter_of_a_term() -> None:
    explained = {metric for term in glossary() for metric in term.metrics}
    shown = {
        choice["metric"]
        for template in templates().values()
        for choice in template["layout"]["meta"].get("choices", [])
    }
    assert shown - explained == set()


def test_terms_are_said_once_and_shown_somewhere() -> None:
    words = [word.lower() for term in glossary() for word in term.words]
    assert len(words) == len(set(words))
    assert {term.lesson for term in glossary()} <= set(NAMES)


def test_every_term_is_in_the_lesson_that_shows_it() -> None:
    for term in glossary():
        text = (shipped_dir() / f"{term.lesson}.md").read_text("utf-8").lower()
        assert any(word.lower() in text for word in term.words), term.name
