"""Soft ranks: against published values, scikit-learn's and SciPy's solvers, and each other."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import isotonic_regression, minimize
from scipy.stats import spearmanr
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import ndcg_score
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss, newton_direction, permutation_matrix
from newton_core.algorithms.soft_ranks import Regularization, find_pools, soft_ranks
from newton_core.curvature import hessian_direction
from newton_core.losses import autodiff_derivatives
from tests.newton_core.losses.checks import LossCase, close, family_test

KINDS: tuple[Regularization, ...] = ("l2", "entropic")


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = torch.randn(samples, 4, generator=generator, dtype=torch.float64)
    return y, permutation_matrix(torch.randn(samples, 4, generator=generator))


def in_order(y: Tensor, target: Tensor | None) -> Tensor:
    """Far apart in the true order: all ranks are hard and right."""
    assert target is not None
    places = torch.arange(y.shape[1], dtype=y.dtype)
    return 1e4 * torch.einsum("r,Nrj->Nj", places, target.to(y.dtype))


test_family = family_test(
    [
        LossCase(
            "soft_rank",
            draw=draw,
            best=in_order,
            parameters={"regularization": kind, "objective": objective},
            positive_semidefinite=kind == "l2" and objective == "spearman",
            equivariant=True,
        )
        for kind in KINDS
        for objective in ("spearman", "ndcg")
    ]
)


def scores(samples: int, n: int, spread: float = 1.0, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(samples, n, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(
    ("values", "strength", "expected"),
    [
        # the examples of torchsort 0.1.9 (README) and of google-research/fast-soft-sort (README)
        ([8.0, 0, 5, 3, 2, 1, 6, 7, 9], 1.0, [8.0, 1, 5, 4, 3, 2, 6, 7, 9]),
        ([5.0, 1, 2], 2.0, [3.0, 1.25, 1.75]),
        ([2.0, 1, 5], 2.0, [1.75, 1.25, 3.0]),
        ([2.0, 1, 5], 1.0, [2.0, 1, 3]),
    ],
)
def test_published_values(values: list[float], strength: float, expected: list[float]) -> None:
    found = soft_ranks(torch.tensor([values], dtype=torch.float64), strength)
    assert_close(found, torch.tensor([expected], dtype=torch.float64))


@pytest.mark.parametrize("n", [2, 7, 60])
@pytest.mark.parametrize("strength", [0.05, 0.5, 5.0])
def test_l2_equals_isotonic_regression_of_two_libraries(strength: float, n: int) -> None:
    y = scores(8, n)
    for row, found in zip(y.numpy() / strength, soft_ranks(y, strength).numpy(), strict=True):
        order = np.argsort(-row)
        wanted = row[order] - np.arange(n, 0, -1)
        peers = (
            isotonic_regression(wanted, increasing=False).x,
            IsotonicRegression(increasing=False).fit_transform(np.arange(n), wanted),
        )
        for level in peers:
            np.testing.assert_allclose(found[order], row[order] - level, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_are_the_nearest_point_of_the_permutahedron(kind: Regularization) -> None:
    """n = 4, brute force: a constraint for each subset of the items, and a general solver."""
    y = scores(5, 4, spread=1.5)
    subsets = [s for k in range(1, 4) for s in itertools.combinations(range(4), k)]
    bounds = [
        {"type": "ineq", "fun": lambda r, s=s: sum(range(5 - len(s), 5)) - r[list(s)].sum()}
        for s in subsets
    ]
    whole = [{"type": "eq", "fun": lambda r: r.sum() - 10}]
    for z, found in zip(y.numpy(), soft_ranks(y, 1.0, kind).numpy(), strict=True):

        def distance(r: Any, z: Any = z) -> float:
            if kind == "l2":
                return float(((r - z) ** 2).sum() / 2)
            return float((r * (np.log(np.maximum(r, 1e-9)) - z - 1)).sum())

        best = minimize(distance, np.full(4, 2.5), constraints=bounds + whole, tol=1e-12)
        np.testing.assert_allclose(found, best.x, atol=2e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_hard_and_soft_limits(kind: Regularization) -> None:
    y = scores(6, 9)
    hard = y.argsort(1).argsort(1).double() + 1
    assert_close(soft_ranks(y, 1e-6, kind), hard)
    assert_close(soft_ranks(y, 1e9, kind), torch.full_like(y, 5.0))
    assert_close(soft_ranks(y, 0.7, kind).sum(1), torch.full((6,), 45.0, dtype=torch.float64))


def test_values_are_the_metrics_that_they_are_named_after() -> None:
    """Hard ranks have SciPy's Spearman correlation and scikit-learn's NDCG."""
    y, truth = 1e3 * scores(6, 8), scores(6, 8, seed=1)
    grades = torch.randint(0, 5, (6, 8), generator=torch.Generator().manual_seed(2)).double()
    spearman = build_loss("soft_rank")(y, truth)
    exponential = build_loss("soft_rank", objective="ndcg")(y, grades)
    linear = build_loss("soft_rank", objective="ndcg", gain="linear")(y, grades)
    for i in range(6):
        assert spearman[i].item() == pytest.approx(1 - spearmanr(y[i], truth[i]).statistic)
        for found, gains in ((exponential[i], 2 ** grades[i] - 1), (linear[i], grades[i])):
            assert found.item() == pytest.approx(1 - ndcg_score([gains.numpy()], [y[i].numpy()]))


def test_targets_in_any_of_their_forms() -> None:
    y, truth = scores(6, 8), scores(6, 8, seed=1)
    matrices, ranks = permutation_matrix(truth), truth.argsort(1).argsort(1)
    spearman = build_loss("soft_rank")
    for same in (ranks, ranks + 1, truth):
        assert_close(spearman(y, same), spearman(y, matrices))
    ndcg = build_loss("soft_rank", objective="ndcg")
    assert_close(ndcg(y, ranks * (4 / 7)), ndcg(y, matrices))
    tied = torch.tensor([[1.0, 0, 1, 0]], dtype=torch.float64)
    even = torch.tensor([[3.5, 1.5, 3.5, 1.5]], dtype=torch.float64)
    assert_close(spearman(y[:1, :4], tied), (soft_ranks(y[:1, :4]) - even).square().sum(1) / 10)


def test_items_alone_have_no_derivative_and_neighbours_have() -> None:
    y = torch.tensor([[0.0, 0.4, 5.0, 0.8, 9.0]], dtype=torch.float64)
    for kind in KINDS:
        loss = build_loss("soft_rank", regularization=kind)
        found = loss.derivatives(y, torch.tensor([[4, 3, 2, 1, 0]]))
        alone = [2, 4]
        pooled = [0, 1, 3]
        assert not found.gradient[0, alone].any()
        assert not found.hessian[0, alone].any()
        assert not found.hessian[0, :, alone].any()
        assert found.gradient[0, pooled].all()


def test_squared_loss_has_a_projection_as_hessian() -> None:
    """c/ε² times the projection: idempotent, and the gradient lies in its range."""
    y, n, strength = scores(6, 6), 6, 0.7
    found = build_loss("soft_rank", regularization_strength=strength).derivatives(
        y, permutation_matrix(scores(6, 6, seed=1))
    )
    curvature = 12 / (n * (n**2 - 1) * strength**2)
    projection = found.hessian / curvature
    assert_close(projection @ projection, projection)
    assert_close((found.hessian @ found.gradient.unsqueeze(2)).squeeze(2),
                 curvature * found.gradient)  # fmt: skip


def test_at_a_kink_items_are_pooled() -> None:
    """Two scores exactly ε apart: the derivative of the side where they are closer."""
    loss = build_loss("soft_rank", regularization_strength=0.5)
    wrong = torch.tensor([[1, 0]])
    at = torch.tensor([[0.0, 0.5]], dtype=torch.float64)
    closer, apart = at - torch.tensor([[0.0, 1e-9]]), at + torch.tensor([[0.0, 1e-9]])
    assert_close(loss.derivatives(at, wrong).gradient, loss.derivatives(closer, wrong).gradient)
    assert_close(loss.derivatives(at, wrong).hessian, loss.derivatives(closer, wrong).hessian)
    assert not loss.derivatives(apart, wrong).gradient.any()
    assert find_pools(torch.zeros(1, 3), "l2").sizes.tolist() == [[3, 3, 3]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("objective", ["spearman", "ndcg"])
def test_many_items(objective: str, kind: str) -> None:
    """A batch of 200 items: autodiff's gradient, and a mean Hessian that leads its way."""
    y, truth = scores(3, 200), scores(3, 200, seed=1)
    target = truth if objective == "spearman" else 1 + truth.abs().floor()
    loss = build_loss(
        "soft_rank", objective=objective, regularization=kind, regularization_strength=0.03
    )
    found, slow = loss.derivatives(y, target), autodiff_derivatives(loss, y, target, hessian=False)
    close(found.value, slow.value, 1e-9)
    assert_close(found.gradient, slow.gradient, rtol=1e-6, atol=1e-9)
    direct = newton_direction(loss, y, target, tikhonov=0.1)
    assert_close(direct, hessian_direction(found.gradient, found.hessian, 0.1))


@pytest.mark.parametrize(
    ("y", "target", "words"),
    [
        (torch.zeros(2, 3), None, "got None"),
        (torch.zeros(2, 3), torch.zeros(2, 4), r"target must be \(N, n\) = \(2, 3\)"),
        (torch.zeros(2, 1), torch.zeros(2, 1), "n >= 2"),
        (torch.zeros(2, 3), torch.tensor([[0, 1, torch.nan]] * 2), "NaN or infinity"),
        (torch.zeros(2, 3), torch.tensor([[0.0, 1, -2]] * 2), "must not be negative, got -2"),
    ],
)
def test_bad_input_is_one_sentence(y: Tensor, target: Tensor | None, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        build_loss("soft_rank", objective="ndcg")(y, target)
    assert "\n" not in str(caught.value)


def test_a_flat_start_says_why() -> None:
    loss = build_loss("soft_rank")
    y, target = torch.tensor([[0.0, 10.0, 20.0]]), torch.tensor([[2, 1, 0]])
    assert not loss.derivatives(y, target).gradient.any()
    assert "regularization strength" in loss.why_flat()
