import math
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.testing import assert_close

from newton_core import (
    CurvatureError,
    Derivatives,
    NewtonLoss,
    build_loss,
    inject_fisher,
    newton_direction,
    newton_target,
)
from newton_core.losses import CrossEntropy
from tests.newton_core.curvature.cases import normal

OPTIONS: list[dict[str, Any]] = [
    {"curvature": "none"},
    {"curvature": "fisher"},
    {"curvature": "hessian"},
    {"curvature": "hessian", "definiteness": "clip"},
    {"curvature": "hessian", "hessian": "per_sample", "definiteness": "saddle_free"},
]
over_options = pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o.values()))


def quartic(y: Tensor, target: Any) -> Tensor:
    """A plain function on outputs of any shape: coupled, indefinite near zero."""
    flat = (y - (0 if target is None else target)).flatten(1)
    return (flat**4).sum(1) - flat.prod(1) + flat[:, 0] * flat[:, -1]


class Quadratic(nn.Module):
    """1/2 (y - b)^T A_i (y - b) with a matrix for each sample."""

    def __init__(self, A: Tensor, b: Tensor) -> None:
        super().__init__()
        self.register_buffer("A", A)
        self.register_buffer("b", b)

    def forward(self, y: Tensor, target: None = None) -> Tensor:
        offset = y - self.b
        return torch.einsum("ni,nij,nj->n", offset, self.A, offset) / 2


# --- the surrogate ----------------------------------------------------------------------------


