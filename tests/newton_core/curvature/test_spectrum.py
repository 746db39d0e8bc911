import math
from typing import Any

import pytest
import torch
from torch.testing import assert_close

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
