"""One checker for the whole family of losses: every loss adds a :class:`LossCase` per setting.

In a loss's test file::

    test_family = family_test([LossCase("my_loss", draw=..., best=...)])

runs every check of :data:`CHECKS` on every case.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.testing import assert_close

from newton_core import (
    CurvatureError,
    Derivatives,
    Loss,
    NewtonLoss,
    build_loss,
    list_losses,
    newton_direction,
)
from newton_core.curvature import hessian_direction
from newton_core.losses import autodiff_derivatives

Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor | None]]


@dataclass(frozen=True)
class LossCase:
    """A loss under one setting, and what is true of it.

    Attributes:
        name: the registered name.
        draw: (N, generator) -> N ordinary float64 outputs (N, *S) and their targets.
        best: (y, target) -> outputs at which no other outputs have a smaller loss (up to
            ``slack``), or None if there are none.
        parameters: passed to ``build_loss``.
        slack: how far above the least loss ``best`` may be, e.g. where it lies at infinity.
        positive_semidefinite: every Hessian is.
        equivariant: reordering the items reorders the gradient (targets' last axis are items).
        stochastic: drawn anew at every call: not compared call by call.
        huge: outputs this many times the ordinary ones still give finite float32 derivatives.
        tolerance: relative, of derivatives against automatic and finite differences.
    """

    name: str
    draw: Draw
    best: Callable[[Tensor, Tensor | None], Tensor] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    slack: float = 1e-9
    positive_semidefinite: bool = False
    equivariant: bool = False
    stochastic: bool = False
    huge: float = 1e4
    tolerance: float = 1e-6

    @property
    def id(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.parameters.items())])

    def build(self) -> Loss:
        noise = {"generator": torch.Generator().manual_seed(0)} if self.stochastic else {}
        return build_loss(self.name, **noise, **self.parameters)

    def batch(
        self, samples: int = 6, seed: int = 0, dtype: torch.dtype = torch.float64
    ) -> tuple[Tensor, Any]:
        y, target = self.draw(samples, torch.Generator().manual_seed(seed))
        return y.to(dtype), target


Check = Callable[[LossCase], None]


def applies_to(condition: Callable[[LossCase], bool]) -> Callable[[Check], Check]:
    """Marks a check that is made only of the cases that meet ``condition``."""

    def mark(check: Check) -> Check:
        CONDITIONS[check] = condition
        return check

    return mark


CONDITIONS: dict[Check, Callable[[LossCase], bool]] = {}


def has_short_cut(case: LossCase) -> bool:
    return case.build().per_sample_direction(*case.batch(), 1.0) is not None


def has_mean_hessian(case: LossCase) -> bool:
    return type(case.build()).mean_hessian is not Loss.mean_hessian


def check_registered_and_described(case: LossCase) -> None:
    loss = case.build()
    assert case.name in list_losses()
    assert loss.settings.name == case.name
    assert len(type(loss).__doc__ or "") > 40, "the docstring says what the loss means"
    for name, parameter in type(loss.settings).model_fields.items():
        assert name == "name" or parameter.description, f"{name} has no sentence"


def check_one_value_per_sample(case: LossCase) -> None:
    loss = case.build()
    for dtype in (torch.float32, torch.float64):
        y, target = case.batch(dtype=dtype)
        m = y[0].numel()
        value, derivatives = loss(y, target), loss.derivatives(y, target)
        assert value.shape == (6,)
        for tensor in (value, derivatives.value, derivatives.gradient, derivatives.hessian):
            assert tensor is not None
            assert tensor.dtype == dtype
            assert not tensor.requires_grad
            assert torch.isfinite(tensor).all()
        assert derivatives.gradient.shape == (6, m)
        assert derivatives.hessian is not None
        assert derivatives.hessian.shape == (6, m, m)
        assert_close(derivatives.hessian, derivatives.hessian.mT)
        assert loss.derivatives(y, target, hessian=False).hessian is None


@applies_to(lambda case: case.best is not None)
def check_right_answer_has_least_loss(case: LossCase) -> None:
    assert case.best is not None
    loss = case.build()
    y, target = case.batch(samples=20)
    best = case.best(y, target)
    least = loss(best, target)
    generator = torch.Generator().manual_seed(1)
    for scale in (1e-3, 0.1, 1.0):
        other = best + scale * torch.randn(best.shape, generator=generator, dtype=best.dtype)
        assert (least <= loss(other, target) + case.slack).all()
    assert (least <= loss(y, target) + case.slack).all()


@applies_to(lambda case: not case.stochastic)
def check_derivatives_equal_autodiff(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch()
    fast, slow = loss.derivatives(y, target), autodiff_derivatives(loss, y, target)
    assert fast.hessian is not None
    assert slow.hessian is not None
    close(fast.value, slow.value, case.tolerance)
    close(fast.gradient, slow.gradient, case.tolerance)
    close(fast.hessian, slow.hessian, case.tolerance)


@applies_to(lambda case: not case.stochastic)
def check_derivatives_equal_finite_differences(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch()
    derivatives = loss.derivatives(y, target)
    assert derivatives.hessian is not None
    step = 1e-5
    for j in range(y[0].numel()):
        shift = torch.zeros_like(y[0]).flatten()
        shift[j] = step
        ahead, behind = y + shift.view_as(y[0]), y - shift.view_as(y[0])
        slope = (loss(ahead, target) - loss(behind, target)) / (2 * step)
        close(derivatives.gradient[:, j], slope, 1e-5)
        gradients = (
            loss.derivatives(ahead, target).gradient - loss.derivatives(behind, target).gradient
        )
        close(derivatives.hessian[:, j], gradients / (2 * step), 1e-5)


@applies_to(lambda case: not case.stochastic)
def check_batch_equals_loop(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch()
    whole = loss.derivatives(y, target)
    for i in range(len(y)):
        one = loss.derivatives(y[i : i + 1], None if target is None else target[i : i + 1])
        assert_close(one.value, whole.value[i : i + 1])
        assert_close(one.gradient, whole.gradient[i : i + 1])
        assert whole.hessian is not None
        assert_close(one.hessian, whole.hessian[i : i + 1])


@applies_to(lambda case: not case.stochastic)
def check_memory_layout_does_not_matter(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch()
    strided = torch.stack((y, y + 1), dim=-1)[..., 0]
    assert not strided.is_contiguous()
    assert_same(loss.derivatives(strided, target), loss.derivatives(y, target))


def check_caller_is_left_alone(case: LossCase) -> None:
    """Derivatives touch neither the caller's tensors nor its gradients, with grad on or off."""
    loss = case.build()
    y, target = case.batch()
    before, target_before = y.clone(), None if target is None else target.clone()
    y.requires_grad_(True)
    loss.derivatives(y, target)
    with torch.no_grad():
        loss.derivatives(y, target)
    assert y.grad is None
    assert torch.equal(y, before)
    assert target is None or torch.equal(target, target_before)


def check_forward_mode_is_right_or_refused(case: LossCase) -> None:
    """A tangent of zero without a word would pass for a derivative."""
    y, target = case.batch()
    along = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=y.dtype)
    leaf = y.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(case.build()(leaf, target).sum(), leaf)
    try:
        with warnings.catch_warnings(), forward_ad.dual_level():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, of its first use
            dual = case.build()(forward_ad.make_dual(y, along), target)
            tangent = forward_ad.unpack_dual(dual).tangent
    except RuntimeError:
        return
    assert tangent is not None
    close(tangent, (slope * along).flatten(1).sum(1), 1e-8)


