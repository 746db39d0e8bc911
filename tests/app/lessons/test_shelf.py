"""A teacher's own folder: lessons that are read as they change."""

from pathlib import Path

import pytest

from app.lessons.records import ProblemBlock, TextBlock
from app.lessons.shelf import UnknownLessonError, all_lessons, find_lesson

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


def test_own_lessons_are_read_as_they_change(tmp_path: Path) -> None:
    file = tmp_path / "mine.md"
    file.write_text(OWN, "utf-8")
    mine = find_lesson("mine", tmp_path)
    assert (mine.own, mine.problems) == (True, 0)
    first = mine.content[0].blocks[0]
    assert isinstance(first, TextBlock)
    assert "<script" not in first.html
    file.write_text(OWN.replace("preset: trajectory", "preset: nothing at all"), "utf-8")
    mine = find_lesson("mine", tmp_path)
    problem = next(one for one in mine.content[0].blocks if isinstance(one, ProblemBlock))
    assert problem.line == 11
    assert "unknown preset 'nothing at all'" in problem.message
    assert all_lessons(tmp_path)[-1].name == "mine"
    file.unlink()
    with pytest.raises(UnknownLessonError):
        find_lesson("mine", tmp_path)


def test_an_own_lesson_replaces_one_that_ships(tmp_path: Path) -> None:
    (tmp_path / "curvature.md").write_text(OWN, "utf-8")
    assert find_lesson("curvature", tmp_path).title == "My own"
    assert len(all_lessons(tmp_path)) == len(all_lessons(None))


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "endless.md").symlink_to("/dev/zero")
    assert all_lessons(tmp_path) == all_lessons(None)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert all_lessons(tmp_path / "none") == all_lessons(None)
