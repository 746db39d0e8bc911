"""``newton-lab lesson``: what a teacher sees, and the exit codes."""

from pathlib import Path

import pytest

from app.lessons.measuring import ClaimError, holds, measure
from app.lessons.parsing import read_lesson
from app.lessons.records import Claim
from tests.app.command import Lab

TINY = """\
---
title: Tiny
minutes: 1
---

## A page

```scene
spec:
  task: {name: ranking, n: 3, test_sets: 20}
  loss: {name: neuralsort}
  arms: [{label: Vanilla}, {label: Fisher, curvature: fisher}]
  steps: 20
  batch_size: 4
  evaluate_every: 10
```

```claim
say: Vanilla ranks something.
metric: exact_match
arm: ARM
BOUND
```
"""


def tiny(arm: str = "Vanilla", bound: str = "above: -1") -> str:
    return TINY.replace("ARM", arm).replace("BOUND", bound)


def test_new_then_check(newton_lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "my-lesson.md"
    assert newton_lab("lesson", "new", file) == 0
    assert "title: My lesson" in file.read_text("utf-8")
    assert "is there already" in newton_lab.refuses("lesson", "new", file)
    assert newton_lab("lesson", "check", file) == 0
    assert newton_lab.out.startswith("My lesson: 2 pages, 1 scene, 1 claim")
    assert "not measured: After 100 steps" in newton_lab.out


def test_check_names_file_and_line(newton_lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text(tiny().replace("minutes: 1", "minutes: one"), "utf-8")
    said = newton_lab.refuses("lesson", "check", file)
    assert f"{file}:3: minutes: Input should be a valid integer" in said
    assert "there is no file" in newton_lab.refuses("lesson", "check", tmp_path / "none.md")
    assert "is no file" in newton_lab.refuses("lesson", "check", "/dev/zero")
    assert "cannot write /proc/a.md: " in newton_lab.refuses("lesson", "new", "/proc/a.md")
    assert "must end with .md" in newton_lab.refuses("lesson", "new", tmp_path / "a.txt")


def test_check_measures_and_keeps_the_numbers(newton_lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text(tiny(), "utf-8")
    assert newton_lab("lesson", "check", file, "--measure") == 0
    assert "true  Vanilla ranks something." in newton_lab.out
    assert (tmp_path / "measured" / "a.json").is_file()
    assert newton_lab("lesson", "check", file) == 0
    assert "not measured" not in newton_lab.out
    file.write_text(tiny(bound="above: 2"), "utf-8")
    assert newton_lab("lesson", "check", file, "--measure") == 1
    assert "FALSE Vanilla ranks something." in newton_lab.out


def test_claims_are_measured_on_real_runs() -> None:
    good = measure(read_lesson("a", tiny()), lambda _: None)
    assert good.claims[0].holds
    assert 0 <= good.claims[0].values[0] <= 1
    bad = measure(read_lesson("a", tiny(bound="above: 2")), lambda _: None)
    assert not bad.claims[0].holds
    two = measure(read_lesson("a", tiny(bound="above: -1\nseeds: 2")), lambda _: None)
    assert len(two.claims[0].values) == 2
    with pytest.raises(ClaimError, match="there is no arm 'Nobody'; there are: Vanilla, Fisher"):
        measure(read_lesson("a", tiny(arm="Nobody")), lambda _: None)


def test_what_is_not_finite_holds_nothing() -> None:
    claim = Claim(say="x", metric="loss", arm="a", above=0.0)
    assert holds(claim, 1.0)
    assert not holds(claim, 0.0)
    assert not holds(claim, float("nan"))
    assert not holds(claim, float("inf"))
