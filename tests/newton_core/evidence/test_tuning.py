"""Tuning: one budget for all arms, tuning seeds alone, and the better setting is found."""

from pathlib import Path

import pytest

from newton_core.evidence import CellStore, SeedError, check_report_seeds, tune
from newton_core.evidence.tuning import MOST_BUDGET
from newton_core.experiment.spec import ExperimentSpec

SPEC = ExperimentSpec.model_validate(
    {
        "task": {"name": "surface", "start_x": 1.5, "start_y": 1.0},
        "loss": {"name": "himmelblau"},
        "arms": [
            {"lr": 0.001, "optimizer": "sgd"},
            {"gradient": "clip", "lr": 0.001, "optimizer": "sgd"},
            {"curvature": "hessian", "lr": 0.001, "optimizer": "sgd", "component": "direction"},
        ],
        "steps": 60,
        "batch_size": 1,
    }
)


def test_every_arm_has_the_same_budget_and_the_best_is_found(
    tmp_path: Path,
) -> None:
    found = tune(SPEC, budget=9, seeds=(10_000,), store=CellStore(tmp_path), processes=1)
    for arm in found.arms:
        tried = {tuple(sorted(trial.settings.items())) for trial in arm.trials}
        assert len(tried) == len(arm.trials) == 9
        assert arm.best.mean == max(trial.mean for trial in arm.trials)
    vanilla = found.arms[0].best
    assert vanilla.mean == 1.0  # it arrives
    assert vanilla.settings["lr"] > SPEC.arms[0].lr  # which it does not at its own rate
    assert [set(arm.best.settings) for arm in found.arms] == [
        {"lr"},
        {"lr", "clip_norm"},
        {"lr", "tikhonov"},
    ]
    assert [arm.lr for arm in found.spec.arms] == [arm.best.settings["lr"] for arm in found.arms]
    again = tune(SPEC, budget=9, seeds=(10_000,), store=CellStore(tmp_path), processes=1)
    assert (again.arms, again.spec) == (found.arms, found.spec)
    assert again.cell_seconds == pytest.approx(found.cell_seconds), "of all sittings"
    assert again.seconds < again.cell_seconds


def test_data_with_a_validation_part_are_tuned_by_it(tmp_path: Path) -> None:
    record = {
        "task": {"name": "ranking", "n": 3, "test_sets": 10, "data": {"name": "digits"}},
        "loss": {"name": "neuralsort"},
        "arms": [{"lr": 0.001}],
        "steps": 2,
        "batch_size": 2,
    }
    for more, prefix in (({}, ""), ({"validation_share": 0.1}, "validation_")):
        spec, store = ExperimentSpec.model_validate({**record, **more}), CellStore(tmp_path)
        found = tune(spec, budget=2, seeds=(10_000,), store=store, processes=1)
        assert found.metric.name == f"{prefix}exact_match"


def test_a_large_budget_finds_room_for_a_learning_rate_alone(tmp_path: Path) -> None:
    arm = {"lr": 1e3, "optimizer": "sgd"}  # the largest that there is: the room is on one side
    record = {**SPEC.model_dump(mode="json"), "arms": [arm], "steps": 1}
    spec, store = ExperimentSpec.model_validate(record), CellStore(tmp_path)
    (found,) = tune(spec, budget=MOST_BUDGET, seeds=(10_000,), store=store, processes=1).arms
    assert len({tuple(trial.settings.items()) for trial in found.trials}) == MOST_BUDGET
    with pytest.raises(ValueError, match="a budget of 65 is too large"):
        tune(spec, budget=MOST_BUDGET + 1, store=store)


def test_report_seeds_choose_nothing_and_tuning_seeds_claim_nothing(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="seed 3 is for reports"):
        tune(SPEC, seeds=(10_000, 3), store=CellStore(tmp_path))
    with pytest.raises(SeedError, match="seed 10000 may have chosen"):
        check_report_seeds([0, 10_000])
