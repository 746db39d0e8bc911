"""A lesson as one file: what is inside it, and what it may do."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.lessons.parsing import read_lesson
from app.lessons.questions import answered, question_of, settings_of
from app.lessons.shelf import answer_of
from tests.app.command import Lab
from tests.app.harness import LabServer, Scripts, unpacked
from tests.app.tiny_lesson import TINY

LESSON = TINY.replace("title: Tiny", "title: Tiny <b>lesson</b>").replace(
    ", step]", ", step, turn]"
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "lessons"
    folder.mkdir()
    (folder / "tiny.md").write_text(LESSON, "utf-8")
    return folder


@pytest.fixture
def server(tmp_path: Path, own: Path) -> Iterator[LabServer]:
    started = LabServer(tmp_path / "data", workers=1, fork_workers=0, lessons_dir=own)
    started.start()
    yield started
    started.close()


def content_of(html: str) -> dict[str, Any]:
    scripts = Scripts(html)
    assert scripts.sources == [], "nothing is loaded from elsewhere"
    return dict(unpacked(scripts.inline[0]))


def check(html: str) -> None:
    content = content_of(html)
    assert content["lesson"]["title"] == "Tiny <b>lesson</b>"
    assert content["shown"] == [0, None]
    [events] = content["runs"]
    assert (events[0]["type"], events[-1]["type"]) == ("started", "finished")
    assert events[0]["spec"] == content["lesson"]["content"][0]["scene"]["spec"]
    questions: dict[str, list[Any]] = {path: [] for path in ("api/surfaces", "api/landscapes")}
    for one in content["answers"]:
        questions[one["path"]].append(one["question"])
    asked = [question["walkers"][3]["tikhonov"] for question in questions["api/surfaces"]]
    assert asked == [2, 10], "the scene's own, and its link's"
    seen = {(one["space"], one["arm"], one["step"]) for one in questions["api/landscapes"]}
    assert seen == {(space, arm, step) for space in ("step", "turn") for arm in (0, 1)
                    for step in (0, 40)}  # fmt: skip
    assert [one["seq"] for one in events] == list(range(1, len(events) + 1))
    text = content["lesson"]["content"][0]["blocks"][0]["html"]
    assert "<math" in text
    assert "<script" not in text
    assert "onerror" not in text
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "<b>lesson</b>" not in html


def test_the_server_makes_it_once_its_runs_are_finished(server: LabServer) -> None:
    refused = server.client.get("/api/lessons/tiny/handout")
    assert refused.status_code == 409
    assert "1 of the 1 runs of the lesson are not finished" in refused.json()["detail"]
    lesson = server.client.get("/api/lessons/tiny").json()
    server.finish(lesson["content"][0]["scene"]["spec"])
    answer = server.client.get("/api/lessons/tiny/handout")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="newton-lab-tiny.html"'
    check(answer.text)
    assert server.client.get("/api/lessons/none/handout").status_code == 404


def test_the_command_makes_its_runs(newton_lab: Lab, own: Path, tmp_path: Path) -> None:
    out = tmp_path / "tiny.html"
    assert newton_lab("lesson", "export", own / "tiny.md", "--out", out) == 0
    assert re.search(r"Tiny <b>lesson</b>, 2 pages, 1 run, [\d.]+ MB", newton_lab.out)
    check(out.read_text("utf-8"))


def test_what_cannot_be_exported_is_said(newton_lab: Lab, own: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    refuses = newton_lab.refuses
    assert "there is no file" in refuses("lesson", "export", tmp_path / "none.md", "--out", out)
    assert "there is no lesson 'tinny'" in refuses("lesson", "export", "tinny", "--out", out)
    out.write_text("mine", "utf-8")
    file = own / "tiny.md"
    assert "exists already" in refuses("lesson", "export", file, "--out", out)
    file.write_text(LESSON.replace("minutes: 5", "minutes: five"), "utf-8")
    said = refuses("lesson", "export", file, "--out", out, "--force")
    assert "line 3: minutes" in said
    assert out.read_text("utf-8") == "mine"


def test_a_file_that_nobody_could_open_is_refused(
    newton_lab: Lab, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lessons.handout.MOST_BYTES", 1000)
    out = tmp_path / "tiny.html"
    said = newton_lab.refuses("lesson", "export", own / "tiny.md", "--out", out)
    assert "the hand-out of 'Tiny <b>lesson</b>' would take 0 MB, and may take 0" in said
    assert "it holds 1 runs, of which the largest, of 40 steps" in said
    assert not out.exists()


def test_each_page_asks_as_the_page_of_the_lab_does() -> None:
    three = question_of("three-numbers", settings_of("?temperature=1&across=-1.22&range=3"))
    assert three["loss"] == {"name": "softsort", "temperature": 1, "numerics": "bce_loss"}
    assert (three["start"], three["span"]) == ([-1.22, -0.5], 3)
    gradients = question_of("gradients", settings_of("?loss=cauchy&n=3&tikhonov=10"))
    assert gradients["loss"]["inverse_temperature"] == 0.1
    assert gradients["scores"] == [[-1, 0, 1]]
    assert {step["tikhonov"] for step in gradients["steps"]} == {10}


def test_all_pictures_of_a_page_are_inside_once() -> None:
    page = LESSON.replace("page: surfaces", "page: three-numbers").replace("function: rosen", "x")
    text = page.replace("{xbrock, tikhonov: 2}", "{temperature: 1, tikhonov: 2}")
    found = answered(answer_of(read_lesson("tiny", text), None, True).content)
    assert [one["path"] for one in found] == ["api/three-numbers"] * 2
    assert all(len(one["answer"]["walks"]) == 4 for one in found)
