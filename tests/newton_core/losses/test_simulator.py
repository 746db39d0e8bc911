"""The base of simulators, through two that a user might write."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from newton_core import newton_direction
from newton_core.curvature import hessian_direction
from newton_core.losses import SimulatorLoss, autodiff_derivatives
from newton_core.losses.constant_hessian import ConstantHessian
from tests.newton_core.losses.checks import close


class Spring(SimulatorLoss):
    """A function of one's own: no more than this is needed."""

    def simulate(self, y: Tensor) -> Tensor:
        return torch.stack((y[:, 0] - 0.1 * y[:, 1] ** 3, y.prod(1), y.sin().sum(1)), dim=1)


class ExactSpring(Spring):
    exact = True


class Mixed(SimulatorLoss):
    """Linear: a state of four numbers from two by three outputs."""

    linear = True

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        random = torch.Generator().manual_seed(0)
        self.matrix = torch.randn(4, 6, generator=random, dtype=torch.float64)

    def simulate(self, y: Tensor) -> Tensor:
        return y.flatten(1) @ self.matrix.mT.to(y)

    def constant_hessian(self, y: Tensor, target: Tensor | None) -> ConstantHessian:
        self.asked += 1
        return super().constant_hessian(y, target)


class KnownJacobian(Spring):
    def jacobian(self, y: Tensor, target: Tensor | None) -> Tensor:
        first = torch.stack((torch.ones_like(y[:, 0]), -0.3 * y[:, 1] ** 2), dim=1)
        return torch.stack((first, y.flip(1), y.cos()), dim=1)


def batch(samples: int = 6) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(2)
    y = torch.randn(samples, 2, generator=random, dtype=torch.float64)
    return y, torch.randn(samples, 3, generator=random, dtype=torch.float64)


def test_gauss_newton_is_the_exact_hessian_without_the_state_s_own() -> None:
    y, target = batch()
    gauss_newton, exact = Spring().derivatives(y, target), autodiff_derivatives(Spring(), y, target)
    assert_close(gauss_newton.value, exact.value)
    assert_close(gauss_newton.gradient, exact.gradient)
    assert gauss_newton.hessian is not None
    assert (torch.linalg.eigvalsh(gauss_newton.hessian) >= -1e-12).all()
    residual = Spring().residual(y, target)
    assert_close(gauss_newton.hessian + Spring().second_order(y, target, residual), exact.hessian)
    assert_close(ExactSpring().derivatives(y, target).hessian, exact.hessian)


@pytest.mark.parametrize("loss", [Spring(), ExactSpring(), KnownJacobian()])
def test_the_mean_is_that_of_the_hessians(loss: SimulatorLoss) -> None:
    y, target = batch(30)
    dense = loss.derivatives(y, target)
    assert dense.hessian is not None
    assert_close(loss.mean_hessian(y, target), dense.hessian.mean(0))
    close(
        newton_direction(loss, y, target, tikhonov=0.1, definiteness="saddle_free"),
        hessian_direction(dense.gradient, dense.hessian, 0.1, definiteness="saddle_free"),
        1e-12,
    )


def test_a_jacobian_that_is_known_is_used() -> None:
    y, target = batch()
    assert_close(KnownJacobian().jacobian(y, target), Spring().jacobian(y, target))
    known, found = KnownJacobian().derivatives(y, target), Spring().derivatives(y, target)
    assert_close(known.hessian, found.hessian)


@pytest.mark.parametrize("kind", ["batch_mean", "per_sample"])
def test_a_linear_simulator_is_looked_at_once(kind: str) -> None:
    loss = Mixed()
    random = torch.Generator().manual_seed(3)
    for tikhonov in (0.01, 1.0, 1.0):
        y = torch.randn(5, 2, 3, generator=random, dtype=torch.float64)
        target = torch.randn(5, 4, generator=random, dtype=torch.float64)
        dense = autodiff_derivatives(loss, y, target)
        assert dense.hessian is not None
        close(
            newton_direction(loss, y, target, tikhonov=tikhonov, hessian=kind).flatten(1),
            hessian_direction(dense.gradient, dense.hessian, tikhonov, "per_sample"),
            1e-9,
        )
        assert_close(loss.derivatives(y, target).hessian, dense.hessian)
        assert_close(loss.mean_hessian(y, target), dense.hessian[0])
    assert loss.asked == 1


def test_a_hessian_by_axes_is_the_kronecker_product() -> None:
    random = torch.Generator().manual_seed(4)
    U, W = (
        torch.linalg.qr(torch.randn(s, s, generator=random, dtype=torch.float64)).Q for s in (3, 4)
    )
    eigenvalues = torch.rand(3, 4, generator=random, dtype=torch.float64)
    hessian = ConstantHessian(torch.Size((3, 4)), (U, W), eigenvalues)
    Q = torch.kron(U, W)
    assert_close(hessian.matrix(), Q @ eigenvalues.flatten().diag() @ Q.mT)
    right = torch.randn(5, 12, generator=random, dtype=torch.float64)
    damped = hessian.matrix() + 0.3 * torch.eye(12, dtype=torch.float64)
    assert_close(hessian.solve(right, 0.3), torch.linalg.solve(damped, right.mT).mT)


def test_a_state_of_another_shape_than_the_target_is_refused() -> None:
    y, target = batch()
    with pytest.raises(ValueError, match="must have the shape of y"):
        Spring()(y, target[:, :2])
