"""The task of walking down a surface, by itself and as a run."""

import math
from typing import Any

import pytest
import torch

from newton_core import ExperimentSpec, build_loss, run
from newton_core.experiment.events import Evaluation, Examples, Finished, Landscape
from newton_core.tasks import SurfaceParameters, SurfaceTask


def task(seed: int = 0, surface: str = "rosenbrock", **parameters: Any) -> SurfaceTask:
    made = SurfaceTask(
        SurfaceParameters(**parameters), target_kind="none", seed=seed, device=torch.device("cpu")
    )
    made.use_loss(build_loss(surface))
    return made


def test_the_model_is_a_point_and_the_batch_lies_around_it() -> None:
    made = task(start_x=2.0, start_y=-1.0, noise=0.1)
    model = made.build_model()
    batch = made.batch(1, 2000)
    outputs = model(batch.inputs).detach()
    assert batch.target is None
    torch.testing.assert_close(outputs.mean(0), torch.tensor([2.0, -1.0]), atol=0.01, rtol=0)
    torch.testing.assert_close(outputs.std(0), torch.tensor([0.1, 0.1]), atol=0.01, rtol=0)
    assert torch.equal(made.batch(1, 2000).inputs, batch.inputs)
    assert not torch.equal(made.batch(2, 2000).inputs, batch.inputs)


def test_without_noise_all_samples_are_the_point() -> None:
    made = task()
    assert not made.batch(3, 4).inputs.any()
    assert made.build_model().point.tolist() == pytest.approx([-1.2, 1.0])


def test_spread_starts_differ_by_seed_alone() -> None:
    starts = [task(seed, spread=0.5).build_model().point.tolist() for seed in (0, 0, 1)]
    assert starts[0] == starts[1] != starts[2]


def test_metrics_are_where_the_point_is() -> None:
    made = task(start_x=1.0, start_y=0.5)
    found = made.evaluate(made.build_model())
    assert found["value"].value == pytest.approx(25.0)
    assert found["distance"].value == pytest.approx(0.5)
    assert (found["x"].value, found["y"].value) == (1.0, 0.5)
    assert found["arrived"].value == 0
    near = task(start_x=1.01, start_y=1.0)
    assert near.evaluate(near.build_model())["arrived"].value == 1
    assert near.examples(near.build_model(), images=True)[0]["x"] == pytest.approx(1.01)


def test_a_surface_without_minima_knows_no_distance() -> None:
    made = task(surface="saddle")
    found = made.evaluate(made.build_model())
    assert math.isnan(found["distance"].value)
    assert found["arrived"].value == 0


def test_a_task_without_its_surface_says_so() -> None:
    made = SurfaceTask(SurfaceParameters(), target_kind="none", seed=0, device=torch.device("cpu"))
    with pytest.raises(RuntimeError, match="use_loss"):
        made.evaluate(made.build_model())


def test_a_run_on_a_surface() -> None:
    spec = ExperimentSpec.model_validate(
        {
            "task": {"name": "surface"},
            "loss": {"name": "rosenbrock"},
            "arms": [
                {"optimizer": "sgd", "lr": 1e-3},
                {"optimizer": "sgd", "lr": 1.0, "curvature": "hessian", "tikhonov": 1e-3,
                 "definiteness": "saddle_free"},
            ],
            "steps": 60, "batch_size": 2, "evaluate_every": 30, "landscape_every": 30,
        }
    )  # fmt: skip
    events = list(run(spec))
    assert isinstance(events[-1], Finished), events[-1]
    vanilla, newton = events[-1].summary.arms
    assert newton.metrics["arrived"] == 1
    assert vanilla.metrics["arrived"] == 0
    last = [e for e in events if isinstance(e, Evaluation) and e.arm == 1][-1]
    where = (last.model_extra or {})["x"], (last.model_extra or {})["y"]
    assert where == pytest.approx((1.0, 1.0), abs=0.05)
    (shown,) = [e for e in events if isinstance(e, Examples)][-1].model_dump()["items"]
    assert shown["value"] < 1e-2

    slices = [e for e in events if isinstance(e, Landscape)]
    assert len(slices) == 6
    first = slices[0]
    assert (first.grid["a"][0], first.grid["a"][-1]) == (-2, 2)
    assert (first.grid["b"][0], first.grid["b"][-1]) == (-1, 3)
    heights = build_loss("rosenbrock")(
        torch.tensor([[first.grid["a"][3], first.grid["b"][11]]]), None
    )
    assert first.values[11][3] == pytest.approx(heights.item(), rel=1e-5)
    assert all(e.values == first.values for e in slices), "one surface for all arms and steps"
    a, b, step = slices[-1].trajectory[-1]
    assert (a, b) == pytest.approx(where, abs=1e-5)
    assert step == 60
    assert slices[-1].trajectory[0] == pytest.approx([-1.2, 1.0, 0])
    assert slices[-1].residual == pytest.approx(0.0, abs=1e-6)
