import itertools
import math

import pytest
import torch
from diffsort import DiffSortNet
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss, permutation_matrix
from tests.newton_core.losses.checks import family_test
from tests.newton_core.losses.sorting_cases import (
    NETWORKS,
    TableCase,
    compare_with,
    draw_sorting,
    family_cases,
    sorting_loss,
)

TABLE = [
    TableCase(name, n, temperature, "odd_even")
    for name, n, temperature in itertools.product(NETWORKS, (2, 3, 5), (0.01, 0.1, 1.0, 10.0))
]
TABLE += [TableCase(name, n, 0.3, "bitonic") for name, n in itertools.product(NETWORKS, (4, 5))]
TABLE += [
    TableCase("logistic_dsn", 10, 0.1, "odd_even"),
    TableCase("cauchy_dsn", 10, 0.01, "bitonic"),
    TableCase("gaussian_dsn", 10, 1.0, "odd_even"),
    TableCase("logistic_dsn", 16, 0.01, "bitonic"),
    TableCase("cauchy_dsn", 16, 0.1, "bitonic"),
]

test_family = family_test(
    [case for name in NETWORKS for case in family_cases(name, equivariant=False)]
)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.id)
def test_log_domain_equals_the_slow_definition(case: TableCase) -> None:
    y, target = draw_sorting(3, case.n)
    compare_with(
        case.log_reference(),
        sorting_loss(case.name, case.temperature, **case.parameters),
        y,
        target,
        temperature=case.temperature,
        # torch's own second derivative of log_ndtr cancels far below 0.
        tolerance=1e-6 if case.name == "gaussian_dsn" else 1e-9,
    )


@pytest.mark.parametrize(
    "case",
    [case for case in TABLE if case.temperature >= 1]
    + [case for case in TABLE if case.name == "cauchy_dsn"],
    ids=lambda case: case.id,
)
def test_bce_loss_equals_torch_on_the_definition(case: TableCase) -> None:
    y, target = draw_sorting(3, case.n)
    compare_with(
        case.bce_reference(),
        sorting_loss(case.name, case.temperature, numerics="bce_loss", **case.parameters),
        y,
        target,
        temperature=case.temperature,
        tolerance=1e-8,
    )


PEERS = {
    # name in diffsort, our inverse temperature per unit of its steepness
    "logistic_dsn": ("logistic", 1.0),
    "cauchy_dsn": ("cauchy", 1.0),
    "gaussian_dsn": ("gaussian", 1.0),
    "reciprocal_dsn": ("reciprocal", 0.25),  # its v / (4 + 2 abs(v)) is ours at v / 4
    "optimal_dsn": ("optimal", 1.0),
}


def peer_permutation(name: str, network: str, steepness: float, y: Tensor) -> Tensor:
    """diffsort's permutation has items as rows and ranks as columns: ours, transposed."""
    peer = DiffSortNet(network, y.shape[1], steepness=steepness, distribution=PEERS[name][0])
    permutation: Tensor = peer(y)[1].mT
    return permutation


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("network", "n"),
    [("odd_even", n) for n in (2, 3, 5, 10)] + [("bitonic", n) for n in (2, 4, 5, 7, 10, 16)],
)
def test_diffsort_agrees_on_permutation_and_gradient(name: str, network: str, n: int) -> None:
    y, target = draw_sorting(4, n)
    steepness = 3.0
    loss = build_loss(
        name, inverse_temperature=steepness * PEERS[name][1], network=network, numerics="bce_loss"
    )
    # diffsort rounds its Gaussian's width to float32, and guards its optimal CDF by 1e-10.
    rounded = name in ("gaussian_dsn", "optimal_dsn")
    tolerance = {"rtol": 1e-5, "atol": 1e-8} if rounded else {}
    assert_close(
        loss.relaxed_permutation(y), peer_permutation(name, network, steepness, y), **tolerance
    )
    leaf = y.clone().requires_grad_(True)
    p = peer_permutation(name, network, steepness, leaf)
    value = torch.nn.functional.binary_cross_entropy(p, target, reduction="none").mean((1, 2))
    value.sum().backward()
    assert leaf.grad is not None
    derivatives = loss.derivatives(y, target, hessian=False)
    assert_close(derivatives.value, value.detach(), **tolerance)
    assert_close(derivatives.gradient, leaf.grad, **tolerance)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("network", "n"), [("odd_even", 7), ("bitonic", 11)])
