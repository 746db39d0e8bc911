"""Every protocol runs from one end to the other, keeps what it has done, and goes on from it."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from newton_core.evidence.cells import CellStore
from newton_core.evidence.computing import CellsStoppedError
from newton_core.evidence.protocols import PROTOCOLS, Budget, GradientRow, Plan, Row
from newton_core.evidence.protocols.base import arm, spec
from newton_core.evidence.reproduction import Reproduction, kept_tunings, seconds_of, tuning_key


def stopped() -> threading.Event:
    """A stop that is set: with it only what is kept can be had."""
    stop = threading.Event()
    stop.set()
    return stop


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> CellStore:
    return CellStore(tmp_path_factory.mktemp("cells"))


def test_every_name_runs_at_the_scale_tiny(store: CellStore) -> None:
    rows = [row for protocol in PROTOCOLS.values() for row in protocol.plans["tiny"]().rows]
    done: list[float] = []
    # As one plan, so that processes start once.
    whole = Plan(tuple(row for row in rows if isinstance(row, Row)), seeds=1)
    found = list(Reproduction(whole, store, processes=1, on_done=done.append).rows())
    swept = Plan(tuple(row for row in rows if isinstance(row, GradientRow)), seeds=1)
    found += Reproduction(swept, store, processes=1, on_done=done.append).rows()
    assert sorted(row.title for row in found) == sorted(row.title for row in rows)
    assert sum(done) == pytest.approx(seconds_of(whole) + seconds_of(swept))
    for row in found:
        assert row.seeds == [0]
        for result in row.arms:
            assert len(result.values) == 1


def one_row(steps: int = 2, **settings: object) -> Row:
    own = {"name": "squared_error"}
    arms = [arm("Vanilla", **settings), arm("Fisher", curvature="fisher", loss=own, **settings)]
    task = {"name": "classification", "model": {"name": "mlp", "hidden": []}, "test_images": 20}
    return Row(f"{steps} steps", (spec(task, {"name": "binary_cross_entropy"}, arms, steps, 4),))


def test_arms_are_tuned_once_and_kept(tmp_path: Path) -> None:
    plan = Plan((one_row(),), seeds=2, budget=Budget(points=2, seeds=1))
    cells = CellStore(tmp_path)
    (row,) = Reproduction(plan, cells, processes=1).rows()
    assert row.tuning is not None
    assert row.tuning.seeds == [10_000]
    assert [arm["label"] for arm in row.specs[0]["arms"]] == ["Vanilla", "Fisher"]
    assert row.specs[0]["arms"][1]["loss"]["name"] == "squared_error"
    # All runs are there, those of tuning too:
    (again,) = Reproduction(plan, cells, processes=1, stop=stopped()).rows()
    assert again.arms == row.arms
    # Without those of tuning the settings are still kept, and with other settings they are not.
    kept = kept_tunings([row])
    (third,) = Reproduction(plan, cells, processes=1, stop=stopped(), kept=kept).rows()
    assert third.tuning == row.tuning
    other = replace(plan, rows=(one_row(lr=0.5),))
    with pytest.raises(CellsStoppedError):
        list(Reproduction(other, cells, processes=1, stop=stopped(), kept=kept).rows())


def test_rows_that_are_tuned_alike_keep_their_own_steps(tmp_path: Path) -> None:
    budget = Budget(points=2, seeds=1, steps=1)
    plan = Plan((one_row(2), one_row(3)), seeds=1, budget=budget)
    done: list[float] = []
    rows = list(Reproduction(plan, CellStore(tmp_path), 1, on_done=done.append).rows())
    assert sum(done) == pytest.approx(seconds_of(plan))
    kept = kept_tunings(rows)
    assert len(kept) == 1
    again = Reproduction(plan, CellStore(tmp_path), 1, kept=kept, stop=stopped()).rows()
    assert [row.specs[0]["steps"] for row in again] == [2, 3]
    assert [row.specs[0]["arms"] for row in rows] == [rows[0].specs[0]["arms"]] * 2


def test_another_budget_tunes_again() -> None:
    specs = one_row().specs
    keys = {
        tuning_key(specs, budget)
        for budget in (Budget(2, 1), Budget(3, 1), Budget(2, 2), Budget(2, 1, steps=1))
    }
    assert len(keys) == 4
    assert tuning_key(specs, Budget(2, 1)) == tuning_key(one_row().specs, Budget(2, 1))
