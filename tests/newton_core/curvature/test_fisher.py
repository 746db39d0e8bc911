"""The Fisher direction against the definition, in float64 and in exact arithmetic."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from newton_core.curvature.fisher import COMPILED_WORK, fisher_direction
from tests.newton_core.curvature.cases import SHAPES, direct_solve, fisher_matrix, normal, worst_row
from tests.newton_core.exact import exact_fisher_direction


@pytest.mark.parametrize(("samples", "outputs"), SHAPES)
@pytest.mark.parametrize("tikhonov", [1e-3, 1.0, 1e3])
def test_fisher_equals_the_direct_solve(samples: int, outputs: int, tikhonov: float) -> None:
    G = normal(samples, outputs)
    expected = direct_solve(fisher_matrix(G), G, tikhonov)
    assert_close(fisher_direction(G, tikhonov), expected, rtol=1e-9, atol=1e-9)


def _spike(G: Tensor) -> None:
    G[len(G) // 2] *= 1e9


def _spike_with_zeros(G: Tensor) -> None:
    """A huge difference between two saturated outputs, nothing on the others."""
    G[len(G) // 2] = 0
    G[len(G) // 2, -2:] = torch.tensor([1e9, -1e9])


def _two_spikes(G: Tensor) -> None:
    """Two of the same size that share no coordinate."""
    G[:2] = 0
    G[0, :2] = 1e9
    G[1, -2:] = 1e9


def _all_sizes(G: Tensor) -> None:
    G *= torch.logspace(-9, 9, len(G), dtype=G.dtype)[normal(len(G)).argsort(), None]


def _nearly_parallel(G: Tensor) -> None:
    G.copy_(G[0] + 1e-4 * G)


@pytest.mark.parametrize(
    "shape", [(20, 40), (5, 5), (100, 5), (40, 30)], ids=lambda shape: f"{shape[0]}x{shape[1]}"
)
@pytest.mark.parametrize("tikhonov", [1e-10, 1e-1])
@pytest.mark.parametrize(
    "distort", [_spike, _spike_with_zeros, _two_spikes, _all_sizes, _nearly_parallel]
)
def test_fisher_is_exact_for_every_sample_beside_exploded_ones(
    shape: tuple[int, int], tikhonov: float, distort: Callable[[Tensor], None]
) -> None:
    G = normal(*shape)
    distort(G)
    actual = fisher_direction(G, tikhonov)
    assert worst_row(actual, exact_fisher_direction(G, tikhonov)) < 1e-9


def test_fisher_is_exact_at_the_size_of_terrain_maps() -> None:
    G = normal(70, 144)
    _spike(G)
    assert worst_row(fisher_direction(G, 0.1), exact_fisher_direction(G, 0.1)) < 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("samples", [20, 9000])
def test_small_and_large_batches_take_different_forms_to_the_same_result(
    samples: int, dtype: torch.dtype
) -> None:
    """9,000 samples of 5 outputs are left to the linear algebra library."""
    G = normal(samples, 5, dtype=dtype)
    assert (samples * 25 > COMPILED_WORK) == (samples == 9000)
    expected = direct_solve(fisher_matrix(G.double()), G.double(), 0.1)
    assert_close(fisher_direction(G, 0.1), expected.to(dtype))


def test_memory_layout_and_graph_do_not_matter() -> None:
    G = normal(20, 6)
    expected = fisher_direction(G[:, ::2].clone(), 0.1)
    assert_close(fisher_direction(G[:, ::2], 0.1), expected)
    tracked = G[:, ::2].clone().requires_grad_(True)
    for samples in (20, 2):  # the compiled loop, and the push-through form
        direction = fisher_direction(tracked[:samples], 0.1)
        assert not direction.requires_grad
        assert direction.is_contiguous()


def test_little_damping_is_left_to_the_exact_form() -> None:
    """The compiled loop alone would keep 4 digits of 16 here."""
    G = normal(1, 5) + 1e-5 * normal(50, 5, seed=1)
    assert worst_row(fisher_direction(G, 1e-14), exact_fisher_direction(G, 1e-14)) < 1e-9


def test_the_textbook_forms_lose_the_samples_beside_an_exploded_one() -> None:
    """Why the Fisher is solved as it is: what a plain solve and a plain SVD make of the same."""
    G = normal(100, 5)
    _spike_with_zeros(G)
    exact = exact_fisher_direction(G, 0.1)
    damped = fisher_matrix(G) + 0.1 * torch.eye(5).double()
    solution, _ = torch.linalg.solve_ex(damped, G.mT)  # singular to rounding, or nearly
    assert not worst_row(solution.mT, exact) < 1e-3
    U, sizes, Vh = torch.linalg.svd(G / 10, full_matrices=False)
    assert worst_row(10 * (U / (sizes + 0.1 / sizes)) @ Vh, exact) > 1e-10
    assert worst_row(fisher_direction(G, 0.1), exact) < 1e-13


def test_an_exploded_float32_sample_is_neither_broken_nor_dropped() -> None:
    """tikhonov 1e-4 against entries of 1e7: singular in float32."""
    G = normal(50, 5, dtype=torch.float32)
    G[7] *= 1e7
    direction = fisher_direction(G, 1e-4)
    exact = exact_fisher_direction(G, 1e-4)
    assert direction.dtype == torch.float32
    assert worst_row(direction.double(), exact) < 1e-6
    assert direction[7].norm() > 0


def test_gradients_of_zero_give_no_direction() -> None:
    for shape in ((4, 2), (2, 4)):
        assert torch.equal(fisher_direction(torch.zeros(shape), 0.1), torch.zeros(shape))


def test_gradients_near_the_end_of_the_range_do_not_overflow() -> None:
    G = normal(3, 5) * 1e200
    exact = exact_fisher_direction(G, 1.0, digits=900)
    assert worst_row(fisher_direction(G, 1.0) * 1e200, exact * 1e200) < 1e-9


@pytest.mark.parametrize("outputs", [5, 20, 60])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_may_lie_in_memory_as_they_like(dtype: torch.dtype, outputs: int) -> None:
    """Such as column by column, as those of outputs that a network has transposed."""
    G = normal(200, outputs).to(dtype)
    expected = fisher_direction(G, 1.0)
    for given in (G.mT.contiguous().mT, torch.stack((G, G), dim=-1)[..., 0]):
        assert_close(fisher_direction(given, 1.0), expected)
