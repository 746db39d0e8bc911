"""C is local to a batch: masks leave padding out, an average joins batches."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from newton_core import NewtonLoss, build_loss
from tests.newton_core.curvature.cases import normal
from tests.newton_core.test_learned_bases import Tempered
from tests.newton_core.test_newton import OPTIONS, over_options, quartic

SHARED: list[dict[str, Any]] = [
    {"curvature": "fisher"},
    {"curvature": "hessian"},
    {"curvature": "hessian", "definiteness": "saddle_free"},
]


def gradient(value: Tensor, y: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(value, y)
    return found


@over_options
@pytest.mark.parametrize("kind", [torch.bool, torch.float32])
def test_a_mask_leaves_padding_out(options: dict[str, Any], kind: torch.dtype) -> None:
    y, target = normal(8, 3), normal(8, 3, seed=1)
    y[5:] = torch.inf  # whatever stands there
    y.requires_grad_(True)
    mask = (torch.arange(8) < 5).to(kind)
    loss = NewtonLoss(quartic, tikhonov=0.7, **options)
    value, alone = loss(y, target, weights=mask), loss(y[:5], target[:5])
    assert_close(value, alone)
    assert_close(gradient(value, y), gradient(alone, y))
    pair = NewtonLoss(lambda y, t: quartic(y, t["a"]), tikhonov=0.7, **options)
    assert_close(pair(y, {"a": target, "b": 1}, weights=mask), alone)


@over_options
def test_a_weight_counts_a_sample_several_times(options: dict[str, Any]) -> None:
    y, target = normal(3, 2).requires_grad_(True), normal(3, 2, seed=1)
    weights, times = torch.tensor([1.5, 0.5, 1.0]), torch.tensor([0, 0, 0, 1, 2, 2])
    base = Tempered()
    loss = NewtonLoss(base, tikhonov=0.7, **options)
    weighted, repeated = loss(y, target, weights=weights), loss(y[times], target[times])
    assert_close(weighted, repeated)
    for learned in (y, base.temperature):
        assert_close(gradient(weighted, learned), gradient(repeated, learned))


@pytest.mark.parametrize("options", SHARED, ids=lambda o: "-".join(o.values()))
def test_an_average_over_equal_batches_changes_nothing(options: dict[str, Any]) -> None:
    y = normal(6, 3)
    plain = NewtonLoss(quartic, tikhonov=0.7, **options)
    averaged = NewtonLoss(quartic, tikhonov=0.7, curvature_momentum=0.9, **options)
    for _ in range(3):
        assert_close(averaged(y), plain(y))


def test_an_average_joins_micro_batches() -> None:
    """With a Hessian that differs between the parts, each part sees what came before."""
    A, B = torch.tensor([[1.0, 0.0]]).double(), torch.tensor([[0.0, 3.0]]).double()
    y = torch.ones(1, 2).double().requires_grad_(True)
    loss = NewtonLoss(
        lambda y, weight: (weight * y.square()).sum(1) / 2, tikhonov=1.0, curvature_momentum=0.5
    )
    assert_close(gradient(loss(y, A), y), A / 2)
    # (A / 4 + B / 2) / (3 / 4)
    mean = torch.tensor([1 / 3, 2.0]).double()
    assert_close(gradient(loss(y, B), y), B / (mean + 1))
    loss.eval()
    assert_close(gradient(loss(y, A), y), A / (mean + 1))
    other = NewtonLoss(loss.base, tikhonov=1.0, curvature_momentum=0.5).eval()
    other.load_state_dict(loss.state_dict())
    assert_close(other(y, A), loss(y, A))


def test_without_an_average_the_state_is_as_it_was() -> None:
    assert NewtonLoss(build_loss("squared_error")).state_dict() == {}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[-1]], ids=["none", "per_sample"])
def test_an_average_needs_a_matrix_that_is_shared(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="averages a matrix that the batch shares"):
        NewtonLoss(quartic, curvature_momentum=0.9, **options)
    wrong: Any
    for wrong in (1.0, None, [0.5], torch.tensor([0.1, 0.2])):
        with pytest.raises(ValueError, match=r"momentum must be a number in \[0, 1\), got "):
            NewtonLoss(quartic, curvature_momentum=wrong)


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        (torch.ones(4), r"shape \(5,\), got \(4,\)"),
        (torch.zeros(5), "one of them more than 0"),
        (-torch.ones(5), "at least 0"),
        (torch.full((5,), torch.nan), "finite"),
    ],
)
def test_bad_weights_are_explained(weights: Tensor, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        NewtonLoss(quartic)(normal(5, 3), weights=weights)


def test_another_size_is_explained() -> None:
    loss = NewtonLoss(quartic, curvature_momentum=0.9)
    loss(normal(5, 3))
    with pytest.raises(ValueError, match="with 3 outputs per sample, and this one has 4"):
        loss(normal(5, 4))


@pytest.mark.parametrize("options", SHARED, ids=lambda o: "-".join(o.values()))
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_weights_of_all_sizes_leave_numbers(options: dict[str, Any], dtype: torch.dtype) -> None:
    """The least and the largest of float64, whatever the dtype of y can hold."""
    y = normal(4, 3).to(dtype).requires_grad_(True)
    target = torch.tensor([0, 1, 2, 0])
    loss = NewtonLoss(build_loss("cross_entropy"), tikhonov=0.7, **options)
    for least, most in ((1e-8, 1.0), (1e-300, 1.0), (1.0, 1e300), (5e-324, 5e-324), (1e308, 1e308)):
        weights = torch.tensor([least, most, most, most], dtype=torch.float64)
        found = gradient(loss(y, target, weights=weights), y)
        rows = slice(0 if least == most else 1, 4)
        alone = gradient(loss(y[rows], target[rows]), y)
        assert_close(found, alone, atol=1e-7, rtol=4 * torch.finfo(dtype).eps)


def test_a_sample_that_counts_a_thousand_times_fits_into_half_precision() -> None:
    y = torch.zeros(1000, 1, dtype=torch.float16)
    y[0] = 300.0
    y.requires_grad_(True)
    weights = torch.full((1000,), 1e-6, dtype=torch.float64)
    weights[0] = 1.0
    loss = NewtonLoss(build_loss("squared_error"), curvature="none")
    found = gradient(loss(y, torch.zeros_like(y), weights=weights), y)
    assert_close(found[0], torch.tensor([300.0]).half(), rtol=2e-3, atol=0)
