import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from newton_core import NewtonLoss, build_loss
from newton_core.losses import SoftDisc
from newton_core.losses.soft_disc import CENTRE
from tests.newton_core.losses.checks import LossCase, family_test

SIDE = 7


class Draw:
    """Discs near the middle, and pictures that they have nothing to do with."""

    def __init__(self, discs: int) -> None:
        self.discs = discs

    def __call__(self, samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        y = torch.rand(samples, self.discs, 3, generator=generator, dtype=torch.float64) - 0.3
        return y, torch.rand(samples, SIDE, SIDE, generator=generator, dtype=torch.float64)


def case(discs: int, sharpness: float) -> LossCase:
    return LossCase("soft_disc", Draw(discs), None, {"side": SIDE, "sharpness": sharpness})


test_family = family_test([case(1, 16.0), case(2, 5.0), case(3, 5.0)])


def by_hand(discs: np.ndarray, side: int, sharpness: float) -> np.ndarray:
    """The picture as one would draw it pixel by pixel."""
    picture = np.empty((side, side))
    for row in range(side):
        for column in range(side):
            x, y = ((2 * k + 1) / side - 1 for k in (column, row))
            dark = 1.0
            for centre_x, centre_y, radius in discs:
                far = np.sqrt((x - centre_x) ** 2 + (y - centre_y) ** 2 + CENTRE**2)
                dark *= 1 - 1 / (1 + np.exp(-sharpness * (radius - far)))
            picture[row, column] = 1 - dark
    return picture


@pytest.mark.parametrize("discs", [1, 2, 3])
def test_draws_as_a_loop_over_pixels_does(discs: int) -> None:
    y, _ = Draw(discs)(4, torch.Generator().manual_seed(0))
    drawn = SoftDisc(side=9, sharpness=12.0).simulate(y)
    for picture, one in zip(drawn, y, strict=True):
        assert_close(picture, torch.from_numpy(by_hand(one.numpy(), 9, 12.0)))


def test_derivatives_are_those_of_the_loop_by_differences() -> None:
    """The whole loss is written again in NumPy, and differentiated twice numerically."""
    y, target = Draw(2)(1, torch.Generator().manual_seed(1))
    point, seen, h = y[0].numpy().ravel(), target[0].numpy(), 1e-4

    def value(at: np.ndarray) -> float:
        difference = by_hand(at.reshape(2, 3), SIDE, 5.0) - seen
        return float((difference**2).sum() / 2)

    m = len(point)
    shift = h * np.eye(m)
    gradient = [(value(point + e) - value(point - e)) / (2 * h) for e in shift]
    hessian = [
        [
            (
                value(point + e + f) - value(point + e - f)
                - value(point - e + f) + value(point - e - f)
            )
            / (4 * h * h)
            for f in shift
        ]
        for e in shift
    ]  # fmt: skip
    found = build_loss("soft_disc", side=SIDE, sharpness=5.0).derivatives(y, target)
    assert found.hessian is not None
    assert_close(found.gradient[0], torch.tensor(gradient, dtype=y.dtype), rtol=0, atol=1e-6)
    assert_close(found.hessian[0], torch.tensor(hessian, dtype=y.dtype), rtol=0, atol=1e-5)


def test_gauss_newton_leaves_the_renderer_s_curvature_out() -> None:
    y, target = Draw(3)(5, torch.Generator().manual_seed(0))
    loss = SoftDisc(side=SIDE, second_derivatives="gauss_newton")
    J = torch.stack(
        [
            torch.func.jacrev(lambda one: loss.simulate(one[None]).flatten())(one).flatten(1)
            for one in y
        ]
    )
    assert_close(loss.jacobian(y, target), J)
    found = loss.derivatives(y, target).hessian
    assert found is not None
    assert_close(found, J.mT @ J)
    exact = SoftDisc(side=SIDE)
    residual = exact.residual(y, target)
    whole = exact.derivatives(y, target).hessian
    assert whole is not None
    assert_close(whole - found, exact.second_order(y, target, residual))
    assert (torch.linalg.eigvalsh(whole)[:, 0] < 0).any()
    seen = exact.simulate(y)
    at_the_truth = exact.derivatives(y, seen).hessian
    assert_close(at_the_truth, loss.derivatives(y, seen).hessian)


def test_the_order_of_the_discs_does_not_matter() -> None:
    y, target = Draw(3)(5, torch.Generator().manual_seed(0))
    loss = build_loss("soft_disc", side=SIDE)
    assert_close(loss(y[:, [2, 0, 1]], target), loss(y, target))


def test_sharp_discs_cover_their_area() -> None:
    y = torch.tensor([[[0.1, -0.2, 0.5]]], dtype=torch.float64)
    picture = SoftDisc(side=64, sharpness=200.0).simulate(y)
    assert picture.mean().item() * 4 == pytest.approx(math.pi * 0.5**2, rel=0.01)
    rows, columns = (picture[0] > 0.5).nonzero(as_tuple=True)
    assert columns.double().mean().item() == pytest.approx((0.1 + 1) * 32 - 0.5, abs=0.2)
    assert rows.double().mean().item() == pytest.approx((-0.2 + 1) * 32 - 0.5, abs=0.2)


def test_a_disc_outside_the_picture_is_not_felt_and_the_loss_says_why() -> None:
    loss = build_loss("soft_disc", sharpness=100.0)
    seen = SoftDisc(sharpness=100.0).simulate(torch.tensor([[[0.0, 0.0, 0.5]]]))
    for disc in ([9.0, 0.0, 0.5], [0.0, 0.0, -5.0]):
        outside = loss.derivatives(torch.tensor([[disc]]), seen)
        assert not outside.gradient.any()
    assert "outside the picture" in loss.why_flat()


def test_newton_steps_land_on_the_disc_that_is_seen() -> None:
    y = torch.tensor([[[0.05, 0.03, 0.37]]], dtype=torch.float64)
    seen = SoftDisc().simulate(torch.tensor([[[0.0, 0.0, 0.4]]], dtype=torch.float64))
    step = NewtonLoss(SoftDisc(), tikhonov=1e-6, hessian="per_sample", definiteness="saddle_free")
    for _ in range(6):
        y.requires_grad_(True)
        step(y, seen).backward()
        assert y.grad is not None
        y = y.detach() - y.grad
    assert_close(y, torch.tensor([[[0.0, 0.0, 0.4]]], dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("y", "target", "words"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 16, 16), r"shape \(N, K, 3\).* got \(2, 3\)"),
        (torch.zeros(2, 0, 3), torch.zeros(2, 16, 16), r"got \(2, 0, 3\)"),
        (torch.zeros(2, 1, 3), torch.zeros(2, 16, 8), r"a side of 16 pixels; got \(2, 16, 8\)"),
        (torch.zeros(2, 1, 3), None, "got none"),
        (torch.zeros(2, 1, 3), torch.full((2, 16, 16), math.nan), "values that are not finite"),
    ],
)
def test_says_what_would_be_right(y: Tensor, target: Tensor | None, words: str) -> None:
    loss = build_loss("soft_disc")
    with pytest.raises(ValueError, match=words):
        loss(y, target)
    with pytest.raises(ValueError, match=words):
        loss.derivatives(y, target)
