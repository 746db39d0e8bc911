"""The step that an arm takes next, against what the run logged when it took it."""

import math
from pathlib import Path

import pytest

from newton_core import run
from newton_core.experiment.events import Metrics
from newton_core.training.landscapes.history import RunHistory
from newton_core.training.landscapes.steps import StepSettings, step_seen
from tests.newton_core.training.specs import small_spec

Logged = dict[tuple[int, int, str], float | None]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunHistory, Logged]:
    folder = Path(tmp_path_factory.mktemp("snapshots"))
    spec = small_spec(changes=[{"step": 10, "arm": 1, "tikhonov": 5.0}])
    logged: Logged = {}
    for event in run(spec, snapshots=folder):
        if isinstance(event, Metrics):
            for name, values in event.values.items():
                for step, value in zip(event.steps, values, strict=True):
                    logged[event.arm, step, name] = value
    return RunHistory(spec, folder), logged


@pytest.mark.parametrize("arm", [1, 2])
@pytest.mark.parametrize("step", [0, 8, 16])
def test_the_angle_is_the_one_that_the_run_logs(
    trained: tuple[RunHistory, Logged], arm: int, step: int
) -> None:
    history, logged = trained
    seen = step_seen(history, StepSettings(arm=arm, step=step, points=21))
    assert (seen.step, seen.samples, seen.shape) == (step, 8, (5,))
    change = seen.plane.batch_change
    assert change is not None
    cosine = logged[arm, step + 1, "cosine"]
    assert math.cos(math.radians(change.degrees)) == pytest.approx(cosine, abs=1e-5)
    largest = logged[arm, step + 1, "largest_gradient_norm"]
    assert seen.plane.gradient_norm == pytest.approx(largest, rel=1e-5)


def test_the_damping_is_that_of_the_snapshot_unless_another_is_asked(
    trained: tuple[RunHistory, Logged],
) -> None:
    history, _ = trained
    own = [
        step_seen(history, StepSettings(arm=1, step=step, points=21)).plane.tikhonov
        for step in (8, 12)
    ]
    assert own == [0.1, 5.0]
    asked = step_seen(history, StepSettings(arm=1, step=12, tikhonov=50.0, earlier=5.0, points=21))
    assert asked.plane.before is not None
    assert asked.plane.before.ratio < 0.5
    assert asked.plane.earlier is not None


def test_an_arm_without_curvature_takes_the_gradient(trained: tuple[RunHistory, Logged]) -> None:
    seen = step_seen(trained[0], StepSettings(arm=0, step=8, points=21))
    assert seen.plane.step is None
    with pytest.raises(ValueError, match="no arm 3"):
        step_seen(trained[0], StepSettings(arm=3))
