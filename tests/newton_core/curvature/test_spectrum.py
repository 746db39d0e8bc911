import math
from itertools import permutations
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature import Spectrum, fisher_spectrum, hessian_spectrum
from newton_core.losses import build_loss
from tests.newton_core.curvature.cases import SHAPES, fisher_matrix, normal


@pytest.mark.parametrize(("samples", "outputs"), SHAPES)
def test_fisher_spectrum_equals_the_dense_one(samples: int, outputs: int) -> None:
    G = normal(samples, outputs)
    spectrum = fisher_spectrum(G, 0.1)
    expected = torch.linalg.eigvalsh(fisher_matrix(G))
    assert_close(spectrum.eigenvalues, expected, rtol=1e-9, atol=1e-12)
    assert spectrum.condition == pytest.approx((expected[-1] + 0.1) / (expected[0] + 0.1))
    assert spectrum.negative == 0
    if samples < outputs:
        assert (spectrum.eigenvalues[: outputs - samples] == 0).all()


def test_hessian_spectrum_counts_and_conditions() -> None:
    H = torch.diag(torch.tensor([-2.0, -1.0, 0.0, 5.0])).expand(3, 4, 4)

    def spectrum(definiteness: Any, tikhonov: float = 0.5) -> Spectrum:
        return hessian_spectrum(H, tikhonov, definiteness)

    for definiteness, condition in (("raw", 11.0), ("clip", 11.0), ("saddle_free", 11.0)):
        assert spectrum(definiteness).eigenvalues.tolist() == [-2.0, -1.0, 0.0, 5.0]
        assert spectrum(definiteness).negative == 2
        assert spectrum(definiteness).condition == pytest.approx(condition)
    assert spectrum("raw", 1.5).condition == pytest.approx(6.5 / 0.5)
    assert spectrum("clip", 1.5).condition == pytest.approx(6.5 / 1.5)
    assert spectrum("raw", 1.0).condition == math.inf


def test_the_condition_of_the_complement_leaves_blind_directions_out() -> None:
    turned = torch.linalg.qr(torch.cat((torch.ones(4, 1).double(), normal(4, 3)), 1))[0]
    H = turned @ torch.diag(torch.tensor([0.0, -1.0, 2.0, 8.0]).double()) @ turned.mT
    shift = torch.ones(1, 4, dtype=torch.float64)

    def found(definiteness: Any, blind: torch.Tensor | None = shift) -> float:
        return hessian_spectrum(H.expand(3, 4, 4), 7.0, definiteness, blind).complement_condition

    assert found("raw") == found("saddle_free") == pytest.approx(8.0)
    assert found("clip") == math.inf
    assert found("raw", None) == found("raw", shift[:0]) == math.inf
    assert hessian_spectrum(H[None], 7.0, "raw", turned.mT).complement_condition == math.inf

    G = normal(20, 4) - normal(20, 4).mean(1, keepdim=True)
    eigenvalues = torch.linalg.eigvalsh(fisher_matrix(G))
    expected = (eigenvalues[-1] / eigenvalues[1]).item()  # the first one is zero: the shift's
    assert fisher_spectrum(G, 7.0, shift).complement_condition == pytest.approx(expected)
    assert fisher_spectrum(G, 7.0).complement_condition == math.inf
    assert fisher_spectrum(G[:2], 7.0, shift).complement_condition == math.inf


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exchangeable_items_leave_curvature_nothing_to_turn(dtype: torch.dtype) -> None:
    """C commutes with every permutation of the items, so it is a multiple of the identity."""
    loss = build_loss("neuralsort", temperature=0.5)
    y = normal(1, 4, dtype=dtype)
    orders = torch.tensor(list(permutations(range(4))))
    every = permutation_matrix(normal(1, 4, seed=5, dtype=dtype)[0][orders])
    derivatives = loss.derivatives(y[0][orders], every)
    blind = loss.invariant_directions(4)
    assert derivatives.hessian is not None
    hessian = hessian_spectrum(derivatives.hessian, 0.1, blind=blind)
    fisher = fisher_spectrum(derivatives.gradient, 0.1, blind)
    assert hessian.complement_condition == pytest.approx(1.0, abs=1e-4)
    assert fisher.complement_condition == pytest.approx(1.0, abs=1e-4)
    assert hessian_spectrum(derivatives.hessian, 0.1).complement_condition > 1e5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rounding_dust_is_not_a_negative_eigenvalue(dtype: torch.dtype) -> None:
    """Cross-entropy is convex and ignores a common shift: one eigenvalue is zero."""
    loss = build_loss("cross_entropy")
    dusty = 0
    for seed in range(20):
        y, target = normal(50, 5, seed=seed, dtype=dtype), torch.arange(50) % 5
        hessian = loss.derivatives(3 * y, target).hessian
        assert hessian is not None
        spectrum = hessian_spectrum(hessian, 0.1)
        dusty += int((spectrum.eigenvalues < 0).any())
        assert spectrum.negative == 0
    assert dusty > 0, "without the tolerance this test would see negative eigenvalues"
