"""How often a training step waits for a GPU: counted on a stand-in for one."""

import copy
import functools
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from newton_core.conditions import at_once
from newton_core.curvature.fisher import fisher_direction
from newton_core.experiment.spec import ExperimentSpec
from newton_core.losses import build_loss
from newton_core.losses.base import Derivatives, Loss
from newton_core.losses.cross_entropy import CrossEntropy
from newton_core.tasks import Batch
from newton_core.training.arm import Arm, DivergedError
from newton_core.training.context import RunContext
from tests.newton_core.stand_in import StandIn, on_device, stand_in
from tests.newton_core.training.specs import small_record

RANKING = {"name": "ranking", "n": 5, "test_sets": 50, "model": {"name": "mlp"}}
DRIVING = {"name": "trajectory", "steps": 8, "model": {"name": "mlp", "hidden": [16]}}
CLASSES = {"name": "classification", "model": {"name": "mlp"}}
PROBLEMS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "neuralsort": (RANKING, {"name": "neuralsort"}),
    "neuralsort bce": (RANKING, {"name": "neuralsort", "numerics": "bce_loss"}),
    "cauchy": (RANKING, {"name": "cauchy_dsn"}),
    "cauchy bce": (RANKING, {"name": "cauchy_dsn", "numerics": "bce_loss"}),
    "trajectory": (DRIVING, {"name": "trajectory", "way_points": 3}),
    "drag": (DRIVING, {"name": "trajectory", "drag": 0.1}),
    "heat": ({"name": "heat"}, {"name": "heat"}),
    "cross_entropy": (CLASSES, {"name": "cross_entropy"}),
}
HESSIAN: dict[str, Any] = {"curvature": "hessian", "tikhonov": 1.0}
ARMS: dict[str, dict[str, Any]] = {
    "adam": {},
    "sgd": {"optimizer": "sgd", "momentum": 0.9, "lr": 0.01},
    "clip": {"gradient": "clip"},
    "hessian": HESSIAN,
    "per sample": {**HESSIAN, "hessian": "per_sample"},
    "direction": {**HESSIAN, "component": "direction"},
    "fisher": {"curvature": "fisher"},
}


def spec_of(problem: str, arm: dict[str, Any]) -> ExperimentSpec:
    task, loss = PROBLEMS[problem]
    return ExperimentSpec.model_validate(small_record(task=task, loss=loss, arms=[arm]))


@functools.cache
def context_of(problem: str) -> RunContext:
    """Batches and the initial network, the same for every arm."""
    return RunContext(spec_of(problem, {}))


class Course:
    """An arm on its batches, on the stand-in or on the CPU."""

    def __init__(self, problem: str, arm: dict[str, Any], *, there: bool = True) -> None:
        self.context = context_of(problem)
        self.there = there
        model = copy.deepcopy(self.context.initial)
        self.arm = Arm(spec_of(problem, arm), 0, on_device(model) if there else model)

    def batch(self, step: int) -> Batch:
        batch = self.context.batch(step)
        if not self.there:
            return batch
        target = None if batch.target is None else StandIn(batch.target)
        return Batch(StandIn(batch.inputs), target)

    def update(self, step: int) -> None:
        self.arm.update(self.batch(step), step, observe=False)

    def weights(self) -> list[Tensor]:
        parameters = self.arm.model.parameters()
        return [
            (p.data.plain if isinstance(p.data, StandIn) else p.data).clone() for p in parameters
        ]


def waits(course: Course, steps: int = 4) -> list[int]:
    """How often each update waits, its batch being there."""
    found = []
    with stand_in() as counted:
        for step in range(1, steps + 1):
            batch = course.batch(step)
            before = counted.total()
            course.arm.update(batch, step, observe=False)
            found.append(counted.total() - before)
    return found


def on_stand_in(problem: str, arm: dict[str, Any]) -> Course:
    with stand_in():
        return Course(problem, arm)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("arm", ARMS)
def test_an_update_waits_once(problem: str, arm: str) -> None:
    # a sorting network bends both ways: which samples are to be solved otherwise is one read more
    expected = 2 if "cauchy" in problem and arm == "per sample" else 1
    assert waits(on_stand_in(problem, ARMS[arm]))[1:] == [expected] * 3  # the first fills caches


def test_an_update_waits_for_its_eigenvalues_too() -> None:
    """torch looks at the error code of a decomposition."""
    course = on_stand_in("neuralsort", {**HESSIAN, "definiteness": "saddle_free"})
    assert waits(course)[1:] == [2, 2, 2]


def test_indefinite_hessians_wait_again_only_where_they_have_changed() -> None:
    damped = {**HESSIAN, "tikhonov": 1e-3}
    found = waits(on_stand_in("cauchy", damped), steps=12)
    assert set(found[1:]) == {1, 2}
    each = waits(on_stand_in("cauchy", {**damped, "hessian": "per_sample"}), steps=12)
    assert each[2:] == [2] * 10


@pytest.mark.parametrize(("rule", "most"), [("relative", 3), ("levenberg_marquardt", 8)])
def test_rules_that_need_a_number_wait_for_it(rule: str, most: int) -> None:
    course = on_stand_in("neuralsort", {**HESSIAN, "tikhonov_rule": rule})
    assert max(waits(course)[1:]) <= most


