"""Whole runs on maps: every loss under every curvature, repeated and resumed."""

from pathlib import Path
from typing import Any

import pytest

from newton_core.data import load_terrain
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.run import run
from tests.newton_core.training.parallel.arm_workers import PatientArmWorker

ARMS = [{}, {"curvature": "hessian", "tikhonov": 10.0}, {"curvature": "fisher", "tikhonov": 0.1}]
LOSSES = [
    {"name": "perturbed_fy", "samples": 3},
    {"name": "smoothed_loss", "samples": 4, "antithetic": True},
    {"name": "smoothed_algorithm", "samples": 4, "split_samples": True},
    {"name": "bellman_ford"},
    {"name": "bellman_ford", "loop": "while", "distance": "l2"},
]


@pytest.fixture(autouse=True, scope="module")
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        load_terrain.cache_clear()
        yield
        load_terrain.cache_clear()


def spec(loss: dict[str, Any], size: int = 4, **fields: Any) -> ExperimentSpec:
    data = {"name": "terrain", "height": size, "width": size, "train_maps": 30, "test_maps": 10}
    record = {
        "task": {"name": "shortest_path", "data": data, **fields.pop("task", {})},
        "loss": loss,
        "arms": ARMS,
        "steps": 4,
        "batch_size": 5,
        "evaluate_every": 2,
        **fields,
    }
    return ExperimentSpec.model_validate(record)


def numbers(events: list[Any]) -> list[Any]:
    """All that a run says, without the clock, which also cuts its metrics into events."""
    said: list[Any] = []
    for event in events:
        if event.type == "metrics":
            for name, values in event.values.items():
                if name != "seconds":
                    said += [
                        (event.arm, step, name, value)
                        for step, value in zip(event.steps, values, strict=True)
                    ]
        elif event.type not in ("started", "finished", "snapshot"):
            said.append((event.arm, event.step, event.type, event.model_dump(exclude={"seq"})))
    return sorted(said, key=lambda record: record[:3])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: "-".join(map(str, loss.values())))
def test_every_loss_runs_under_every_curvature(
    loss: dict[str, Any], arm_worker: PatientArmWorker
) -> None:
    wanted = spec(loss, landscape_every=2)
    events = list(run(wanted))
    assert events[-1].type == "finished"
    assert [arm.status for arm in events[-1].summary.arms] == ["completed"] * 3
    for event in events:
        if event.type == "metrics":
            for name in ("loss", "largest_gradient_norm", "direction_norm"):
                assert None not in event.values[name]
        if event.type == "curvature":
            assert event.fisher is not None
            # a costly Hessian is measured for the arm that trains with it only
            assert (event.hessian is not None) == (loss["name"] != "bellman_ford" or event.arm == 1)
        if event.type == "examples":
            assert len(event.items) == 4
    assert numbers(events) == numbers(list(run(wanted, workers=[arm_worker])))


def test_the_seed_seeds_the_noise() -> None:
    loss = {"name": "perturbed_fy", "samples": 3}
    first = numbers(list(run(spec(loss, steps=1))))
    assert first == numbers(list(run(spec(loss, steps=1))))
    assert first != numbers(list(run(spec(loss, steps=1, seed=1))))


@pytest.mark.parametrize("model", ["tile_cnn", "resnet18_block"])
def test_a_run_goes_on_from_a_snapshot_bit_for_bit(tmp_path: Path, model: str) -> None:
    wanted = spec({"name": "perturbed_fy", "samples": 3}, task={"model": {"name": model}})
    whole = list(run(wanted, snapshots=tmp_path))
    snapshot = next(e for e in whole if e.type == "snapshot" and e.step == 2)
    rest = list(run(wanted, start=tmp_path / snapshot.file))
    last = [e for e in whole if e.type == "evaluation" and e.step == 4]
    assert numbers(last) == numbers([e for e in rest if e.type == "evaluation" and e.step == 4])
    assert len(last) == 3


def test_learns_to_find_the_way() -> None:
    """From no path right to most of them, in 60 steps on small maps."""
    events = list(
        run(
            ExperimentSpec.model_validate(
                {
                    "task": {
                        "name": "shortest_path",
                        "data": {"name": "terrain", "height": 6, "width": 6, "train_maps": 400},
                    },
                    "loss": {"name": "perturbed_fy", "samples": 3},
                    "arms": [{"lr": 0.01}],
                    "steps": 60,
                    "batch_size": 40,
                    "evaluate_every": 60,
                }
            )
        )
    )
    start, end = (e.optimal for e in events if e.type == "evaluation")
    assert start < 0.1
    assert end > 0.5


def test_the_damping_grows_where_the_loss_is_not_defined_at_the_target() -> None:
    """Costs are positive, and a step with so little damping would make them negative."""
    arm = {"curvature": "fisher", "tikhonov_rule": "levenberg_marquardt", "tikhonov": 1e-9}
    said = list(run(spec({"name": "perturbed_fy", "samples": 3}, arms=[arm])))
    metrics = [event for event in said if event.type == "metrics"]
    dampings = [value for event in metrics for value in event.values["tikhonov"]]
    assert dampings == pytest.approx([1e-9, 2e-9, 4e-9, 8e-9])
