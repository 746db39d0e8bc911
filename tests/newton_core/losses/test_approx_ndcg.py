"""ApproxNDCG: against scikit-learn's NDCG, and positions counted one by one."""

import math

import pytest
import torch
from sklearn.metrics import ndcg_score
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss, permutation_matrix
from tests.newton_core.losses.checks import LossCase, family_test


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = torch.randn(samples, 4, generator=generator, dtype=torch.float64)
    return y, permutation_matrix(torch.randn(samples, 4, generator=generator))


def in_order(y: Tensor, target: Tensor | None) -> Tensor:
    assert target is not None
    places = torch.arange(y.shape[1], dtype=y.dtype)
    return 1e4 * torch.einsum("r,Nrj->Nj", places, target.to(y.dtype))


test_family = family_test(
    [
        LossCase(
            "approx_ndcg", draw=draw, best=in_order, equivariant=True, parameters={"gain": gain}
        )
        for gain in ("exponential", "linear")
    ]
)


def graded(samples: int = 6, n: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(samples, n, generator=generator, dtype=torch.float64)
    return y, torch.randint(0, 5, (samples, n), generator=generator).double()


@pytest.mark.parametrize("gain", ["exponential", "linear"])
def test_hard_limit_is_the_ndcg_of_scikit_learn(gain: str) -> None:
    y, grades = graded()
    found = build_loss("approx_ndcg", temperature=1e-4, gain=gain)(y, grades)
    gains = 2**grades - 1 if gain == "exponential" else grades
    for i in range(len(y)):
        assert found[i].item() == pytest.approx(
            1 - ndcg_score([gains[i].tolist()], [y[i].tolist()])
        )


def test_positions_one_by_one() -> None:
    y, grades = graded(2, 4)
    found = build_loss("approx_ndcg", temperature=0.5)(y, grades)
    for scores, relevant, value in zip(y.tolist(), grades.tolist(), found.tolist(), strict=True):
        sum_, best = 0.0, 0.0
        for i, score in enumerate(scores):
            others = [other for j, other in enumerate(scores) if j != i]
            position = 1 + sum(1 / (1 + math.exp((score - other) / 0.5)) for other in others)
            sum_ += (2 ** relevant[i] - 1) / math.log2(1 + position)
        for place, grade in enumerate(sorted(relevant, reverse=True), start=1):
            best += (2**grade - 1) / math.log2(1 + place)
        assert value == pytest.approx(1 - sum_ / best)


def test_relevances_of_a_permutation_and_of_nothing() -> None:
    y, _ = graded(6, 5)
    ranks = torch.randn(6, 5, generator=torch.Generator().manual_seed(1)).argsort(1).argsort(1)
    loss = build_loss("approx_ndcg")
    assert_close(loss(y, permutation_matrix(ranks)), loss(y, ranks))
    nothing = loss.derivatives(y, torch.zeros(6, 5))
    assert_close(nothing.value, torch.ones(6, dtype=torch.float64))
    assert not nothing.gradient.any()


def test_a_thousand_grades_do_not_overflow() -> None:
    y = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0))
    found = build_loss("approx_ndcg").derivatives(y, torch.arange(1000.0).expand(2, -1))
    assert torch.isfinite(found.value).all()
    assert torch.isfinite(found.gradient).all()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (torch.zeros(2, 4), r"target must be \(N, n\) = \(2, 3\)"),
        (torch.full((2, 3), torch.nan), "NaN or infinity"),
        (torch.full((2, 3), -1.0), "must not be negative, got -1"),
    ],
)
def test_bad_targets_are_one_sentence(target: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_loss("approx_ndcg")(torch.zeros(2, 3), target)
