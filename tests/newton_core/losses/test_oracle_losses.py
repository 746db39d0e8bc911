"""The three estimators with every oracle, against expectations over all of its answers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.autograd.functional import hessian, jacobian

from newton_core import ExperimentSpec, NewtonLoss
from newton_core.algorithms.oracles import SpanningTree
from newton_core.losses import build_loss
from tests.newton_core.algorithms.oracle_cases import CASES, OracleCase
from tests.newton_core.losses.path_cases import seeded_loss

SIGMA, STEP, DRAWS, COPIES, SAMPLES = 0.8, 0.15, 40_000, 60, 400
LOSSES = ["perturbed_fy", "smoothed_loss", "smoothed_algorithm"]


class Exact:
    """Expectations and their central differences, with one set of noise for all points."""

    def __init__(self, case: OracleCase) -> None:
        generator = torch.Generator().manual_seed(5)
        self.y = case.draw(1, generator)
        if case.name == "shortest_path":
            self.y += 4.0  # far from the clamp
        self.every = case.answers().flatten(1)
        self.target = self.every[1]
        half = torch.randn((DRAWS // 2, self.y.numel()), generator=generator).double()
        self.noise = torch.cat((half, -half)) * SIGMA
        self.answer, self.wrong = self.at(self.y.flatten())
        ahead, behind = self._moved(STEP), self._moved(-STEP)
        self.jacobian = torch.stack(
            [(a[0] - b[0]) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)], dim=1
        )
        self.slope = torch.stack(
            [(a[1] - b[1]) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)]
        )

    def at(self, y: Tensor) -> tuple[Tensor, Tensor]:
        found = self.every[((y + self.noise) @ self.every.T).argmin(dim=1)]
        return found.mean(dim=0), (found - self.target).abs().sum(dim=1).mean()

    def _moved(self, step: float) -> list[tuple[Tensor, Tensor]]:
        flat = self.y.flatten()
        return [self.at(flat + step * one) for one in torch.eye(len(flat)).double()]

    def estimates(self, case: OracleCase, name: str, **parameters: object):
        loss = seeded_loss(name, oracle=case.record(), sigma=SIGMA, samples=SAMPLES, **parameters)
        shape = (COPIES, *case.shape)
        return loss.derivatives(self.y.expand(shape), self.target.view(case.shape).expand(shape))


def assert_near(estimates: Tensor, expected: Tensor) -> None:
    """The mean is the expected one, within its standard error and that of the differences."""
    error = estimates.std(dim=0) / COPIES**0.5
    off = (estimates.mean(dim=0) - expected).abs()
    assert (off <= 5 * error + 0.05 * (1 + expected.abs().max())).all(), off.max()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_estimators_are_those_of_the_expectation(case: OracleCase) -> None:
    exact = Exact(case)
    J, residual = exact.jacobian, exact.answer - exact.target
    assert J.abs().max() > 0.1, "the noise reaches other answers"

    found = exact.estimates(case, "perturbed_fy")
    assert_near(found.gradient, -residual)
    assert_near(found.hessian, -(J + J.T) / 2)

    found = exact.estimates(case, "smoothed_loss")
    assert_near(found.value, exact.wrong)
    assert_near(found.gradient, exact.slope)
    torch.testing.assert_close(found.hessian, found.hessian.mT)

    found = exact.estimates(case, "smoothed_algorithm", hessian="gauss_newton", antithetic=True)
    assert_near(found.value, residual.square().sum())
    assert_near(found.gradient, 2 * J.T @ residual)
    assert_near(found.hessian, 2 * J.T @ J)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_newton_steps_go_through_every_oracle(case: OracleCase, name: str) -> None:
    y = case.draw(6, torch.Generator().manual_seed(2)).requires_grad_(True)
    target = case.answers()[:1].expand_as(y)
    for curvature in ("hessian", "fisher"):
        y.grad = None
        loss = NewtonLoss(
            seeded_loss(name, oracle=case.record()), curvature=curvature, tikhonov=10.0
        )
        loss(y, target).backward()
        assert y.grad is not None
        assert y.grad.shape == y.shape
        assert torch.isfinite(y.grad).all()
        assert y.grad.any()


@pytest.mark.parametrize("name", LOSSES)
def test_shortest_paths_are_the_default_bit_for_bit(name: str) -> None:
    y = torch.rand(4, 3, 4, generator=torch.Generator().manual_seed(0)) + 0.5
    target = torch.ones_like(y)
    plain, named = (
        seeded_loss(name, **choice).derivatives(y, target)
        for choice in ({}, {"oracle": "shortest_path"})
    )
    assert torch.equal(plain.gradient, named.gradient)
    assert torch.equal(plain.hessian, named.hessian)
    assert build_loss(name).settings.model_dump()["oracle"] == {"name": "shortest_path"}


@pytest.mark.parametrize("name", LOSSES)
def test_only_paths_need_positive_costs(name: str) -> None:
    y, target = -torch.ones(2, 3, 3), torch.ones(2, 3, 3)
    with pytest.raises(ValueError, match="positive"):
        build_loss(name)(y, target)
    target = SpanningTree().solve(y.double())
    assert torch.isfinite(build_loss(name, oracle="spanning_tree")(y, target)).all()
    y[1, 0, 2] = float("nan")
    with pytest.raises(ValueError, match=r"finite, but sample 1 has nan at position \(0, 2\)"):
        build_loss(name, oracle="spanning_tree")(y, target)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_target_that_is_no_answer_is_one_sentence(case: OracleCase, name: str) -> None:
    loss = seeded_loss(name, oracle=case.record(), samples=2)
    y = case.draw(2, torch.Generator().manual_seed(1))
    target = case.answers()[:2].clone()
    assert torch.isfinite(loss(y, target)).all()
    target[1] = 0.5
    with pytest.raises(ValueError, match=r"^the target of sample 1 \(0\.5, 0\.5, .*: it must be"):
        loss.derivatives(y, target)
    empty = loss.derivatives(y[:0], target[:0])
    outputs = y[0].numel()
    assert empty.gradient.shape == (0, outputs)
    assert empty.hessian.shape == (0, outputs, outputs)


def test_unknown_oracles_are_refused_and_stored_specs_open() -> None:
    with pytest.raises(ValidationError, match="oracle"):
        build_loss("perturbed_fy", oracle="nothing")
    spec = {"task": {"name": "shortest_path"}, "loss": {"name": "perturbed_fy"}, "arms": [{}]}
    assert ExperimentSpec.model_validate(spec).loss.model_dump()["oracle"]["name"] == (
        "shortest_path"
    )
    with pytest.raises(ValidationError, match=r"oracle top_k does not\s+fit the task shortest_"):
        ExperimentSpec.model_validate(
            {**spec, "loss": {"name": "perturbed_fy", "oracle": {"name": "top_k", "k": 2}}}
        )


def probabilities(y: Tensor) -> Tensor:
    """How likely each of m items is the cheapest under the noise: an integral over its own cost."""
    noise, weight = np.polynomial.hermite_e.hermegauss(80)
    points, weights = torch.from_numpy(noise), torch.from_numpy(weight / weight.sum())
    dearer = torch.special.ndtr((y[None] - y[:, None])[..., None] / SIGMA - points)
    others = [dearer[i, [j for j in range(len(y)) if j != i]].prod(0) for i in range(len(y))]
    return torch.stack(others) @ weights


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("smoothed_loss", lambda found, true: 2 - 2 * (found * true).sum()),
        ("smoothed_algorithm", lambda found, true: (found - true).square().sum()),
    ],
)
def test_hessians_are_those_of_the_integral(name: str, exact: Callable[..., Tensor]) -> None:
    y, true = torch.tensor([0.3, -0.1, 0.5]).double(), torch.eye(3).double()[1]
    assert abs(probabilities(y).sum().item() - 1) < 1e-9

    def value(at: Tensor) -> Tensor:
        return exact(probabilities(at), true)

    oracle: dict[str, object] = {"name": "top_k", "k": 1}
    split = {"split_samples": True} if name == "smoothed_algorithm" else {}
    loss = seeded_loss(name, oracle=oracle, sigma=SIGMA, samples=20, antithetic=True, **split)
    copies = 20_000
    found = loss.derivatives(y.expand(copies, 3), true.expand(copies, 3))
    for estimate, expected in (
        (found.value, value(y)),
        (found.gradient, jacobian(value, y)),
        (found.hessian, hessian(value, y)),
    ):
        assert expected.abs().max() > 0.2
        error = estimate.std(dim=0) / copies**0.5
        assert ((estimate.mean(dim=0) - expected).abs() <= 5 * error).all()
