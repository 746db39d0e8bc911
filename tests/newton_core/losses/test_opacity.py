"""What has no Hessian: refused where autograd hides it, and said where it is zero."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.testing import assert_close

from newton_core import (
    Loss,
    NewtonLoss,
    OpaqueLossError,
    build_loss,
    check_loss,
    newton_direction,
    newton_target,
)
from newton_core.losses import autodiff_derivatives
from newton_core.training.context import RunContext
from newton_core.training.local_arm import LocalArm
from tests.newton_core.curvature.cases import normal
from tests.newton_core.training.specs import small_spec


class NumpyBackward(torch.autograd.Function):
    """Sum of fourth powers, whose gradient leaves torch."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        return (y**4).sum(1)

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return incoming[0][:, None] * torch.from_numpy(4 * y.detach().numpy() ** 3)


class NumpyIncoming(NumpyBackward):
    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return torch.from_numpy(incoming[0].numpy()[:, None] * 4 * y.numpy() ** 3)


class Once(NumpyBackward):
    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *incoming: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return incoming[0][:, None] * 4 * y**3


def applied(function: Any) -> Callable[[Tensor, Any], Tensor]:
    return lambda y, target: function.apply(y)


def ctc(y: Tensor, target: Any) -> Tensor:
    """Three classes at four times, two labels to be found."""
    log_probabilities = y.view(len(y), 4, 3).transpose(0, 1).log_softmax(-1)
    labels = torch.tensor([[1, 2]]).expand(len(y), 2)
    lengths = torch.full((len(y),), 4), torch.full((len(y),), 2)
    return functional.ctc_loss(log_probabilities, labels, *lengths, reduction="none")


def cdist(y: Tensor, target: Any) -> Tensor:
    return torch.cdist(y[:, None], torch.zeros_like(y)[:, None])[:, 0, 0]


def multi_margin(y: Tensor, target: Any) -> Tensor:
    return functional.multi_margin_loss(y, torch.zeros(len(y), dtype=torch.int64), reduction="none")


OPAQUE = {
    "numpy": applied(NumpyBackward),
    "numpy_incoming": applied(NumpyIncoming),
    "once": applied(Once),
    "ctc": ctc,
    "cdist": cdist,
    "multi_margin": multi_margin,
}
OPAQUE_IN_PART: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "one_sample": lambda y, t: torch.cat([y[:-1].exp().sum(1), NumpyBackward.apply(y[-1:])]),
    "chosen_samples": lambda y, t: torch.where(
        torch.arange(len(y)) % 3 > 0, NumpyBackward.apply(y), y.square().sum(1)
    ),
    "one_output": lambda y, t: NumpyBackward.apply(y[:, :1]) + y[:, 1:].square().sum(1),
    "some_outputs": lambda y, t: NumpyIncoming.apply(y[:, ::2]) + y[:, 1::2].exp().sum(1),
    "a_term": lambda y, t: NumpyBackward.apply(y) + y.square().sum(1),
    "inside": lambda y, t: NumpyBackward.apply(y).log1p(),
    "beside_kinks": lambda y, t: NumpyBackward.apply(y[:, :6]) + y[:, 6:].abs().sum(1),
    "once_in_one_sample": lambda y, t: torch.cat([Once.apply(y[:1]), y[1:].exp().sum(1)]),
    "a_term_of_torch": lambda y, t: cdist(y[:, :3], t) + y[:, 3:].square().sum(1),
}
PIECEWISE_LINEAR: dict[str, Callable[[Tensor, Any], Tensor]] = {
    "l1": lambda y, t: (y - t).abs().sum(1),
    "hinge": lambda y, t: (1 - y * t.sign()).relu().sum(1),
    "largest": lambda y, t: (y - t).amax(1),
    "range": lambda y, t: y.amax(1) - y.amin(1),
    "linear": lambda y, t: (y * t).sum(1),
}


@pytest.mark.parametrize("loss", OPAQUE.values(), ids=OPAQUE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_opaque_loss_has_no_hessian_direction(loss: Any, dtype: torch.dtype) -> None:
    y = normal(6, 12).to(dtype).requires_grad_(True)
    uses = (newton_direction, newton_target, lambda base, y: NewtonLoss(base)(y))
    for use in uses:
        with pytest.raises(OpaqueLossError, match=r"only once.*curvature 'fisher'"):
            use(loss, y)
    fisher = newton_direction(loss, y, curvature="fisher")
    (gradient,) = torch.autograd.grad(loss(y, None).sum(), y)
    again = newton_direction(lambda y, t: (y * gradient).sum(1), y, curvature="fisher")
    assert_close(fisher, again)


@pytest.mark.parametrize("loss", OPAQUE_IN_PART.values(), ids=OPAQUE_IN_PART)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("hessian", ["batch_mean", "per_sample"])
def test_a_loss_that_is_opaque_in_part_has_no_hessian_direction(
    loss: Any, dtype: torch.dtype, hessian: Any
) -> None:
    y = normal(6, 12).to(dtype)
    with pytest.raises(OpaqueLossError, match=r"only once.*curvature 'fisher'"):
        newton_direction(loss, y, hessian=hessian)
    assert check_loss(loss, y).curvatures == ("fisher",)
    assert newton_direction(loss, y, curvature="fisher").isfinite().all()


class Cube(NumpyBackward):
    """Fourth powers whose backward pass stays in torch."""

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return incoming[0][:, None] * 4 * y**3


class Rounded(torch.autograd.Function):
    """Whole numbers, with the gradient of the number itself (straight through)."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        return y.round()

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> Tensor:
        return incoming[0]


class Noise(NumpyBackward):
    """Weights that are drawn anew at every call."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        weights = torch.rand_like(y)
        ctx.save_for_backward(weights)
        return (weights * y).sum(1)

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor) -> Tensor:
        (weights,) = ctx.saved_tensors
        return incoming[0][:, None] * weights


