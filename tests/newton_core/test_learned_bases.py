"""What a Newton loss does where more than a network is learned through its base."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from newton_core import NewtonLoss, build_loss, inject_fisher, newton_direction
from tests.newton_core.curvature.cases import normal
from tests.newton_core.test_newton import over_options, quartic


class Tempered(nn.Module):
    """A base with a learned temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))

    def forward(self, y: Tensor, target: Tensor) -> Tensor:
        return torch.cosh((y - target) / self.temperature).sum(1)


@over_options
def test_what_else_the_base_learns_gets_the_plain_gradient(options: dict[str, Any]) -> None:
    base = Tempered()
    y, target = normal(5, 3).requires_grad_(True), normal(5, 3, seed=1).requires_grad_(True)
    expected = torch.autograd.grad(base(y, target).mean(), (base.temperature, target))
    direction = newton_direction(base, y, target, **options)
    for learner in (base, lambda y, t: base(y, t)):
        value = NewtonLoss(learner, **options)(y, target)
        found = torch.autograd.grad(3 * value, (base.temperature, target, y))
        assert_close(found, (*(3 * g for g in expected), 3 * direction / 5))
        assert_close(value.detach(), direction.square().sum() / 10)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("squared_error", normal(5, 3)),
        ("binary_cross_entropy", normal(5, 3).sigmoid()),
        ("neuralsort", torch.eye(3).double().expand(5, 3, 3).clone()),
        ("cauchy_dsn", torch.eye(3).double().expand(5, 3, 3).clone()),
    ],
)
def test_a_target_that_is_learned_gets_its_gradient_or_an_error(name: str, target: Tensor) -> None:
    base, y = build_loss(name), normal(5, 3, seed=2).requires_grad_(True)
    target.requires_grad_(True)
    plain = base(y.detach(), target).mean()
    if not plain.requires_grad:
        with pytest.raises(ValueError, match="takes it for a constant: detach it"):
            NewtonLoss(base)(y, target)
        return
    (expected,) = torch.autograd.grad(plain, target)
    (found,) = torch.autograd.grad(NewtonLoss(base)(y, target), target)
    assert_close(found, expected)


def test_a_learned_tensor_inside_a_target_gets_its_gradient_or_an_error() -> None:
    y, near = normal(5, 3).requires_grad_(True), normal(5, 3, seed=1).requires_grad_(True)

    def paired(y: Tensor, target: Any) -> Tensor:
        near, far = target["places"]
        return (y - near).square().sum(1) + torch.cosh(y - far).sum(1)

    def blind(y: Tensor, target: Any) -> Tensor:
        near, far = target["places"]
        return paired(y, {"places": (near.detach(), far)})

    target = {"places": (near, normal(5, 3, seed=2))}
    (expected,) = torch.autograd.grad(paired(y, target).mean(), near)
    (found,) = torch.autograd.grad(NewtonLoss(paired)(y, target), near)
    assert_close(found, expected)
    with pytest.raises(ValueError, match="the base takes it for a constant"):
        NewtonLoss(blind)(y, target)


@pytest.mark.parametrize("name", ["perturbed_fy", "smoothed_algorithm", "bellman_ford"])
def test_a_learned_path_is_refused(name: str) -> None:
    y = normal(2, 3, 3).abs().requires_grad_(True)
    target = torch.eye(3).double().expand(2, 3, 3).clone().requires_grad_(True)
    with pytest.raises(ValueError, match="takes it for a constant: detach it"):
        NewtonLoss(build_loss(name), curvature="fisher")(y, target)


def test_a_newton_loss_is_differentiated_once() -> None:
    y = normal(5, 3).requires_grad_(True)
    for value in (
        NewtonLoss(quartic)(y),
        NewtonLoss(quartic, curvature="none")(y).exp(),
        quartic(inject_fisher(y), None).mean(),
    ):
        (gradient,) = torch.autograd.grad(value, y, create_graph=True)
        assert torch.isfinite(gradient).all()
        with pytest.raises(RuntimeError, match="a Newton loss is differentiated once"):
            gradient.square().sum().backward()
