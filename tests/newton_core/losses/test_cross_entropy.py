import mpmath
import pytest
import torch
from torch import Tensor

from newton_core import build_loss, newton_direction
from tests.newton_core.losses.checks import LossCase, family_test


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = 3 * torch.randn(samples, 4, generator=generator, dtype=torch.float64)
    return y, torch.randint(4, (samples,), generator=generator)


def best(y: Tensor, target: Tensor | None) -> Tensor:
    """The true class far ahead: the infimum lies at infinity."""
    assert target is not None
    return 40.0 * torch.nn.functional.one_hot(target, y.shape[1]).to(y)


test_family = family_test(
    [LossCase("cross_entropy", draw=draw, best=best, positive_semidefinite=True)]
)


def test_equals_torch() -> None:
    y, target = draw(8, torch.Generator().manual_seed(0))
    expected = torch.nn.functional.cross_entropy(y, target, reduction="none")
    torch.testing.assert_close(build_loss("cross_entropy")(y, target), expected)


@pytest.mark.parametrize("tikhonov", [1e-12, 1e-4, 1.0, 1e6])
def test_per_sample_direction_keeps_its_digits(tikhonov: float) -> None:
    """Against 60 digits: a dense float64 solve of the same system is off by eps / tikhonov."""
    y = torch.tensor(
        [[2.0, -1.0, 0.5], [30.0, 0.0, -30.0], [-30.0, 0.0, 30.0]], dtype=torch.float64
    )
    target = torch.tensor([1, 0, 0])
    direction = newton_direction(
        build_loss("cross_entropy"),
        y,
        target,
        curvature="hessian",
        hessian="per_sample",
        tikhonov=tikhonov,
    )
    with mpmath.workdps(60):
        for row, label, actual in zip(y.tolist(), target.tolist(), direction, strict=True):
            total = mpmath.fsum(mpmath.exp(value) for value in row)
            p = mpmath.matrix([mpmath.exp(value) / total for value in row])
            system = mpmath.diag(p) - p * p.T + tikhonov * mpmath.eye(3)
            gradient = p.copy()
            gradient[label] -= 1
            exact = torch.tensor(
                [float(value) for value in mpmath.lu_solve(system, gradient)], dtype=torch.float64
            )
            torch.testing.assert_close(actual, exact, rtol=1e-13, atol=0)


def test_gradient_of_a_confident_right_answer_is_not_rounded_away() -> None:
    """p - 1 would be 0 in float32 where the other classes still hold 2e-9."""
    y, target = torch.tensor([[20.0, 0.0]]), torch.tensor([0])
    gradient = build_loss("cross_entropy").derivatives(y, target).gradient
    torch.testing.assert_close(gradient, torch.tensor([[-2.0611537e-09, 2.0611537e-09]]))


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (None, "got none"),
        (torch.tensor([0, 4]), "classes from 0 to 3, got 0 to 4"),
        (torch.tensor([-1, 1]), "got -1 to 1"),
        (torch.tensor([0.0, 1.0]), "integers of shape"),
        (torch.tensor([0, 1, 2]), "integers of shape"),
    ],
)
def test_refuses_targets_that_are_no_classes(target: Tensor | None, complaint: str) -> None:
    loss = build_loss("cross_entropy")
    y = torch.zeros(2, 4)
    for use in (loss, loss.derivatives, lambda y, t: loss.per_sample_direction(y, t, 0.1)):
        with pytest.raises(ValueError, match=complaint):
            use(y, target)


def test_small_integer_labels_are_welcome() -> None:
    y, target = draw(5, torch.Generator().manual_seed(0))
    loss = build_loss("cross_entropy")
    torch.testing.assert_close(loss(y, target.to(torch.uint8)), loss(y, target))
