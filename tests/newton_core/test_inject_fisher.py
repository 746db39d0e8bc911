"""The Fisher as a hook in the backward pass, against the Newton loss that it stands for."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from newton_core import CurvatureError, NewtonLoss, build_loss, inject_fisher
from tests.newton_core.curvature.cases import normal


@pytest.mark.parametrize("shape", [(3, 6), (20, 4), (5, 2, 3), (7,)])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_inject_fisher_equals_the_fisher_newton_loss(
    shape: tuple[int, ...], reduction: Any
) -> None:
    target = normal(*shape, seed=1)
    base = build_loss("squared_error")
    y = normal(*shape).requires_grad_(True)
    injected = inject_fisher(y, tikhonov=0.1, reduction=reduction)
    assert torch.equal(injected, y)
    getattr(base(injected, target), reduction)().backward()
    z = normal(*shape).requires_grad_(True)
    NewtonLoss(base, curvature="fisher", tikhonov=0.1)(z, target).backward()
    assert z.grad is not None
    assert_close(y.grad, z.grad if reduction == "mean" else z.grad * len(z))


def test_inject_fisher_has_the_papers_formulas() -> None:
    """Written out on g, the gradient that arrives, rather than on per-sample gradients."""
    N, m, tikhonov = 12, 3, 0.1
    g = normal(N, m)
    identity = torch.eye(m).double()
    for reduction, system in (
        ("mean", N * g.mT @ g + tikhonov * identity),
        ("sum", g.mT @ g / N + tikhonov * identity),
    ):
        y = torch.zeros(N, m, dtype=torch.float64, requires_grad=True)
        inject_fisher(y, tikhonov, reduction).backward(g)
        assert_close(y.grad, g @ torch.linalg.inv(system))


def test_inject_fisher_reaches_the_parameters() -> None:
    network = nn.Linear(4, 3).double()
    twin = copy.deepcopy(network)
    inputs, target = normal(20, 4), torch.arange(20) % 3
    base = build_loss("cross_entropy")
    base(inject_fisher(network(inputs), tikhonov=0.1), target).mean().backward()
    NewtonLoss(base, curvature="fisher", tikhonov=0.1)(twin(inputs), target).backward()
    for mine, other in zip(network.parameters(), twin.parameters(), strict=True):
        assert_close(mine.grad, other.grad)


def test_inject_fisher_leaves_outputs_alone_that_need_no_gradient() -> None:
    y = normal(5, 3)
    assert torch.equal(inject_fisher(y), y)
    assert not inject_fisher(y).requires_grad


def test_inject_fisher_refuses_gradients_that_are_not_finite() -> None:
    y = normal(5, 3).requires_grad_(True)
    with pytest.raises(CurvatureError, match="gradient of 1 of 5 samples, first of sample 1"):
        (inject_fisher(y)[1] * math.inf).sum().backward()


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("y", "arguments", "complaint"),
    [
        (torch.ones(0, 3), {}, "at least one sample"),
        (torch.ones(3, 2), {"tikhonov": 0.0}, "positive finite number"),
        (torch.ones(3, 2), {"reduction": "none"}, "unknown reduction 'none'; use one of mean, sum"),
    ],
)
def test_inject_fisher_explains_bad_arguments(
    y: Tensor, arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        inject_fisher(y, **arguments)


def test_what_half_precision_cannot_hold_is_refused() -> None:
    y = torch.zeros(1, 2, dtype=torch.float16, requires_grad=True)
    with pytest.raises(CurvatureError, match=r"too large for torch\.float16"):
        (inject_fisher(y, tikhonov=1e-12) * 1e-6).sum().backward()
