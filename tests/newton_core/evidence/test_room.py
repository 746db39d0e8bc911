"""Cells take limited room, and none goes that somebody uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from newton_core.evidence import CellStore, with_seeds
from newton_core.evidence.cells import cells_of
from newton_core.experiment.events import ArmSummary, Summary
from newton_core.experiment.spec import ExperimentSpec

SPEC = ExperimentSpec.model_validate(
    {"task": {"name": "ranking", "n": 3}, "loss": {"name": "neuralsort"}, "arms": [{}], "steps": 1}
)
CELLS = [cell for one in with_seeds(SPEC, range(4)) for cell in cells_of(one)]
SUMMARY = Summary(
    arms=[ArmSummary(label="", status="completed", step=1, metrics={}, seconds=0.0)],
    step=1,
    seconds=0.0,
    primary_metric="exact_match",
)


def filled(folder: Path, share: float) -> CellStore:
    """A store with all cells, the first one used last long ago; ``share`` of them have room."""
    store = CellStore(folder)
    for age, cell in enumerate(CELLS):
        store.put(cell, SUMMARY)
        newest = max(folder.glob("*/*.json"), key=lambda file: file.stat().st_mtime)
        os.utime(newest, (1000 + age, 1000 + age))
    size = sum(file.stat().st_size for file in folder.glob("*/*.json"))
    return CellStore(folder, int(share * size) + 1)


def kept(store: CellStore) -> list[int]:
    """Which cells are there, by place."""
    return [place for place, cell in enumerate(CELLS) if store.get(cell) is not None]


def test_the_least_recently_used_cells_go_first(tmp_path: Path) -> None:
    store = filled(tmp_path, 0.5)
    assert store.get(CELLS[0]) is not None  # which uses it
    store.make_room()
    assert kept(store) == [0, 3]
    store.make_room()
    assert kept(store) == [0, 3], "there is room now"


def test_cells_that_a_computation_has_used_stay(tmp_path: Path) -> None:
    store = filled(tmp_path, 0.0)
    with store.lease():
        assert store.get(CELLS[1]) is not None
        store.make_room()
        assert kept(store) == [1]
    store.make_room()
    assert kept(store) == []


@pytest.mark.parametrize("ending", ["kill", "lives"])
def test_a_lease_is_one_in_other_processes_too_until_they_end(tmp_path: Path, ending: str) -> None:
    words = (
        "import sys; from pathlib import Path; from newton_core.evidence.leases import Leases;"
        " lease = Leases(Path(sys.argv[1])).take(); print(flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", words, str(tmp_path / "leases")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with other:
        assert other.stdout is not None
        other.stdout.readline()
        store = filled(tmp_path, 0.0)
        assert store.get(CELLS[2]) is not None
        if ending == "kill":
            other.kill()
            other.wait()
        store.make_room()
        assert kept(store) == ([2] if ending == "lives" else [])
        other.kill()
    assert len(list((tmp_path / "leases").glob("*.lease"))) == (ending == "lives")
