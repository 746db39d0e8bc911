"""Runs and interface behave as they did when ``tests/behaviour`` was written.

``python -m scripts.compare_behaviour COMMIT`` compares two trees bit for bit on one machine. What
is compared here was computed on another one, whose processor may round in other places. So the
structure has to be the same exactly (which events, in which order within a type, their fields,
steps and words; paths and schemas of the interface; names in the catalogue), and the numbers of
the first five steps to 1e-4, relative or absolute, whichever is looser.

Where a change is meant, ``python -m scripts.compare_behaviour --write-reference`` writes the files
anew; their difference then shows in the commit what has changed.
"""

import pytest

from scripts.behaviour.cases import CASES
from scripts.behaviour.differences import differences
from scripts.behaviour.reference import (
    Record,
    event_reference,
    far_apart,
    interface_reference,
    read_reference,
)
from scripts.behaviour.trees import HERE, Tree

TREE = Tree("this tree", HERE)
RUNS = [case.name for case in CASES]


@pytest.fixture(scope="module")
def now() -> Record:
    return event_reference(TREE)


@pytest.fixture(scope="module")
def then() -> Record:
    return read_reference("events")


def test_the_same_runs_are_compared(then: Record) -> None:
    assert sorted(then) == sorted(RUNS)


@pytest.mark.parametrize("name", RUNS)
def test_events_have_the_same_structure(now: Record, then: Record, name: str) -> None:
    before, after = then[name]["structure"], now[name]["structure"]
    assert [str(d) for d in differences(before, after, name)] == []


@pytest.mark.parametrize("name", RUNS)
def test_the_first_numbers_are_the_same(now: Record, then: Record, name: str) -> None:
    assert list(far_apart(then[name]["numbers"], now[name]["numbers"])) == []


def test_the_interface_has_the_same_names() -> None:
    before, after = read_reference("interface"), interface_reference(TREE)
    assert [str(d) for d in differences(before, after, "interface")] == []
