"""Lessons over HTTP: the list, one lesson, the glossary, and a teacher's own folder."""

from collections.abc import Callable
from pathlib import Path

from tests.app.harness import LabServer

OWN = """\
---
title: My own
minutes: 5
---

## A page

Hello <script>alert(1)</script>

```scene
preset: trajectory
```
"""


def test_the_list_and_each_lesson(server: LabServer) -> None:
    listed = server.client.get("/api/lessons").json()
    assert [lesson["order"] for lesson in listed] == sorted(lesson["order"] for lesson in listed)
    assert {"name", "title", "minutes", "summary", "own", "pages"} <= listed[0].keys()
    for info in listed:
        answer = server.client.get(f"/api/lessons/{info['name']}").json()
        assert answer["title"] == info["title"]
        assert len(answer["content"]) == info["pages"]
        assert any(page["scene"] for page in answer["content"])


def test_a_lesson_that_is_not_there(server: LabServer) -> None:
    answer = server.client.get("/api/lessons/curvature-win")
    assert answer.status_code == 404
    assert "did you mean curvature-wins?" in answer.json()["detail"]


def test_the_glossary(server: LabServer) -> None:
    terms = {term["name"]: term for term in server.client.get("/api/glossary").json()}
    assert terms["Hessian"]["symbol"] == "H"


def test_own_lessons_are_read_as_they_change(
    new_server: Callable[..., LabServer], tmp_path: Path
) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    file = folder / "mine.md"
    file.write_text(OWN, "utf-8")
    client = new_server(lessons_dir=folder).start().client
    mine = client.get("/api/lessons/mine").json()
    assert (mine["own"], mine["problems"]) == (True, 0)
    assert "<script" not in mine["content"][0]["blocks"][0]["html"]
    file.write_text(OWN.replace("preset: trajectory", "preset: nothing"), "utf-8")
    mine = client.get("/api/lessons/mine").json()
    (problem,) = [one for one in mine["content"][0]["blocks"] if one["kind"] == "problem"][:1]
    assert problem["line"] == 11
    assert "unknown preset 'nothing'" in problem["message"]
    assert client.get("/api/lessons").json()[-1]["name"] == "mine"
    file.unlink()
    assert client.get("/api/lessons/mine").status_code == 404
