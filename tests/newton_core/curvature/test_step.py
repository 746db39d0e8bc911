"""The one Newton step: what it reads, what it refuses, and that everybody takes the same."""

import copy
import dataclasses
from itertools import product
from typing import Any, get_args

import pytest
import torch

from newton_core import NewtonLoss, NewtonStep, newton_direction
from newton_core.curvature import (
    Curvature,
    Definiteness,
    HessianKind,
    fisher_direction,
    hessian_direction,
)
from newton_core.experiment.spec import ExperimentSpec
from newton_core.losses import Derivatives, build_loss
from newton_core.losses.plain import derivatives_of
from newton_core.training.arm import Arm, build_spec_loss
from newton_core.training.context import RunContext
from tests.newton_core.curvature.cases import normal, symmetric

STEPS = [
    NewtonStep("none"),
    NewtonStep("fisher", 0.3),
    *(
        NewtonStep("hessian", 0.3, hessian, definiteness)
        for hessian, definiteness in product(get_args(HessianKind), get_args(Definiteness))
    ),
]


def batch(**fields: Any) -> Derivatives:
    return dataclasses.replace(
        Derivatives(normal(3), normal(3, 2, seed=1), symmetric(3, 2)), **fields
    )


def test_each_curvature_has_its_direction() -> None:
    derivatives = batch()
    G, H = derivatives.gradient, derivatives.hessian
    assert H is not None
    assert NewtonStep("none").direction(derivatives) is G
    assert torch.equal(NewtonStep("fisher").direction(derivatives), fisher_direction(G, 0.1))
    assert torch.equal(
        NewtonStep("hessian", 0.1, "per_sample", "clip").direction(derivatives),
        hessian_direction(G, H, 0.1, "per_sample", "clip"),
    )


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"curvature": "newton"}, "unknown curvature 'newton'; use one of none, hessian, fisher"),
        ({"hessian": "each"}, "unknown hessian 'each'; use one of batch_mean, per_sample"),
        ({"definiteness": "abs"}, "unknown definiteness 'abs'; use one of raw, clip, saddle_free"),
        ({"curvature": "none", "tikhonov": 0.0}, "positive finite number, got 0.0"),
    ],
)
def test_bad_settings_are_refused_at_once(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        NewtonStep(**fields)
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(NewtonStep(), **fields)


def test_a_step_never_changes() -> None:
    step = NewtonStep()
    for name in vars(step):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(step, name, getattr(step, name))


def test_only_the_hessian_needs_a_hessian() -> None:
    assert {c: NewtonStep(c).need for c in get_args(Curvature)} == {
        "none": "gradient", "hessian": "hessian", "fisher": "gradient",
    }  # fmt: skip
    loss, y = build_loss("rosenbrock"), normal(3, 2)
    assert derivatives_of(loss, y, need="gradient").hessian is None
    assert derivatives_of(loss.forward, y, need="gradient").hessian is None
    with pytest.raises(ValueError, match=r"ask for derivatives\(y, target, hessian=True\)"):
        NewtonStep().direction(batch(hessian=None))


RANKING = {
    "task": {"name": "ranking", "n": 4, "test_sets": 2, "model": {"name": "mlp"}},
    "loss": {"name": "neuralsort"},
}
CLASSES = {
    "task": {"name": "classification", "test_images": 2},
    "loss": {"name": "cross_entropy"},
}
VALUES = CLASSES | {"loss": {"name": "binary_cross_entropy"}}


@pytest.fixture(
    scope="module", params=[RANKING, CLASSES, VALUES], ids=lambda fields: fields["loss"]["name"]
)
def context(request: pytest.FixtureRequest) -> RunContext:
    """A task and a loss; of these, the cross-entropies know a short cut per sample."""
    arms = [{"curvature": "none"}]
    spec = ExperimentSpec.model_validate({**request.param, "arms": arms, "batch_size": 6})
    return RunContext(spec)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: "-".join(map(str, vars(step).values())))
def test_a_run_takes_the_step_of_the_public_function(context: RunContext, step: NewtonStep) -> None:
    """Bit for bit: the weights' gradients of a run's update are those of newton_direction."""
    settings = context.spec.arms[0].model_copy(update=dataclasses.asdict(step))
    spec = context.spec.model_copy(update={"arms": (settings,)})
    arm = Arm(spec, 0, copy.deepcopy(context.initial))
    arm.update(context.batch(1), 1, observe=False)

    network, data = copy.deepcopy(context.initial), context.batch(1)
    y = network(data.inputs)
    direction = newton_direction(
        build_spec_loss(spec.loss), y, data.target, **dataclasses.asdict(step)
    )
    y.backward(direction / len(y))
    for trained, expected in zip(arm.model.parameters(), network.parameters(), strict=True):
        assert trained.grad is not None
        assert expected.grad is not None
        assert torch.equal(trained.grad, expected.grad)


def test_a_newton_loss_takes_its_present_step() -> None:
    loss = NewtonLoss(build_loss("rosenbrock"), curvature="fisher", tikhonov=0.5)
    assert loss.step == NewtonStep("fisher", 0.5)
    loss.tikhonov = 2.0
    assert loss.step == NewtonStep("fisher", 2.0)