def test_rows_and_columns_sum_to_one(name: str, network: str, n: int) -> None:
    y, _ = draw_sorting(5, n)
    loss = sorting_loss(name, 0.2, network=network)
    p = loss.relaxed_permutation(y)
    assert (p >= 0).all()
    ones = torch.ones(5, n, dtype=torch.float64)
    assert_close(p.sum(1), ones)
    assert_close(p.sum(2), ones)
    log_p, log_not_p = loss.log_permutation(y)
    assert_close(log_p.exp(), p)
    assert_close(log_not_p.exp(), 1 - p)


def test_two_scores_by_hand() -> None:
    """One comparator: P is the CDF of β times the distance."""
    y = torch.tensor([[0.3, -0.5]], dtype=torch.float64)
    alpha = math.atan(4 * -0.8) / math.pi + 0.5
    loss = build_loss("cauchy_dsn", inverse_temperature=4.0)
    expected = torch.tensor([[[alpha, 1 - alpha], [1 - alpha, alpha]]], dtype=torch.float64)
    assert_close(loss.relaxed_permutation(y), expected)
    right = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    assert_close(loss(y, right), torch.tensor([-math.log(1 - alpha)], dtype=torch.float64))


@pytest.mark.parametrize("name", ["logistic_dsn", "cauchy_dsn"])
def test_not_equivariant_to_reordering(name: str) -> None:
    """Wires are compared in a fixed order, so the item's place matters (a little)."""
    y, target = draw_sorting(4, 5)
    loss = sorting_loss(name, 1.0)
    order = torch.tensor([3, 1, 4, 0, 2])
    assert not torch.allclose(loss(y[:, order], target[:, :, order]), loss(y, target), rtol=1e-3)


@pytest.mark.parametrize("numerics", ["log_domain", "bce_loss"])
def test_large_batches_equal_small_ones(numerics: str) -> None:
    """Above a size the outer products take another way."""
    y, target = draw_sorting(40, 16)
    loss = build_loss("logistic_dsn", inverse_temperature=1.0, numerics=numerics)
    whole = loss.derivatives(y, target)
    for samples in (slice(0, 1), slice(17, 20)):
        part = loss.derivatives(y[samples], target[samples])
        assert_close(part.value, whole.value[samples])
        assert_close(part.gradient, whole.gradient[samples])
        assert part.hessian is not None
        assert whole.hessian is not None
        assert_close(part.hessian, whole.hessian[samples])


def test_works_after_a_first_use_in_inference_mode() -> None:
    """The network's indices are cached: they must still serve a graph."""
    y, target = draw_sorting(2, 13)
    loss = build_loss("cauchy_dsn", network="bitonic")
    with torch.inference_mode():
        loss(y.clone(), target)
    y.requires_grad_(True)
    loss(y, target).sum().backward()
    assert y.grad is not None


@pytest.mark.parametrize("name", NETWORKS)
def test_hardens_to_the_permutation(name: str) -> None:
    y = torch.tensor([[2.0, -1.0, 0.5, 3.5, 7.0]])
    p = sorting_loss(name, 1e-4).relaxed_permutation(y)
    assert_close(p, permutation_matrix(y), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "monotonic"),
    [(name, name in ("cauchy_dsn", "reciprocal_dsn", "optimal_dsn")) for name in NETWORKS],
)
def test_relaxed_minimum_is_monotonic_as_documented(name: str, monotonic: bool) -> None:
    """One comparator, second input fixed at 0: does the smaller output fall as the first rises?"""
    first = torch.linspace(-8, 8, 801, dtype=torch.float64)
    y = torch.stack((first, torch.zeros_like(first)), dim=1)
    p = sorting_loss(name, 1.0).relaxed_permutation(y)
    minimum = (p[:, 0] * y).sum(1)
    assert bool((minimum.diff() >= -1e-12).all()) is monotonic
