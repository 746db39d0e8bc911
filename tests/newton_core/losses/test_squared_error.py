import pytest
import torch
from torch import Tensor

from newton_core import build_loss, newton_target
from tests.newton_core.losses.checks import LossCase, family_test


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = torch.randn(samples, 3, generator=generator, dtype=torch.float64)
    return y, torch.randn(samples, 3, generator=generator, dtype=torch.float64)


def best(y: Tensor, target: Tensor | None) -> Tensor:
    assert target is not None
    return target


test_family = family_test(
    [LossCase("squared_error", draw=draw, best=best, positive_semidefinite=True)]
)


def test_has_the_factor_one_half() -> None:
    loss = build_loss("squared_error")
    assert loss(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).item() == 12.5


@pytest.mark.parametrize("kind", ["batch_mean", "per_sample"])
def test_a_newton_step_lands_on_the_target(kind: str) -> None:
    y, target = draw(5, torch.Generator().manual_seed(0))
    landed = newton_target(
        build_loss("squared_error"), y, target, curvature="hessian", hessian=kind, tikhonov=1e-12
    )
    torch.testing.assert_close(landed, target, rtol=0, atol=1e-11)


def test_refuses_a_target_of_another_shape() -> None:
    with pytest.raises(ValueError, match="must have the shape of y"):
        build_loss("squared_error")(torch.zeros(2, 3), torch.zeros(3))
