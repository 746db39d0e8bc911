"""From a lesson's file to its pages; what is wrong is said at its line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import frontmatter
import yaml
from markdown_it.token import Token
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.lessons.checking import arms_mistake, link_mistake
from app.lessons.records import (
    ArmQuestion,
    Block,
    Claim,
    CurveQuestion,
    Header,
    NumberQuestion,
    Problem,
    ProblemBlock,
    Question,
    QuestionBlock,
    Scene,
    TextBlock,
)
from app.lessons.rendering import FormulaError, lab_links, parse, render
from app.lessons.scenes import SceneError, checked

MOST_BYTES = 500_000
AnyQuestion = ArmQuestion | NumberQuestion | CurveQuestion
_Written = TypeVar("_Written", bound=BaseModel)
_QUESTION: TypeAdapter[Any] = TypeAdapter(Question)
_KINDS = ("scene", "question", "claim")


class LessonFileError(Exception):
    """A lesson's file that cannot be read; the message names it."""


@dataclass(frozen=True)
class WrittenClaim:
    """A claim, with the scene that it is about, at its line."""

    line: int
    claim: Claim
    scene: Scene


@dataclass
class WrittenPage:
    """A page as its file says it."""

    title: str
    line: int
    scene: Scene | None = None
    blocks: list[Block | WrittenClaim] = field(default_factory=list)


@dataclass
class WrittenLesson:
    """A lesson as its file says it, whatever is wrong with it."""

    name: str
    header: Header
    pages: list[WrittenPage]
    problems: list[Problem]

    @property
    def claims(self) -> list[WrittenClaim]:
        """All claims, in order."""
        return [
            block for page in self.pages for block in page.blocks if isinstance(block, WrittenClaim)
        ]

    @property
    def scenes(self) -> list[Scene]:
        """All scenes, in order."""
        return [page.scene for page in self.pages if page.scene is not None]


def lesson_text(file: Path) -> str:
    """What a lesson's file says.

    Raises:
        LessonFileError: there is none that can be read as text.
    """
    try:
        if file.exists() and not file.is_file():  # a device may never end
            raise LessonFileError(f"{file} is no file: a lesson is one Markdown file")
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise LessonFileError(f"there is no file {file}") from None
    except (OSError, ValueError) as error:  # ValueError: of bytes that are no UTF-8
        reason = getattr(error, "strerror", None) or error
        raise LessonFileError(f"cannot read {file}: {reason}") from error


def read_lesson(name: str, text: str) -> WrittenLesson:
    """The lesson in a file's text; mistakes are in its ``problems`` and, in place, its pages."""
    return _Reader(name, text).read()