@pytest.mark.parametrize("problem", ["neuralsort", "cauchy", "drag"])
@pytest.mark.parametrize("kind", ["batch_mean", "per_sample"])
def test_numbers_are_those_of_checks_made_at_once(
    problem: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = {**HESSIAN, "hessian": kind, "tikhonov": 1e-3}
    with stand_in():
        expected, plain = Course(problem, arm), Course(problem, arm)
        monkeypatch.setattr(plain.arm._expectations, "meet", lambda work, _: at_once(work))
        for step in range(1, 13):
            expected.update(step)
            plain.update(step)
    assert all(map(torch.equal, expected.weights(), plain.weights()))


@pytest.mark.parametrize("largest", [1.0, 1e6])
def test_fisher_steps_there_are_those_of_the_cpu(largest: float) -> None:
    gradient = torch.randn(40, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gradient[3] *= largest
    with stand_in() as counted:
        there = fisher_direction(StandIn(gradient), 0.1)
        assert 1 <= counted.total() <= 3
    assert isinstance(there, StandIn)
    torch.testing.assert_close(there.plain, fisher_direction(gradient, 0.1), rtol=1e-9, atol=0)


class Spoilt(Loss):
    """Squared distances whose derivatives are spoilt."""

    def __init__(self, *spoilt: str) -> None:
        super().__init__()
        self.spoilt = spoilt

    def forward(self, y: Tensor, target: Tensor | None = None) -> Tensor:
        return y.square().flatten(1).sum(1) / 2

    def derivatives(
        self, y: Tensor, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        if "refused" in self.spoilt and not bool((y != 0).all()):
            raise ValueError("outputs of 0, NaN or infinity")
        value, m = self(y), y[0].numel()
        identity = torch.eye(m, dtype=y.dtype, device=y.device).expand(len(y), m, m)
        found = Derivatives(value, y.flatten(1), identity if hessian else None)
        for name in ("value", "gradient", "hessian"):
            whole = getattr(found, name)
            if name in self.spoilt and whole is not None:
                found = replace(found, **{name: whole * torch.nan})
        if "singular" in self.spoilt and found.hessian is not None:
            found = replace(found, hessian=-found.hessian)
        return found


SPOILT: dict[str, tuple[list[str], str]] = {
    "outputs": (["outputs", "refused", "value", "gradient", "hessian"], "network's outputs"),
    "loss": (["value", "gradient", "hessian", "weights"], "the loss is not finite"),
    "gradient": (["gradient", "hessian", "weights"], "output gradient is not finite"),
    "curvature": (["hessian", "weights"], "the Hessian of 8 of 8 samples, first of sample 0"),
    "singular": (["singular", "weights"], "averaged over the batch is singular"),
    "weights": (["weights"], "the gradient of the weights is not finite"),
}


def diverge(what: list[str], *, there: bool) -> tuple[str, list[Tensor], list[Tensor]]:
    """The reason, and the weights before and after."""
    course = Course("neuralsort", HESSIAN, there=there)
    course.update(1)
    course.arm.run_loss = Spoilt(*what)
    if "weights" in what:  # that of the hook is the last gradient
        next(iter(course.arm.model.parameters())).register_hook(lambda g: g * torch.inf)
    if "outputs" in what:
        with torch.no_grad():
            list(course.arm.model.parameters())[-1].fill_(torch.nan)
    before = course.weights()
    state = copy.deepcopy(course.arm.recent_norms)
    with pytest.raises(DivergedError) as caught:
        course.update(2)
    assert course.arm.recent_norms == state
    assert course.arm.step == 1
    return str(caught.value), before, course.weights()


@pytest.mark.parametrize("case", SPOILT)
def test_what_diverges_says_the_same_and_leaves_the_weights(case: str) -> None:
    what, message = SPOILT[case]
    reason, *_ = diverge(what, there=False)
    with stand_in():
        there, before, after = diverge(what, there=True)
    assert message in reason
    assert there == reason
    assert all(
        torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(before, after, strict=True)
    )


BAD: dict[str, tuple[Loss, tuple[int, ...], Tensor, str]] = {
    "permutation": (build_loss("neuralsort"), (8, 5), torch.ones(8, 5, 5), "no permutation"),
    "negative": (
        build_loss("neuralsort"),
        (1, 2),
        torch.tensor([[[2.0, -1.0], [-1.0, 2.0]]]),
        "no permutation",
    ),
    "nan": (build_loss("cauchy_dsn"), (1, 2), torch.full((1, 2, 2), torch.nan), "no permutation"),
    "class": (CrossEntropy(), (8, 10), torch.arange(8) + 5, "classes"),
    "path": (build_loss("trajectory"), (8, 4, 2), torch.full((8, 4, 2), torch.nan), "not finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_targets_are_refused(case: str) -> None:
    loss, shape, target, message = BAD[case]
    with pytest.raises(ValueError, match=message) as plain:
        loss(torch.zeros(shape), target)
    with stand_in(), pytest.raises(ValueError, match=message) as there:
        loss(StandIn(torch.zeros(shape)), StandIn(target))
    assert str(there.value) == str(plain.value)


@pytest.mark.parametrize("curvature", ["none", "hessian", "fisher"])
def test_bad_targets_of_a_batch_are_refused(curvature: str) -> None:
    with stand_in():
        course = Course("cross_entropy", {"curvature": curvature})
        batch = course.batch(1)
        before = course.weights()
        with pytest.raises(ValueError, match="needs classes from 0 to"):
            course.arm.update(Batch(batch.inputs, batch.target + 5), 1, observe=False)
    assert all(map(torch.equal, before, course.weights()))


def test_a_logged_update_works_there_too() -> None:
    with stand_in():
        course = Course("neuralsort", ARMS["fisher"])
        seen = course.arm.update(course.batch(1), 1, observe=True)
    assert seen.metrics is not None