def cube(y: Tensor, target: Any) -> Any:
    return Cube.apply(y) + y.square().sum(1)


def straight_through(y: Tensor, target: Any) -> Any:
    return (Rounded.apply(y) - 0.3).square().sum(1)


def saturated(y: Tensor, target: Any) -> Any:
    return Cube.apply((y / 0.05).softmax(1)) + 1e-9 * y.square().sum(1)


def noisy(y: Tensor, target: Any) -> Any:
    return Noise.apply(y) + y.square().sum(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_custom_backward_pass_that_torch_sees_through_keeps_its_hessian(
    dtype: torch.dtype, scale: float
) -> None:
    y = scale * normal(50, 8).to(dtype)
    assert_close(newton_direction(cube, y), newton_direction(lambda y, t: (y**4 + y**2).sum(1), y))
    assert_close(newton_direction(straight_through, y), 2 * (y.round() - 0.3) / 2.1)
    newton_direction(saturated, y)  # rounding of what is nearly zero is no sign
    torch.manual_seed(0)
    newton_direction(noisy, y)
    after = torch.rand(())
    torch.manual_seed(0)
    noisy(y, None)
    assert after == torch.rand(())


@pytest.mark.parametrize("loss", PIECEWISE_LINEAR.values(), ids=PIECEWISE_LINEAR)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_loss_linear_in_pieces_is_said_to_have_no_hessian(
    loss: Any, dtype: torch.dtype, scale: float
) -> None:
    for seed in range(5):
        y, target = (scale * normal(50, 20, seed=2 * seed + i).to(dtype) for i in range(2))
        with pytest.warns(UserWarning, match="Hessian is exactly zero.*'fisher'"):
            direction = newton_direction(loss, y, target, tikhonov=0.5)
        assert_close(direction, 2 * newton_direction(loss, y, target, curvature="none"))


def test_a_start_at_the_kinks_is_no_curvature() -> None:
    y = torch.zeros(8, 5)
    for loss in (PIECEWISE_LINEAR["l1"], PIECEWISE_LINEAR["range"]):
        assert autodiff_derivatives(loss, y, torch.zeros(8, 5)).hessian.count_nonzero() == 0


def test_the_public_functions_warn_and_runs_do_not() -> None:
    l1, y = PIECEWISE_LINEAR["l1"], normal(6, 3).requires_grad_(True)
    for use in (newton_target, lambda base, y, target: NewtonLoss(base)(y, target)):
        with pytest.warns(UserWarning, match="exactly zero"):
            use(l1, y, torch.zeros(6, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        autodiff_derivatives(l1, y, torch.zeros(6, 3))  # as a run does


class OpaqueLoss(Loss):
    def forward(self, y: Tensor, target: Tensor | None = None) -> Tensor:
        return applied(Once)(y, target)


def test_an_arm_that_needs_no_hessian_trains_on_an_opaque_loss() -> None:
    context = RunContext(small_spec())
    hessian, fisher = (LocalArm(context, index) for index in (1, 2))
    for local in (hessian, fisher):
        local.arm.run_loss = OpaqueLoss()
    _, curvature, _ = fisher.advance(0).evaluation
    assert curvature.hessian is None
    assert curvature.fisher is not None
    assert fisher.advance(1).status == "running"
    with pytest.raises(OpaqueLossError, match="curvature 'fisher'"):
        hessian.advance(1)


def test_what_fails_at_the_first_derivative_keeps_its_own_error() -> None:
    class Broken(NumpyBackward):
        @staticmethod
        def backward(ctx: Any, *incoming: Tensor) -> Tensor:
            raise RuntimeError("a bug of the loss's author")

    with pytest.raises(RuntimeError, match="a bug of the loss's author"):
        newton_direction(applied(Broken), normal(3, 2))
    with pytest.raises(ValueError, match="does not depend on y"):
        newton_direction(
            lambda y, t: t.square().sum(1), normal(3, 2), normal(3, 2).requires_grad_()
        )


def test_a_callable_is_differentiated_under_inference_mode_too() -> None:
    base = build_loss("squared_error")
    with torch.inference_mode():
        y, target = normal(5, 3), normal(5, 3, seed=1)
        for given in (target, [target], (target, 1), {"t": target}):

            def plain(y: Tensor, t: Any) -> Tensor:
                inner = t if isinstance(t, Tensor) else t["t"] if isinstance(t, dict) else t[0]
                return ((y - inner).square() * inner.cos()).sum(1)

            found = newton_direction(plain, y, given)
            assert found.shape == (5, 3)
        half = newton_direction(lambda y, t: base(y, t), y, target)
        value = NewtonLoss(lambda y, t: base(y, t))(y, target)
    assert_close(half, newton_direction(base, y.clone(), target.clone()))
    assert math.isfinite(value.item())


def test_tensors_of_inference_mode_in_a_closure_become_copies() -> None:
    plain = normal(3, 3, seed=2)
    with torch.inference_mode():
        held = plain.clone()

    def base_of(weights: Tensor) -> Callable[[Tensor, Any], Tensor]:
        return lambda y, t: (functional.linear(y, weights) @ torch.stack([*weights])).exp().sum(1)

    y = normal(5, 3)
    expected = newton_direction(base_of(plain), y)
    assert_close(newton_direction(base_of(held), y), expected)
    with torch.inference_mode():
        assert_close(newton_direction(base_of(held), y.clone()), expected)