class _Reader:
    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self.problems: list[Problem] = []
        self.pages: list[WrittenPage] = []
        self.scene: Scene | None = None
        self.lost_scenes = 0
        """Scenes with mistakes: what is said of them cannot be held against anything."""
        self.said: list[tuple[int, int, int, str | AnyQuestion]] = []
        """Page, blocks so far, line, and what speaks of the scene: a link's words, a question."""
        self.offset = 0

    def read(self) -> WrittenLesson:
        if len(self.text.encode()) > MOST_BYTES:
            self.note(1, f"the file holds more than {MOST_BYTES // 1000} kB; no lesson needs that")
            self.text = self.text[: MOST_BYTES // 4]
        header = self.read_header()
        for block in _blocks(parse(self.body)):
            self.add(block)
        if not self.pages:
            self.page_at("Nothing here", 1)
            self.note(self.offset + 1, "the lesson has no page; a page begins with '## Its title'")
        self.hold_against_scenes()
        if self.lost_scenes == 0 and all(page.scene is None for page in self.pages):
            self.note(self.pages[0].line, "no page has a scene; say one in a ```scene block")
        self.problems.sort(key=lambda problem: problem.line)
        return WrittenLesson(self.name, header, self.pages, self.problems)

    def read_header(self) -> Header:
        fallback = Header(title=self.name, minutes=15)
        fence = re.match(r"---\s*\n(.*?)^---\s*$\n?", self.text, re.S | re.M)
        self.body = self.text[fence.end() :] if fence else self.text
        self.offset = self.text.count("\n", 0, fence.end()) if fence else 0
        if fence is None:
            self.note(1, "the file must begin with '---', a title, minutes, and '---' again")
            return fallback
        try:
            found = frontmatter.loads(self.text).metadata
        except yaml.YAMLError as error:
            self.note(1 + _line(error), f"the front matter is no YAML: {_words(error)}")
            return fallback
        return self.validated(Header, found, 2, fence[1]) or fallback

    def add(self, block: list[Token]) -> None:
        first = block[0]
        line = self.offset + (first.map[0] if first.map else 0) + 1
        if first.type == "heading_open" and first.tag == "h2":
            self.page_at(block[1].content, line)
            return
        if first.type == "heading_open" and first.tag == "h1":
            self.note(line, "the title is in the front matter; a page begins with '## Its title'")
            return
        if not self.pages:
            self.page_at("Begin here", line)
            self.note(line, "text stands before the first page; begin it with '## Its title'")
        kind = first.info.split(" ")[0] if first.type == "fence" else ""
        if kind in _KINDS:
            self.add_fence(kind, first.content, line)
        else:
            self.add_text(block, line)

    def add_text(self, block: list[Token], line: int) -> None:
        try:
            html = render(block)
        except FormulaError as error:
            self.note(line, str(error))
            return
        blocks = self.pages[-1].blocks
        if blocks and isinstance(last := blocks[-1], TextBlock):
            blocks[-1] = TextBlock(html=last.html + html)
        else:
            blocks.append(TextBlock(html=html))
        for link in lab_links(html):
            self.said.append((len(self.pages) - 1, len(blocks), line, link))

    def add_fence(self, kind: str, content: str, line: int) -> None:
        try:
            found = yaml.safe_load(content)
        except yaml.YAMLError as error:
            self.note(line + 1 + _line(error), f"the {kind} is no YAML: {_words(error)}")
            return
        if not isinstance(found, dict):
            self.note(line, f"a {kind} is lines of 'key: value'")
            return
        page = self.pages[-1]
        if kind == "scene":
            self.add_scene(found, line, content)
        elif kind == "question":
            if (question := self.question(found, line, content)) is not None:
                place = f"{len(self.pages)}.{len(page.blocks)}"
                page.blocks.append(QuestionBlock(id=place, question=question))
                self.said.append((len(self.pages) - 1, len(page.blocks), line, question))
        elif (claim := self.validated(Claim, found, line + 1, content)) is not None:
            if self.scene is not None:
                page.blocks.append(WrittenClaim(line, claim, self.scene))
                self.note_if(line, arms_mistake(claim, self.scene))
            elif self.lost_scenes == 0:
                self.note(line, "a claim is about the scene before it; there is none")

    def add_scene(self, found: dict[str, Any], line: int, content: str) -> None:
        page = self.pages[-1]
        if page.scene is not None:
            self.note(line, "this page has a scene already; begin another with '## Its title'")
            return
        scene = self.validated(Scene, found, line + 1, content)
        if scene is None:
            self.lose_scene()
            return
        try:
            checked(scene)
        except SceneError as error:
            self.lose_scene()
            self.note(line + 1 + _line_of(error.key, content), str(error))
            return
        page.scene = self.scene = scene

    def lose_scene(self) -> None:
        self.lost_scenes += 1
        self.scene = None

    def hold_against_scenes(self) -> None:
        """Notes links and questions that name what is not there; a scene may stand after them."""
        if self.lost_scenes > 0:
            return
        beside = [scene_at(self.pages, index) for index in range(len(self.pages))]
        # From the end, so that what is put in moves nothing that is yet to come.
        for page, at, line, said in reversed(self.said):
            scene = beside[page]
            if isinstance(said, str):
                words = link_mistake(said, scene)
            else:
                words = arms_mistake(said, scene)
            if words is not None:
                self.problems.append(Problem(line=line, message=words))
                self.pages[page].blocks.insert(at, ProblemBlock(line=line, message=words))

    def note_if(self, line: int, message: str | None) -> None:
        if message is not None:
            self.note(line, message)

    def question(self, found: dict[str, Any], line: int, content: str) -> Question | None:
        try:
            question: Question = _QUESTION.validate_python(found)
        except ValidationError as error:
            self.note_all(error, line + 1, content, skip=1)  # the kind
            return None
        return question

    def validated(
        self, model: type[_Written], found: dict[str, Any], line: int, content: str
    ) -> _Written | None:
        try:
            return model.model_validate(found)
        except ValidationError as error:
            self.note_all(error, line, content)
            return None

    def note_all(self, error: ValidationError, line: int, content: str, skip: int = 0) -> None:
        """Notes each mistake; the first ``skip`` parts of its place are not the file's."""
        for item in error.errors(include_url=False):
            where = [str(part) for part in item["loc"][skip:]]
            key = str(item["loc"][-1]) if item["loc"] else ""
            words = item["msg"].removeprefix("Value error, ")
            if item["type"] == "extra_forbidden":
                words = "there is no such key"
            self.note(line + _line_of(key, content), f"{'.'.join(where)}: {words}".lstrip(": "))

    def page_at(self, title: str, line: int) -> None:
        self.pages.append(WrittenPage(title, line))

    def note(self, line: int, message: str) -> None:
        """Says what is wrong, in the list and where it is."""
        self.problems.append(Problem(line=line, message=message))
        if not self.pages:
            self.page_at("This lesson has mistakes", line)
        self.pages[-1].blocks.append(ProblemBlock(line=line, message=message))


def scene_at(pages: Sequence[WrittenPage], index: int) -> Scene | None:
    """The scene beside a page: its own, or that of the last page before it that has one."""
    return next((page.scene for page in reversed(pages[: index + 1]) if page.scene), None)


def _blocks(tokens: list[Token]) -> Iterator[list[Token]]:
    """The blocks at the top, each with the tokens within it."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


def _line(error: yaml.YAMLError) -> int:
    mark = getattr(error, "problem_mark", None)
    return 0 if mark is None else int(mark.line)


def _words(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or "it cannot be read")


def _line_of(key: str, content: str) -> int:
    """On which line a key stands, counted from 0; 0 where it is missing."""
    found = re.search(rf"^\s*['\"]?{re.escape(key)}['\"]?\s*:", content, re.M) if key else None
    return content.count("\n", 0, found.end()) if found else 0
