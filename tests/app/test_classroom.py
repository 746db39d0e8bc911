"""A class of thirty on one worker: nobody's page stalls, and everybody's turn comes."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.app.classroom import press_play
from tests.app.harness import LabServer, tiny_spec

STUDENTS = 30
BEARABLE = 10.0
"""Seconds; on a machine with nothing else to do it is a few tenths (scripts/classroom.py)."""


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    lab = LabServer(
        tmp_path_factory.mktemp("school") / "data", workers=1, fork_workers=0, own_runs_only=1
    )
    yield lab.start()
    lab.close()


def test_thirty_different_runs_come_in_turn(school: LabServer) -> None:
    specs = [tiny_spec(seed=seed, steps=5) for seed in range(STUDENTS)]
    students = asyncio.run(press_play(school.url, specs))
    assert len({student.run for student in students}) == STUDENTS
    assert {student.last for student in students} == {"finished"}
    assert max(student.told for student in students) < BEARABLE
    assert max(student.slowest for student in students) < BEARABLE
    waited = [student.places for student in students if student.places]
    assert len(waited) > STUDENTS // 2, "most had to wait, and were told so"
    for places in waited:
        assert places == sorted(places, reverse=True), "nobody was overtaken"
    runs = school.client.get("/api/runs", params={"limit": 200}).json()["items"]
    in_order = sorted(runs, key=lambda run: str(run["created"]))
    ends = [run["ended"] for run in in_order]
    assert ends == sorted(ends)


def test_thirty_equal_runs_are_one(school: LabServer) -> None:
    specs = [tiny_spec(seed=1000)] * STUDENTS
    students = asyncio.run(press_play(school.url, specs))
    assert len({student.run for student in students}) == 1
    assert sum(not student.reused for student in students) == 1
    assert {student.last for student in students} == {"finished"}
    assert max(student.told for student in students) < BEARABLE
