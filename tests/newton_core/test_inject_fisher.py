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
        (torch.ones(3, 2), {"scale": 0.0}, "scale must be a positive finite number, got 0.0"),
        (torch.ones(3, 2), {"scale": math.inf}, "scale must be a positive finite number, got inf"),
        (torch.ones(3, 2), {"scale": "2"}, "scale must be a positive finite number, got '2'"),
        (torch.ones(3, 2), {"scale": True}, "scale must be a positive finite number, got True"),
        (torch.ones(3, 2), {"scale": torch.ones(2)}, "scale must be a positive finite number"),
        (torch.ones(3, 2), {"tikhonov": True}, "tikhonov must be a positive .* number, got True"),
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


# --- a factor before the loss -----------------------------------------------------------------


def case() -> tuple[nn.Linear, Tensor, Tensor]:
    """A network and a batch, the same at every call."""
    network = nn.Linear(4, 3).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(normal(*parameter.shape, seed=5))
    return network, normal(20, 4), torch.arange(20) % 3


def newton_gradient(network: nn.Linear, inputs: Tensor, target: Tensor) -> Tensor:
    """What the Fisher-Newton loss gives the weights."""
    twin = copy.deepcopy(network)
    twin.zero_grad()
    loss = NewtonLoss(build_loss("cross_entropy"), curvature="fisher", tikhonov=0.1)
    loss(twin(inputs), target).backward()
    assert twin.weight.grad is not None
    return twin.weight.grad


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0, 65536.0])
def test_a_weighted_loss_gives_its_weight_times_the_direction(reduction: Any, scale: float) -> None:
    network, inputs, target = case()
    base = build_loss("cross_entropy")
    for given in (scale, lambda: scale):
        network.zero_grad()
        y = inject_fisher(network(inputs), 0.1, reduction, scale=given)
        (scale * getattr(base(y, target), reduction)()).backward()
        times = scale if reduction == "mean" else scale * len(inputs)
        assert_close(network.weight.grad, times * newton_gradient(network, inputs, target))


def test_accumulated_parts_give_the_mean_of_their_directions() -> None:
    network, inputs, target = case()
    base, parts = build_loss("cross_entropy"), 4
    pairs = list(zip(inputs.chunk(parts), target.chunk(parts), strict=True))
    for x, t in pairs:
        y = inject_fisher(network(x), 0.1, scale=1 / parts)
        (base(y, t).mean() / parts).backward()
    assert_close(
        network.weight.grad,
        torch.stack([newton_gradient(network, *pair) for pair in pairs]).mean(0),
    )


def test_grad_scaler_trains_as_without_it() -> None:
    network, inputs, target = case()
    expected = newton_gradient(network, inputs, target)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=65536.0)
    before = network.weight.detach().clone()
    y = inject_fisher(network(inputs), 0.1, scale=scaler.get_scale)
    scaler.scale(build_loss("cross_entropy")(y, target).mean()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert_close(network.weight.detach(), before - 0.5 * expected)


@pytest.mark.parametrize("tikhonov", [0.1, 1e-12])
def test_grad_scaler_skips_what_half_precision_cannot_hold(tikhonov: float) -> None:
    """Of the gradient at 0.1, and of the direction alone at 1e-12."""
    weight = nn.Parameter(torch.zeros(1, 2))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**17 if tikhonov == 0.1 else 64.0)
    y = inject_fisher(weight.half(), tikhonov, scale=scaler.get_scale)
    scaler.scale((y * (1.0 if tikhonov == 0.1 else 1e-4)).sum()).backward()
    scaler.step(optimizer)
    before = scaler.get_scale()
    scaler.update()
    assert not weight.any(), "the update is skipped"
    assert scaler.get_scale() < before


def test_a_bad_scale_of_a_callable_is_found_in_the_backward_pass() -> None:
    y = normal(5, 3).requires_grad_(True)
    with pytest.raises(ValueError, match="positive finite number, got nan"):
        inject_fisher(y, scale=lambda: math.nan).sum().backward()
