"""Arms that are controls of another: what they send back into the network is what they say."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from newton_core.experiment.spec import ExperimentSpec
from newton_core.metrics import METRIC_NAMES
from newton_core.training.arm import Arm, Observation
from newton_core.training.context import RunContext
from tests.newton_core.training.specs import small_spec


def first_update(context: RunContext, settings: dict[str, Any]) -> tuple[Tensor, Observation]:
    """The weights' gradient of one update, and what it saw."""
    record = context.spec.model_dump() | {"arms": [settings]}
    arm = Arm(ExperimentSpec.model_validate(record), 0, copy.deepcopy(context.initial))
    seen = arm.update(context.batch(1), 1, observe=True)
    grads = [p.grad for p in arm.model.parameters()]
    return torch.cat([grad.flatten() for grad in grads if grad is not None]).double(), seen


def metric(seen: Observation, name: str) -> float:
    assert seen.metrics is not None
    return seen.metrics[METRIC_NAMES.index(name)]


@pytest.mark.parametrize(
    "newton",
    [
        {"curvature": "hessian", "definiteness": "clip"},
        {"curvature": "hessian", "hessian": "per_sample", "definiteness": "saddle_free"},
        {"curvature": "fisher", "tikhonov": 0.01},
    ],
    ids=["batch_mean", "per_sample", "fisher"],
)
def test_a_runs_components_have_the_norms_and_directions_that_they_say(
    newton: dict[str, Any],
) -> None:
    context = RunContext(small_spec())
    plain, gradient = first_update(context, {})
    full, newtons = first_update(context, newton)
    length, longer = first_update(context, newton | {"component": "length"})
    direction, turned = first_update(context, newton | {"component": "direction"})

    # the network is linear in what is sent back: one factor for the batch is one for the weights
    for component, kept in ((length, plain), (direction, full)):
        cosine = torch.nn.functional.cosine_similarity(component, kept, dim=0).item()
        assert cosine == pytest.approx(1.0, abs=1e-6)
    newton_loss = metric(newtons, "newton_loss")  # half the mean square of the direction's norms
    assert metric(longer, "newton_loss") == pytest.approx(newton_loss, rel=1e-4)
    assert metric(longer, "cosine") == pytest.approx(1.0, abs=1e-6)
    assert metric(turned, "cosine") == pytest.approx(metric(newtons, "cosine"), abs=1e-6)

    each = newton | {"component": "direction", "component_of": "sample"}
    _, every = first_update(context, each)
    mean_norm = metric(gradient, "output_gradient_norm")
    assert metric(every, "direction_norm") == pytest.approx(mean_norm, rel=1e-5)
