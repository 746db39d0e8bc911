"""The compiled kernels of the sorting networks against torch's operations."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy
from torch.testing import assert_close

from newton_core import permutation_matrix
from newton_core.algorithms.saturating_network_kernels import cross_entropy
from newton_core.losses import Derivatives, autodiff_derivatives
from newton_core.losses.compiled_network import _KEPT, KEPT_NUMBERS
from newton_core.losses.network_derivatives import log_domain_derivatives, saturating_derivatives
from newton_core.losses.sorting import sample_last
from newton_core.losses.sorting_network import SortingNetworkLoss
from tests.newton_core.losses.sorting_cases import NETWORKS, draw_sorting, sorting_loss

either_numerics = pytest.mark.parametrize("numerics", ["log_domain", "bce_loss"])


def network_loss(name: str, temperature: float, **parameters: str) -> SortingNetworkLoss:
    loss = sorting_loss(name, temperature, **parameters)
    assert isinstance(loss, SortingNetworkLoss)
    return loss


def by_torch(loss: SortingNetworkLoss, y: Tensor, target: Tensor) -> Derivatives:
    scores, truth = sample_last(y, target)
    saturating = loss.numerics == "bce_loss"
    derivatives = saturating_derivatives if saturating else log_domain_derivatives
    with torch.no_grad():
        return derivatives(loss._network(scores), scores, truth, True)


def close(actual: Tensor | None, expected: Tensor | None, tolerance: float) -> None:
    """Within ``tolerance`` of the batch's largest entry."""
    assert actual is not None
    assert expected is not None
    assert torch.isfinite(actual).all()
    assert (actual - expected).abs().max() <= tolerance * expected.abs().max()


@pytest.mark.parametrize("temperature", [1.0, 0.1])
@pytest.mark.parametrize(("network", "n"), [("odd_even", 5), ("bitonic", 7), ("odd_even", 12)])
@pytest.mark.parametrize("name", NETWORKS)
@either_numerics
def test_kernels_give_torch_s_numbers(
    numerics: str, name: str, network: str, n: int, temperature: float
) -> None:
    """Where P saturates in float32 too: every α is the same to the last bit."""
    loss = network_loss(name, temperature, network=network, numerics=numerics)
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float32, 1e-4)):
        y, _ = draw_sorting(150, n)
        y = y.to(dtype)
        target = permutation_matrix(y + 0.3 * y.roll(1, 0))
        fast, slow = loss.derivatives(y, target), by_torch(loss, y, target)
        close(fast.value, slow.value, tolerance)
        close(fast.gradient, slow.gradient, tolerance)
        close(fast.hessian, slow.hessian, tolerance)
        plain = loss.derivatives(y, target, hessian=False)
        assert torch.equal(plain.gradient, fast.gradient)


@pytest.mark.parametrize("name", NETWORKS)
@either_numerics
def test_saturated_samples_stay_finite(numerics: str, name: str) -> None:
    loss = network_loss(name, 0.003, numerics=numerics)
    y, target = (tensor.float() for tensor in draw_sorting(100, 12))
    # In the log domain the kernels compute in float64, which tensor operations only do if asked.
    exact = y.double() if numerics == "log_domain" else y
    fast, slow = loss.derivatives(y, target), by_torch(loss, exact, target)
    assert fast.hessian is not None
    assert torch.isfinite(fast.hessian).all()
    close(fast.gradient, slow.gradient, 1e-4)
    close(fast.hessian, slow.hessian, 1e-4)


@either_numerics
def test_graphs_of_higher_order_go_through_torch_s_operations(numerics: str) -> None:
    y, target = draw_sorting(4, 5)
    loss = network_loss("cauchy_dsn", 1.0, numerics=numerics)
    found = by_torch(loss, y, target)
    assert_close(autodiff_derivatives(loss, y, target).hessian, found.hessian)
    assert_close(torch.func.grad(lambda y: loss(y, target).sum())(y), found.gradient)


def test_nested_transforms_give_the_hessian() -> None:
    y, target = draw_sorting(4, 5)
    loss = network_loss("cauchy_dsn", 1.0, numerics="bce_loss")

    def one(y: Tensor, target: Tensor) -> Tensor:
        return loss(y[None], target[None])[0]

    twice = torch.func.vmap(torch.func.jacrev(torch.func.jacrev(one)))
    assert_close(twice(y, target), by_torch(loss, y, target).hessian)


