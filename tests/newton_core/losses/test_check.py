"""check_loss: what it accepts, what it finds, and what it says."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from newton_core import Derivatives, Loss, LossCheckError, build_loss, check_loss
from newton_core.losses import CrossEntropy
from tests.newton_core.curvature.cases import normal
from tests.newton_core.losses.path_cases import draw_grids
from tests.newton_core.losses.test_opacity import OPAQUE, PIECEWISE_LINEAR

Y = normal(6, 4)
CLASSES = torch.tensor([0, 1, 2, 3, 0, 1])
RANKS = torch.eye(4).double().expand(6, 4, 4)


@pytest.mark.parametrize(
    ("name", "y", "target"),
    [
        ("squared_error", Y, normal(6, 4, seed=1)),
        ("cross_entropy", Y.float(), CLASSES),
        ("binary_cross_entropy", Y, Y.sigmoid().round()),
        ("neuralsort", Y, RANKS),
        ("softsort", Y.float(), RANKS),
        ("logistic_dsn", Y, RANKS),
        ("optimal_dsn", Y, RANKS),
        ("bellman_ford", *draw_grids(3, 4)(3, torch.Generator().manual_seed(0))),
    ],
)
def test_our_own_losses_fit(name: str, y: Tensor, target: Tensor) -> None:
    report = check_loss(build_loss(name), y, target)
    assert (report.samples, report.outputs) == (len(y), y[0].numel())
    assert report.dtype == "float64"
    assert report.independent
    assert not report.sampled
    assert report.gradient_error < 1e-5
    assert report.hessian == "curved"
    assert report.hessian_error < 1e-5
    assert report.curvatures == ("hessian", "fisher")


@pytest.mark.parametrize("name", ["perturbed_fy", "smoothed_loss", "smoothed_algorithm"])
def test_estimates_are_not_compared_and_their_noise_is_put_back(name: str) -> None:
    loss = build_loss(name)
    state = loss.generator.get_state()
    report = check_loss(loss, *draw_grids(3, 4)(3, torch.Generator().manual_seed(0)))
    assert report.sampled
    assert report.independent
    assert report.gradient_error is None
    assert "an estimate from samples, not checked" in str(report)
    assert torch.equal(loss.generator.get_state(), state)


@pytest.mark.parametrize("loss", OPAQUE.values(), ids=OPAQUE)
def test_an_opaque_loss_is_for_the_fisher(loss: Any) -> None:
    report = check_loss(loss, normal(6, 12))
    assert report.hessian == "opaque"
    assert report.curvatures == ("fisher",)
    assert "differentiated only once" in str(report)


@pytest.mark.parametrize("loss", PIECEWISE_LINEAR.values(), ids=PIECEWISE_LINEAR)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_loss_linear_in_pieces_is_for_the_fisher(loss: Any, dtype: torch.dtype) -> None:
    report = check_loss(loss, Y.to(dtype), normal(6, 4, seed=1).to(dtype))
    assert report.hessian == "zero"
    assert report.curvatures == ("fisher",)
    assert "exactly zero" in str(report)


def test_a_kink_is_counted_and_is_no_error() -> None:
    report = check_loss(
        lambda y, t: (y.abs() + y**2).sum(1), torch.tensor([[0.0, 1.0], [1.0, 2.0]])
    )
    assert report.kinks == 1
    assert "at 1 samples" in str(report)


class WrongGradient(CrossEntropy):
    def derivatives(
        self, y: Tensor, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        found = super().derivatives(y, target, hessian=hessian)
        return dataclasses.replace(found, gradient=1.01 * found.gradient)


class WrongHessian(CrossEntropy):
    def derivatives(
        self, y: Tensor, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        found = super().derivatives(y, target, hessian=hessian)
        second = None if found.hessian is None else found.hessian + 0.01
        return dataclasses.replace(found, hessian=second)


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        (lambda y, t: y.square().mean(), r"value must have the shape \(6,\).*reduction='none'"),
        (lambda y, t: y.square(), r"must have the shape \(6,\).*but has \(6, 4\)"),
        (lambda y, t: 3.0, r"must give floating-point numbers of shape \(6,\), got 3.0"),
        (lambda y, t: y.log().sum(1), "NaN or infinite"),
        (lambda y, t: y.detach().square().sum(1), "not differentiable in y"),
        (lambda y, t: y.square().sum(1) / y.norm(), "changes with the outputs of other samples"),
        (lambda y, t: (y - y.mean(0)).square().sum(1), "changes with the outputs of other samples"),
    ],
)
def test_what_does_not_fit_is_explained(base: Any, complaint: str) -> None:
    with pytest.raises(LossCheckError, match=complaint):
        check_loss(base, Y, torch.zeros(6, 4).double())


def test_wrong_closed_forms_are_found() -> None:
    for wrong in (WrongGradient(), WrongHessian()):
        with pytest.raises(LossCheckError, match="of 6 of 6 samples disagrees with finite diff"):
            check_loss(wrong, Y, CLASSES)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("y", [torch.ones(3, 2, dtype=torch.int64), torch.ones(0, 3)])
def test_outputs_must_be_outputs(y: Tensor) -> None:
    with pytest.raises(LossCheckError, match="floating-point outputs"):
        check_loss(build_loss("squared_error"), y, y)


def test_a_loss_that_takes_only_float32_is_checked_in_it() -> None:
    weight = normal(4, 4).float()
    report = check_loss(lambda y, t: functional.softplus(y @ weight).sum(1), Y.float())
    assert report.dtype == "float32"
    assert report.hessian_error < 0.02


def test_one_sample_and_no_further_axes() -> None:
    report = check_loss(lambda y, t: y.cosh(), torch.ones(1))
    assert report.independent is None
    assert "only one: not checked" in str(report)
    assert report.outputs == 1


def test_the_report_reads_well() -> None:
    class Cosh(Loss):
        def forward(self, y: Tensor, target: Tensor | None = None) -> Tensor:
            return y.cosh().sum(1)

    lines = str(check_loss(Cosh(), torch.full((3, 2), 0.5))).splitlines()
    assert lines[0] == "values     one for each of 3 samples with 2 outputs"
    assert lines[1] == "samples    each value depends on its own sample alone"
    assert lines[3].startswith("Hessian    agrees with finite differences (off by ")
    assert lines[3].endswith("; eigenvalues from 1.13 to 1.13")
    assert lines[4] == "curvature  'hessian' or 'fisher'"
