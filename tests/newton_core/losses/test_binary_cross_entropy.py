import pytest
import torch
from torch import Tensor

from newton_core import build_loss
from tests.newton_core.losses.checks import LossCase, assert_same, family_test


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = 3 * torch.randn(samples, 2, 3, generator=generator, dtype=torch.float64)
    return y, torch.rand(samples, 2, 3, generator=generator, dtype=torch.float64)


def best(y: Tensor, target: Tensor | None) -> Tensor:
    assert target is not None
    return torch.logit(target)


test_family = family_test(
    [LossCase("binary_cross_entropy", draw=draw, best=best, positive_semidefinite=True)]
)


def test_sums_torchs_entries() -> None:
    y, target = draw(8, torch.Generator().manual_seed(0))
    each = torch.nn.functional.binary_cross_entropy_with_logits(y, target, reduction="none")
    torch.testing.assert_close(build_loss("binary_cross_entropy")(y, target), each.sum((1, 2)))


def test_one_output_per_sample_needs_no_second_axis() -> None:
    y, target = torch.tensor([0.5, -2.0]), torch.tensor([1.0, 0.0])
    loss = build_loss("binary_cross_entropy")
    flat, deep = loss.derivatives(y, target), loss.derivatives(y[:, None], target[:, None])
    assert_same(flat, deep)
    assert flat.gradient.shape == (2, 1)


def test_gradient_of_a_confident_right_answer_is_not_rounded_away() -> None:
    y, target = torch.tensor([[20.0, -20.0]]), torch.tensor([[1.0, 0.0]])
    gradient = build_loss("binary_cross_entropy").derivatives(y, target).gradient
    torch.testing.assert_close(gradient, torch.tensor([[-2.0611537e-09, 2.0611537e-09]]))


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (None, "needs a target of the shape of y"),
        (torch.zeros(2, 1), r"shape of y, \(2, 3\), got \(2, 1\)"),
        (torch.tensor([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]), "values from 0 to 2"),
        (torch.full((2, 3), torch.nan), "values from nan to nan"),
    ],
)
def test_refuses_targets_that_are_no_probabilities(target: Tensor | None, complaint: str) -> None:
    loss = build_loss("binary_cross_entropy")
    for use in (loss, loss.derivatives):
        with pytest.raises(ValueError, match=complaint):
            use(torch.zeros(2, 3), target)


def test_yes_or_no_targets_may_be_booleans() -> None:
    y = torch.tensor([[0.3, -0.2]])
    loss = build_loss("binary_cross_entropy")
    torch.testing.assert_close(
        loss(y, torch.tensor([[True, False]])), loss(y, torch.tensor([[1.0, 0.0]]))
    )