@over_options
@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 2), (1, 4), (12, 1)])
def test_gradient_is_the_direction_over_the_batch(
    options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    y = normal(*shape).requires_grad_(True)
    value = NewtonLoss(quartic, tikhonov=0.7, **options)(y)
    value.backward()
    direction = newton_direction(quartic, y, tikhonov=0.7, **options)
    assert direction.shape == y.shape
    assert not direction.requires_grad
    assert_close(y.grad, direction / len(y))
    assert value.shape == ()
    assert_close(value.detach(), direction.square().sum() / (2 * len(y)))


@over_options
def test_target_is_one_step_away_and_a_constant(options: dict[str, Any]) -> None:
    y = normal(5, 3).requires_grad_(True)
    target = newton_target(quartic, y, tikhonov=0.7, **options)
    assert not target.requires_grad
    assert_close(y - target, newton_direction(quartic, y, tikhonov=0.7, **options))
    value = NewtonLoss(quartic, tikhonov=0.7, **options)(y)
    assert_close(value, (target - y).square().sum() / (2 * len(y)))


def test_a_small_step_beside_large_outputs_is_not_rounded_away() -> None:
    """z* - y formed as a difference in float32 would be 0 here."""
    target = torch.full((4, 2), 1e6)
    y = (target + 0.125).requires_grad_(True)
    NewtonLoss(build_loss("squared_error"), curvature="hessian", tikhonov=1e3)(y, target).backward()
    assert_close(y.grad, torch.full((4, 2), 0.125 / 1001 / 4))


@pytest.mark.parametrize("curvature", ["hessian", "fisher"])
def test_strong_damping_is_scaled_gradient_descent(curvature: Any) -> None:
    y = normal(6, 3)
    plain = newton_direction(quartic, y, curvature="none")
    damped = newton_direction(quartic, y, curvature=curvature, tikhonov=1e9)
    assert_close(1e9 * damped, plain, rtol=1e-6, atol=1e-6)


def test_one_newton_step_solves_a_quadratic() -> None:
    half = normal(4, 3, 3)
    own = half @ half.mT + torch.eye(3)
    b, y = normal(4, 3, seed=1), normal(4, 3, seed=2)
    shared = own[:1].expand(4, 3, 3)
    for A, kind in ((shared, "batch_mean"), (own, "per_sample")):
        landed = newton_target(
            Quadratic(A, b), y, curvature="hessian", hessian=kind, tikhonov=1e-12
        )
        assert_close(landed, b, rtol=0, atol=1e-10)


def test_gradient_descent_on_the_newton_loss_converges_where_plain_descent_crawls() -> None:
    """A valley 1e4 times steeper across than along: the curvature evens it out."""
    A = torch.diag(torch.tensor([1e4, 1.0])).double().expand(3, 2, 2)
    b, start = torch.zeros(3, 2).double(), normal(3, 2)
    ends = {}
    for options in ({"curvature": "none"}, {"curvature": "hessian", "tikhonov": 1e-3}):
        y = start.clone().requires_grad_(True)
        rate = 1.0 if options["curvature"] == "hessian" else 1e-4
        optimizer = torch.optim.SGD([y], lr=rate * len(y))
        loss = NewtonLoss(Quadratic(A, b), **options)
        for _ in range(20):
            optimizer.zero_grad()
            loss(y).backward()
            optimizer.step()
        ends[options["curvature"]] = y.detach().norm().item()
    assert ends["hessian"] < 1e-9
    assert ends["none"] > 0.5


# --- what may be wrapped ----------------------------------------------------------------------


def test_any_callable_will_do() -> None:
    y, target = normal(6, 3), normal(6, 3, seed=1)

    class Half(nn.Module):
        def forward(self, y: Tensor, target: Tensor) -> Tensor:
            return nn.functional.mse_loss(y, target, reduction="none").sum(1) / 2

    expected = newton_direction(build_loss("squared_error"), y, target, curvature="hessian")
    for base in (Half(), lambda y, t: (y - t).square().sum(1) / 2):
        assert_close(newton_direction(base, y, target, curvature="hessian"), expected)


def test_outputs_without_further_axes_are_one_coordinate_each() -> None:
    def base(y: Tensor, target: None) -> Tensor:
        return torch.cosh(y)

    y = normal(7).requires_grad_(True)
    for curvature in ("hessian", "fisher"):
        NewtonLoss(base, curvature=curvature, tikhonov=0.2)(y).backward()
    assert y.grad is not None
    expected = sum(
        torch.sinh(y) / (matrix.mean() + 0.2) / 7
        for matrix in (torch.cosh(y), torch.sinh(y).square())
    )
    assert_close(y.grad, expected.detach())


def test_a_loss_linear_in_the_outputs_has_no_hessian() -> None:
    weight = normal(5, 3)
    with pytest.warns(UserWarning, match="Hessian is exactly zero"):
        direction = newton_direction(
            lambda y, t: (y * weight).sum(1), normal(5, 3, seed=1), tikhonov=0.5
        )
    assert_close(direction, 2 * weight)


def test_a_batch_loss_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one value per sample, shape \(5,\), but gave \(\)"):
        newton_direction(lambda y, t: y.square().mean(), normal(5, 3))


def test_a_loss_without_gradient_is_refused() -> None:
    with pytest.raises(ValueError, match="not differentiable in y"):
        newton_direction(lambda y, t: y.detach().square().sum(1), normal(5, 3))


class Demanding(CrossEntropy):
    """Notes whether the Hessian was asked for."""

    asked: ClassVar[list[bool]] = []

    def derivatives(
        self, y: Tensor, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        self.asked.append(hessian)
        return super().derivatives(y, target, hessian=hessian)


def test_no_sample_s_hessian_is_formed_where_none_is_needed() -> None:
    y, target = normal(5, 3), torch.tensor([0, 1, 2, 0, 1])
    Demanding.asked.clear()
    for options in OPTIONS:
        newton_direction(Demanding(), y, target, **options)
    # a batch mean comes from the loss's own mean, and the last of them, per sample, takes
    # cross-entropy's short cut past the derivatives
    assert Demanding.asked == [False, False, False, False]


def test_short_cut_and_dense_solve_agree() -> None:
    y, target = normal(5, 3), torch.tensor([0, 1, 2, 0, 1])
    loss = build_loss("cross_entropy")
    options: dict[str, Any] = {"curvature": "hessian", "hessian": "per_sample", "tikhonov": 0.3}
    dense = newton_direction(lambda y, t: loss(y, t), y, target, **options)
    assert_close(newton_direction(loss, y, target, **options), dense)


# --- as a module ------------------------------------------------------------------------------


def test_a_module_that_holds_its_base() -> None:
    loss = NewtonLoss(Quadratic(torch.eye(2)[None], torch.ones(1, 2)), tikhonov=0.25)
    assert "base.b" in dict(loss.named_buffers())
    assert loss.double().base.b.dtype == torch.float64
    assert "curvature='hessian', tikhonov=0.25" in repr(loss)
    assert "CrossEntropy" in repr(NewtonLoss(build_loss("cross_entropy")))


def test_tikhonov_may_change_between_calls() -> None:
    loss = NewtonLoss(quartic, curvature="fisher", tikhonov=0.1)
    y = normal(5, 3)
    loss.tikhonov = 10.0
    assert_close(loss(y), NewtonLoss(quartic, curvature="fisher", tikhonov=10.0)(y))
    loss.tikhonov = 0.0
    with pytest.raises(ValueError, match="positive"):
        loss(y)


def test_works_without_recording_gradients() -> None:
    y = normal(5, 3)
    expected = NewtonLoss(quartic)(y)
    with torch.no_grad():
        value = NewtonLoss(quartic)(y)
    assert not value.requires_grad
    assert_close(value, expected)


@over_options
def test_trains_a_network(options: dict[str, Any]) -> None:
    network = nn.Linear(4, 3).double()
    inputs, target = normal(20, 4), normal(20, 3, seed=1)
    loss = NewtonLoss(build_loss("squared_error"), tikhonov=0.5, **options)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    before = build_loss("squared_error")(network(inputs), target).mean().item()
    for _ in range(30):
        optimizer.zero_grad()
        loss(network(inputs), target).backward()
        optimizer.step()
    assert build_loss("squared_error")(network(inputs), target).mean().item() < 0.9 * before


# --- dtypes -----------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
    options=st.sampled_from(OPTIONS),
)
def test_shape_and_dtype_follow_the_outputs(
    shape: list[int], dtype: torch.dtype, options: dict[str, Any]
) -> None:
    y = normal(*shape).to(dtype).requires_grad_(True)
    target = normal(*shape, seed=1).to(dtype)
    loss = build_loss("squared_error")
    direction = newton_direction(loss, y, target, tikhonov=1.0, **options)
    value = NewtonLoss(loss, tikhonov=1.0, **options)(y, target)
    value.backward()
    through = inject_fisher(y, tikhonov=1.0)
    assert y.grad is not None
    for tensor in (direction, value, y.grad, through):
        assert tensor.dtype == dtype
    assert direction.shape == y.grad.shape == through.shape == y.shape
    exact = newton_direction(loss, y.double(), target.double(), tikhonov=1.0, **options)
    eps = max(torch.finfo(dtype).eps, 1e-9)
    assert_close(direction.double(), exact, rtol=4 * eps, atol=4 * eps)


def test_what_half_precision_cannot_hold_is_refused() -> None:
    y = torch.tensor([[-40.0, 0.0]], dtype=torch.float16).requires_grad_(True)
    target, base = torch.tensor([0]), build_loss("cross_entropy")
    for options in ({"hessian": "per_sample", "tikhonov": 1e-6}, {"tikhonov": 1e-6}):
        with pytest.raises(CurvatureError, match=r"too large for torch\.float16"):
            NewtonLoss(base, curvature="hessian", **options)(y, target)


def test_the_loss_of_half_precision_outputs_is_summed_in_float32() -> None:
    """The sum of squares overflows float16, its mean over the batch does not."""
    y = torch.full((64, 1), 256.0, dtype=torch.float16).requires_grad_(True)
    loss = NewtonLoss(build_loss("squared_error"), curvature="none")
    value = loss(y / 2, torch.zeros(64, 1, dtype=torch.float16))
    assert value.item() == 128**2 / 2


# --- errors -----------------------------------------------------------------------------------


def wrapped(y: Tensor, **options: Any) -> Tensor:
    value: Tensor = NewtonLoss(quartic, **options)(y)
    return value


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("use", [wrapped, lambda y, **o: newton_target(quartic, y, **o)])
@pytest.mark.parametrize(
    ("y", "options", "complaint"),
    [
        (torch.ones(0, 3), {}, r"at least one sample and one output, got \(0, 3\)"),
        (torch.ones(3, 0), {}, r"got \(3, 0\)"),
        (torch.tensor(1.0), {}, r"got \(\)"),
        (torch.ones(3, 2, dtype=torch.int64), {}, "floating-point outputs, got torch.int64"),
        (torch.ones(3, 2, dtype=torch.complex64), {}, "got torch.complex64"),
        (torch.ones(3, 2), {"tikhonov": 0.0}, "positive finite number, got 0.0"),
        (torch.ones(3, 2), {"tikhonov": -1.0}, "got -1.0"),
        (torch.ones(3, 2), {"curvature": "newton"}, "unknown curvature 'newton'; use one of none"),
        (torch.ones(3, 2), {"hessian": "each"}, "unknown hessian 'each'; use one of batch_mean"),
        (torch.ones(3, 2), {"definiteness": "abs"}, "unknown definiteness 'abs'; use one of raw"),
    ],
)
def test_bad_arguments_are_explained(
    use: Any, y: Tensor, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        use(y, **options)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@over_options
def test_non_finite_outputs_are_refused(bad: float, options: dict[str, Any]) -> None:
    y = normal(5, 3)
    y[3, 1] = bad
    with pytest.raises(CurvatureError, match="output of 1 of 5 samples, first of sample 3"):
        newton_direction(quartic, y, **options)


def test_a_singular_system_names_the_remedy() -> None:
    with pytest.raises(CurvatureError, match="larger tikhonov, or definiteness"):
        newton_direction(lambda y, t: -y.square().sum(1), normal(5, 3), tikhonov=2.0)


@over_options
def test_a_callable_compares_with_whatever_it_likes(options: dict[str, Any]) -> None:
    """Only a loss of the library says which targets it takes."""
    y, target = normal(5, 3, seed=1), normal(5, 3, seed=2)
    found = newton_direction(
        lambda y, pair: quartic(y, pair["b"][0]), y, {"b": [target]}, **options
    )
    assert_close(found, newton_direction(quartic, y, target, **options), rtol=0, atol=0)