def test_a_batch_of_batches_is_a_large_batch() -> None:
    y, target = draw_sorting(6, 5)
    loss = network_loss("logistic_dsn", 1.0)
    stacked = y.unflatten(0, (2, 3)), target.unflatten(0, (2, 3))
    assert_close(torch.func.vmap(loss)(*stacked).flatten(), loss(y, target))
    many = torch.func.vmap(loss, in_dims=(0, None))(stacked[0], target[:3])
    assert_close(many[1], loss(y[3:], target[:3]))


@pytest.mark.parametrize("threads", [1, 3])
@either_numerics
def test_threads_share_a_batch(numerics: str, threads: int) -> None:
    y, target = draw_sorting(40, 24)
    loss = network_loss("cauchy_dsn", 0.1, numerics=numerics)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        fast = loss.derivatives(y, target)
    finally:
        torch.set_num_threads(before)
    slow = by_torch(loss, y, target)
    close(fast.gradient, slow.gradient, 1e-6)
    close(fast.hessian, slow.hessian, 1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("truth", [0.0, 1.0, 0.25])
def test_a_lane_s_cross_entropy_is_torch_s(truth: float, dtype: torch.dtype) -> None:
    """Also where logarithms are clamped many times in a row, and where next to nothing is left."""
    ends = torch.tensor([0.0, 1.0, 1e-30, 1e-9, 1e-5, 1e-3, 0.3, 1 - 1e-3, 1 - 1e-6], dtype=dtype)
    wrong = torch.cat((ends, torch.full((20,), 1 - truth, dtype=dtype)))
    for row in (*ends.split(1), ends, wrong, 1e-3 * ends):
        target = torch.full_like(row, truth)
        expected = binary_cross_entropy(row.double(), target.double(), reduction="sum")
        assert summed(row, target) == pytest.approx(expected.item(), rel=1e-9, abs=1e-300)
    for other in (torch.full_like(ends, truth), ends):
        assert math.isnan(summed(torch.full_like(ends, torch.nan), other))


def summed(row: Tensor, target: Tensor) -> float:
    """The cross-entropy of a lane that has a lane of another loss on either side."""
    entries = torch.stack((0.5 * torch.ones_like(row), row, target), 1).numpy()
    product, total = np.empty(3), np.empty(3)
    cross_entropy(entries, torch.stack((target,) * 3, 1).numpy(), product, total)
    return float(total[1])


@either_numerics
def test_losses_in_several_threads_do_not_share_their_workspaces(numerics: str) -> None:
    loss = network_loss("cauchy_dsn", 0.1, numerics=numerics)
    batches = [draw_sorting(100, 8, seed=seed) for seed in range(8)]
    expected = [loss.derivatives(*batch).gradient for batch in batches]

    def again(which: int) -> bool:
        found = [loss.derivatives(*batches[which]).gradient for _ in range(50)]
        return all(torch.equal(one, expected[which]) for one in found)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(again, range(8)))


@either_numerics
def test_a_workspace_from_inference_mode_serves_elsewhere(numerics: str) -> None:
    loss = network_loss("cauchy_dsn", 0.1, numerics=numerics)
    y, target = draw_sorting(101, 9)  # of a size that no other test has
    with torch.inference_mode():
        first = loss.derivatives(y, target).gradient
    assert torch.equal(loss.derivatives(y, target).gradient, first)


def test_a_large_batch_leaves_no_workspace_behind() -> None:
    loss = network_loss("cauchy_dsn", 0.1, numerics="bce_loss")
    y, target = draw_sorting(KEPT_NUMBERS // 28 + 1, 8)
    before = _KEPT.workspace.cache_info().misses
    loss.derivatives(y, target, hessian=False)
    assert _KEPT.workspace.cache_info().misses == before
    half = len(y) // 2
    both = [loss.derivatives(y[part], target[part]) for part in (slice(half), slice(half, None))]
    whole = loss.derivatives(y, target)
    close(torch.cat([one.gradient for one in both]), whole.gradient, 1e-12)
    assert _KEPT.workspace.cache_info().misses > before
