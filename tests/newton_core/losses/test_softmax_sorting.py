"""NeuralSort and SoftSort: each row of the relaxed permutation is a softmax."""

import itertools
import math

import pytest
import torch
from torch.testing import assert_close

from newton_core import build_loss, permutation_matrix
from newton_core.losses import autodiff_derivatives
from newton_core.losses.neuralsort import NeuralSortLogits
from newton_core.losses.softmax_sorting import LinearLogits
from tests.newton_core.losses.checks import family_test
from tests.newton_core.losses.sorting_cases import (
    TableCase,
    compare_with,
    draw_sorting,
    family_cases,
    sorting_loss,
)
from tests.newton_core.losses.sorting_reference import softmax_permutation

NAMES = ("neuralsort", "softsort")
TABLE = [
    TableCase(name, n, temperature)
    for name, n, temperature in itertools.product(NAMES, (2, 3, 5, 10, 16), (0.01, 0.1, 1.0, 10.0))
]

test_family = family_test([case for name in NAMES for case in family_cases(name, equivariant=True)])


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.id)
def test_log_domain_equals_the_slow_definition(case: TableCase) -> None:
    y, target = draw_sorting(4, case.n)
    compare_with(
        case.log_reference(),
        sorting_loss(case.name, case.temperature),
        y,
        target,
        temperature=case.temperature,
        tolerance=1e-11,
    )


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.id)
def test_log_domain_in_float32_keeps_its_digits(case: TableCase) -> None:
    y, target = draw_sorting(4, case.n)
    y = y.float().double()  # the same scores for both
    loss = sorting_loss(case.name, case.temperature)
    fast, exact = loss.derivatives(y.float(), target), loss.derivatives(y, target)
    assert fast.hessian is not None
    assert exact.hessian is not None
    for got, want in (
        (fast.value, exact.value),
        (fast.gradient, exact.gradient),
        (fast.hessian, exact.hessian),
    ):
        # Logits of about n / temperature round in float32.
        assert (got - want).abs().max() <= 1e-5 * case.n / min(case.temperature, 1) * max(
            want.abs().max(), 1e-6
        )


@pytest.mark.parametrize(
    "case", [case for case in TABLE if case.temperature >= 1], ids=lambda case: case.id
)
def test_bce_loss_equals_torch_on_the_definition(case: TableCase) -> None:
    y, target = draw_sorting(4, case.n)
    compare_with(
        case.bce_reference(),
        sorting_loss(case.name, case.temperature, numerics="bce_loss"),
        y,
        target,
        temperature=case.temperature,
        tolerance=1e-9,
    )