def check_inference_mode_is_as_elsewhere(case: LossCase) -> None:
    y, target = case.batch()
    with torch.inference_mode():
        copies = y.clone(), None if target is None else target.clone()
        found, loss = case.build().derivatives(*copies), case.build()
        NewtonLoss(loss, tikhonov=0.5, definiteness="clip")(*copies)
    assert_same(found, case.build().derivatives(y, target))
    if not case.stochastic:  # what was kept at a first use there serves training
        assert_same(loss.derivatives(y, target), found)


def check_autocast_changes_no_derivative(case: LossCase) -> None:
    for dtype in (torch.float32, torch.float16):
        y, target = case.batch(dtype=dtype)
        with torch.autocast("cpu", torch.bfloat16):
            value, found = case.build()(y, target), case.build().derivatives(y, target)
            mean = case.build().mean_hessian(y, target)
        assert torch.equal(value, case.build()(y, target))
        assert_same(found, case.build().derivatives(y, target))
        if mean is not None:
            assert torch.equal(mean, case.build().mean_hessian(y, target))


def check_huge_outputs_stay_finite(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch(dtype=torch.float32)
    derivatives = loss.derivatives(y * case.huge, target)
    for tensor in (derivatives.value, derivatives.gradient, derivatives.hessian):
        assert tensor is not None
        assert torch.isfinite(tensor).all()


def check_non_finite_outputs_are_never_silent(case: LossCase) -> None:
    """Refused, or seen in that sample's value or gradient, and in no other sample's.

    Infinity may also have the value and the gradient that huge outputs of its sign have: to
    cross-entropy, minus infinity is a class without any probability.
    """
    loss = case.build()
    for bad in (math.nan, math.inf, -math.inf):
        y, target = case.batch()
        clean = loss.derivatives(y, target)
        y.view(len(y), -1)[2, 0] = bad
        with pytest.raises(CurvatureError):
            newton_direction(loss, y, target, curvature="fisher", tikhonov=0.1)
        try:
            dirty = loss.derivatives(y, target)
        except (ValueError, ArithmeticError):
            continue
        if torch.isfinite(torch.cat((dirty.value[2:3], dirty.gradient[2]))).all():
            assert math.isinf(bad), "NaN is silent"
            y.view(len(y), -1)[2, 0] = math.copysign(1e300, bad)
            huge = loss.derivatives(y, target)
            assert_close(dirty.value[2], huge.value[2])
            assert_close(dirty.gradient[2], huge.gradient[2])
        if not case.stochastic:
            others = [0, 1, 3, 4, 5]
            assert_close(dirty.value[others], clean.value[others])
            assert_close(dirty.gradient[others], clean.gradient[others])


@applies_to(lambda case: not case.stochastic)
def check_newton_loss_trains(case: LossCase) -> None:
    """The surrogate's gradient is the direction over N for every curvature."""
    loss = case.build()
    for options in (
        {"curvature": "fisher"},
        {"curvature": "hessian", "definiteness": "saddle_free"},
        {"curvature": "hessian", "hessian": "per_sample", "definiteness": "clip"},
    ):
        y, target = case.batch()
        y.requires_grad_(True)
        NewtonLoss(loss, tikhonov=0.5, **options)(y, target).backward()
        direction = newton_direction(loss, y, target, tikhonov=0.5, **options)
        assert y.grad is not None
        assert_close(y.grad, direction / len(y))


@applies_to(lambda case: case.positive_semidefinite)
def check_definiteness_is_as_declared(case: LossCase) -> None:
    y, target = case.batch(samples=50)
    hessian = case.build().derivatives(y, target).hessian
    assert hessian is not None
    eigenvalues = torch.linalg.eigvalsh(hessian)
    assert (eigenvalues >= -1e-12 * eigenvalues.abs().amax()).all()


@applies_to(has_short_cut)
def check_short_cut_equals_dense_solve(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch()
    for tikhonov in (1e-3, 1.0, 1e3):
        direct = loss.per_sample_direction(y, target, tikhonov)
        assert direct is not None
        assert case.positive_semidefinite, "short cuts are for definite losses only"
        dense = loss.derivatives(y, target)
        assert dense.hessian is not None
        close(
            direct, hessian_direction(dense.gradient, dense.hessian, tikhonov, "per_sample"), 1e-9
        )


def check_nothing_changes_along_invariant_directions(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch()
    kind = "assignment" if y.ndim == 3 and y.shape[1] == y.shape[2] else loss.target_kind
    for direction in loss.invariant_directions_of(kind, y.flatten(1).shape[1]):
        for length in (-3.0, 0.5):
            moved = y + length * direction.to(y).view_as(y[0])
            close(loss(moved, target), loss(y, target), 1e-9)


@applies_to(has_mean_hessian)
def check_mean_hessian_leads_the_general_way(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch(samples=20)
    dense = loss.derivatives(y, target)
    assert dense.hessian is not None
    mean = case.build().mean_hessian(y, target)  # built anew each time: some draw noise
    assert mean is not None
    close(mean, dense.hessian.mean(0), 1e-12)
    for tikhonov in (1e-3, 1.0):
        short = newton_direction(case.build(), y, target, tikhonov=tikhonov).flatten(1)
        general = hessian_direction(dense.gradient, dense.hessian.contiguous(), tikhonov)
        close(short, general, 1e-6)


@applies_to(lambda case: case.equivariant)
def check_items_may_be_reordered(case: LossCase) -> None:
    loss = case.build()
    y, target = case.batch()
    order = torch.randperm(y.shape[1], generator=torch.Generator().manual_seed(0))
    before = loss.derivatives(y, target)
    after = loss.derivatives(y[:, order], target[:, :, order])
    assert before.hessian is not None
    assert_close(after.value, before.value)
    assert_close(after.gradient, before.gradient[:, order])
    assert_close(after.hessian, before.hessian[:, order][:, :, order])


CHECKS: list[Check] = [
    function for name, function in list(globals().items()) if name.startswith("check_")
]


def family_test(cases: Sequence[LossCase]) -> Callable[[LossCase, Check], None]:
    """A test that makes of each case the checks that apply; its name must begin with test."""
    made = [
        pytest.param(case, check, id=f"{case.id}-{check.__name__}")
        for case in cases
        for check in CHECKS
        if check not in CONDITIONS or CONDITIONS[check](case)
    ]

    @pytest.mark.parametrize(("case", "check"), made)
    def test(case: LossCase, check: Check) -> None:
        check(case)

    return test


def assert_same(actual: Derivatives, expected: Derivatives) -> None:
    assert_close(actual.value, expected.value)
    assert_close(actual.gradient, expected.gradient)
    assert_close(actual.hessian, expected.hessian)


def close(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    """Within ``tolerance`` of the largest expected entry (at least 1)."""
    error = (actual - expected).abs().max().item()
    scale = max(1.0, expected.abs().max().item())
    assert error <= tolerance * scale, f"off by {error:.3g} at size {scale:.3g}"