@pytest.mark.parametrize("name", NAMES)
def test_two_scores_by_hand(name: str) -> None:
    """n = 2: each row is a logistic function of the distance between the scores, over τ."""
    y = torch.tensor([[0.3, -0.5]], dtype=torch.float64)
    p = 1 / (1 + math.exp(-0.8 / 0.7))  # the first item is the larger one
    loss = build_loss(name, temperature=0.7)
    expected = torch.tensor([[[1 - p, p], [p, 1 - p]]], dtype=torch.float64)
    assert_close(loss.relaxed_permutation(y), expected)
    right = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    assert_close(loss(y, right), torch.tensor([-math.log(p)], dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [2, 5, 9])
def test_relaxed_permutation_is_the_paper_s(n: int, name: str) -> None:
    y, _ = draw_sorting(6, n)
    p = build_loss(name, temperature=0.6).relaxed_permutation(y)
    assert_close(p, softmax_permutation(name, 0.6)(y))
    assert_close(p.sum(2), torch.ones(6, n, dtype=torch.float64))
    assert torch.equal(p.argmax(2), permutation_matrix(y).argmax(2))


@pytest.mark.parametrize("numerics", ["log_domain", "bce_loss"])
def test_softsort_does_not_move_equal_scores(numerics: str) -> None:
    """As its docstring says; scores that differ at all have a gradient."""
    y, target = torch.full((2, 4), 0.3), permutation_matrix(torch.arange(8.0).view(2, 4))
    loss = build_loss("softsort", numerics=numerics)
    found = loss.derivatives(y, target)
    assert not found.gradient.any()
    assert not found.hessian.any()
    y[:, 0] += 1e-6
    assert loss.derivatives(y, target).gradient.any()


def test_hessian_with_three_equal_scores_is_that_of_sign_zero() -> None:
    """At a tie abs has the derivative 0, for the loss, its reference and its closed form alike."""
    y = torch.tensor([[0.5, 0.5, -1.0, 0.5]], dtype=torch.float64)
    target = permutation_matrix(torch.tensor([[2.0, 0.0, 1.0, 3.0]]))
    case = TableCase("softsort", 4, 0.7)
    compare_with(
        case.log_reference(), sorting_loss("softsort", 0.7), y, target, temperature=0.7,
        tolerance=1e-12,
    )  # fmt: skip


@pytest.mark.parametrize("numerics", ["log_domain", "bce_loss"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "temperature"), [(5, 1.0), (10, 0.1), (5, 0.03)])
def test_the_compiled_mean_hessian_is_that_of_the_samples(
    name: str, numerics: str, n: int, temperature: float
) -> None:
    """Also where float32 saturates, at the lowest temperature: there both round as torch does."""
    generator = torch.Generator().manual_seed(0)
    single, noise = torch.randn(2, 40, n, generator=generator)
    single[:3, 1] = single[:3, 0]  # ties
    loss = build_loss(name, numerics=numerics, temperature=temperature)
    for y, tolerance in ((single, 1e-4), (single.double(), 1e-6), (single[3:4], 1e-4)):
        target = permutation_matrix(y + 0.3 * noise[: len(y)])
        whole, mean = loss.derivatives(y, target), loss.mean_derivatives(y, target)
        assert whole.hessian is not None
        assert mean is not None
        assert mean.hessian is not None
        assert mean.gradient.dtype == y.dtype
        assert torch.equal(mean.value, whole.value)
        off = (mean.gradient - whole.gradient).abs().max()
        assert off <= 1e-2 * tolerance * whole.gradient.abs().max()
        expected = whole.hessian.mean(0, dtype=torch.float64)
        assert (mean.hessian[0] - expected).abs().max() <= tolerance * expected.abs().max()


@pytest.mark.parametrize("numerics", ["log_domain", "bce_loss"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_the_mean_of_a_batch_shows_a_score_that_is_not_finite(
    name: str, numerics: str, bad: float
) -> None:
    y, noise = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))
    target = permutation_matrix(y + 0.3 * noise)
    y[2, 3] = bad
    mean = build_loss(name, numerics=numerics).mean_derivatives(y, target)
    assert mean is not None
    known = torch.arange(6) != 2
    assert torch.equal(torch.isfinite(mean.value), known)
    assert torch.equal(torch.isfinite(mean.gradient).all(1), known)


@pytest.mark.parametrize(
    ("samples", "n"), [(20, 10), (8, 2), (33, 7), (100, 5), (9, 16), (12, 33), (20, 63)]
)
@pytest.mark.parametrize("temperature", [1e-3, 0.03, 1.0])
def test_the_compiled_bce_hessians_round_as_torch_does(
    samples: int, n: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a wrong item saturates, and rounding alone decides over the Hessian."""
    generator = torch.Generator().manual_seed(n)
    y, noise = torch.randn(2, samples, n, generator=generator)
    target = permutation_matrix(y + 0.3 * noise)
    y[0, 0], y[1] = torch.nan, 0.0
    loss = build_loss("neuralsort", numerics="bce_loss", temperature=temperature)
    found = loss.derivatives(y, target).hessian
    compiled = NeuralSortLogits.compiled_saturating_hessian
    monkeypatch.setattr(
        NeuralSortLogits, compiled.__name__, LinearLogits.compiled_saturating_hessian
    )
    expected = loss.derivatives(y, target).hessian
    assert found is not None
    assert expected is not None
    assert found.is_contiguous()
    assert torch.equal(found.isnan(), expected.isnan())
    sizes = expected.abs().amax((1, 2), keepdim=True).clamp(min=1e-30)
    assert_close(found / sizes, expected / sizes, rtol=0, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("name", ["neuralsort", "softsort", "cauchy_dsn", "sinkhorn", "soft_rank"])
def test_an_empty_batch_has_empty_derivatives(name: str) -> None:
    y, target = torch.zeros(0, 3).double(), torch.zeros(0, 3, 3)
    loss = build_loss(name)
    for found in (loss.derivatives(y, target), autodiff_derivatives(loss, y, target)):
        assert found.hessian is not None
        assert (found.value.shape, found.hessian.shape) == ((0,), (0, 3, 3))
    mean = loss.mean_derivatives(y, target)
    assert mean is None or mean.gradient.shape == (0, 3)
