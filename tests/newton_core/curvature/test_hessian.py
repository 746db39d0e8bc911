import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from newton_core.curvature import (
    CurvatureError,
    fisher_direction,
    fisher_spectrum,
    hessian_direction,
    hessian_spectrum,
)
from newton_core.losses import build_loss
from tests.newton_core.curvature.cases import (
    SHAPES,
    direct_solve,
    fisher_matrix,
    normal,
    positive,
    symmetric,
)


@pytest.mark.parametrize(("samples", "outputs"), SHAPES)
def test_strong_damping_tends_to_the_scaled_gradient(samples: int, outputs: int) -> None:
    G = normal(samples, outputs)
    assert_close(1e9 * fisher_direction(G, 1e9), G, rtol=1e-6, atol=0)
    assert_close(
        1e9 * hessian_direction(G, symmetric(samples, outputs), 1e9), G, rtol=1e-6, atol=1e-6
    )


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 12),
    outputs=st.integers(1, 12),
    dtype=st.sampled_from([torch.bfloat16, torch.float16, torch.float32, torch.float64]),
    exponent=st.integers(-3, 3),
    seed=st.integers(0, 1000),
)
def test_any_shape_and_dtype(
    samples: int, outputs: int, dtype: torch.dtype, exponent: int, seed: int
) -> None:
    tikhonov = 10.0**exponent
    gradient = normal(samples, outputs, seed=seed).to(dtype)
    hessian = positive(samples, outputs, seed=seed).to(dtype)
    G, mean = gradient.double(), hessian.double().mean(0)
    for actual, expected in (
        (fisher_direction(gradient, tikhonov), direct_solve(fisher_matrix(G), G, tikhonov)),
        (hessian_direction(gradient, hessian, tikhonov, "batch_mean", "clip"), None),
        (
            hessian_direction(gradient, hessian, tikhonov, "per_sample", "saddle_free"),
            None,
        ),
        (
            hessian_direction(gradient, mean.expand_as(hessian).contiguous(), tikhonov),
            direct_solve(mean, G, tikhonov),
        ),
    ):
        assert actual.dtype == dtype
        assert actual.shape == gradient.shape
        assert torch.isfinite(actual).all()
        if expected is not None:
            eps = max(torch.finfo(dtype).eps, 1e-9)
            assert_close(actual.double(), expected, rtol=2 * eps, atol=2 * eps / tikhonov**0.5)


# --- the Hessian ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [positive, symmetric])
@pytest.mark.parametrize(("samples", "outputs"), SHAPES)
def test_raw_hessian_equals_the_direct_solve(
    samples: int, outputs: int, make: Callable[[int, int], Tensor]
) -> None:
    G, H = normal(samples, outputs, seed=1), make(samples, outputs)
    assert_close(hessian_direction(G, H, 0.3), direct_solve(H.mean(0), G, 0.3))
    rows = [direct_solve(H[i], G[i : i + 1], 0.3) for i in range(samples)]
    assert_close(hessian_direction(G, H, 0.3, "per_sample"), torch.cat(rows))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("make", [positive, symmetric])
def test_a_small_mean_is_solved_like_a_large_one(
    make: Callable[[int, int], Tensor], dtype: torch.dtype
) -> None:
    """17 outputs are past the compiled loop: the same system with outputs that touch no other."""
    G, H = normal(6, 12, seed=1).to(dtype), make(6, 12).to(dtype)
    wide, large = torch.zeros(6, 17, dtype=dtype), torch.zeros(6, 17, 17, dtype=dtype)
    wide[:, :12], large[:, :12, :12] = G, H
    expected = hessian_direction(wide, large, 0.3)[:, :12]
    sparse = G.mT.contiguous().mT
    assert not sparse.is_contiguous()
    for gradient in (G, sparse, G.clone().requires_grad_(True)):
        assert_close(hessian_direction(gradient, H, 0.3), expected)
    mean = H.double().mean(0).expand(6, 12, 12)
    assert_close(hessian_direction(G, mean, 0.3), expected)


@pytest.mark.parametrize(
    ("definiteness", "rule"),
    [("clip", lambda eigenvalues: eigenvalues.clamp(min=0)), ("saddle_free", torch.abs)],
)
def test_definiteness_rules_change_the_eigenvalues_and_nothing_else(
    definiteness: Any, rule: Callable[[Tensor], Tensor]
) -> None:
    G, H = normal(6, 4, seed=1), symmetric(6, 4)

    def changed(matrix: Tensor) -> Tensor:
        eigenvalues, vectors = torch.linalg.eigh(matrix)
        assert eigenvalues.min() < 0
        return vectors @ torch.diag(rule(eigenvalues)) @ vectors.mT

    expected = direct_solve(changed(H.mean(0)), G, 0.3)
    assert_close(hessian_direction(G, H, 0.3, "batch_mean", definiteness), expected)
    rows = [direct_solve(changed(H[i]), G[i : i + 1], 0.3) for i in range(6)]
    assert_close(hessian_direction(G, H, 0.3, "per_sample", definiteness), torch.cat(rows))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("definiteness", ["clip", "saddle_free"])
@pytest.mark.parametrize("kind", ["batch_mean", "per_sample"])
def test_a_rule_is_the_same_for_few_outputs_and_many(
    kind: Any, definiteness: Any, dtype: torch.dtype
) -> None:
    """17 outputs are past the compiled loop, as above."""
    G, H = normal(6, 12, seed=1).to(dtype), symmetric(6, 12).to(dtype)
    one = H[0].double().expand(6, 12, 12)  # of all samples
    for hessian in (H, H.mT.contiguous().mT, H.double(), one):
        wide, large = G.new_zeros(6, 17), hessian.new_zeros(6, 17, 17)
        wide[:, :12], large[:, :12, :12] = G, hessian
        expected = hessian_direction(wide, large, 0.3, kind, definiteness)[:, :12]
        assert_close(hessian_direction(G, hessian, 0.3, kind, definiteness), expected)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("definiteness", ["raw", "clip", "saddle_free"])
@pytest.mark.parametrize("kind", ["batch_mean", "per_sample"])
def test_a_damping_may_be_a_tensor_of_one_number(kind: Any, definiteness: Any) -> None:
    G, H = normal(6, 4, seed=1), symmetric(6, 4)
    damping: Any = torch.tensor(0.5)
    found = hessian_direction(G, H, damping, kind, definiteness)
    assert torch.equal(found, hessian_direction(G, H, 0.5, kind, definiteness))


@pytest.mark.parametrize("definiteness", ["raw", "clip", "saddle_free"])
@pytest.mark.parametrize("kind", ["batch_mean", "per_sample"])
def test_definiteness_does_not_matter_where_nothing_is_negative(
    kind: Any, definiteness: Any
) -> None:
    G, H = normal(6, 4, seed=1), positive(6, 4)
    assert_close(
        hessian_direction(G, H, 0.3, kind, definiteness), hessian_direction(G, H, 0.3, kind)
    )


def test_inputs_are_not_overwritten() -> None:
    G, H = normal(6, 4, seed=1), symmetric(6, 4)
    before = G.clone(), H.clone()
    for kind in ("batch_mean", "per_sample"):
        hessian_direction(G, H, 0.3, kind)
    hessian_spectrum(H, 0.3)
    fisher_direction(G, 0.3)
    fisher_direction(G[:2], 0.3)
    assert torch.equal(G, before[0])
    assert torch.equal(H, before[1])


def test_a_direction_carries_no_graph() -> None:
    G, H = normal(6, 4).requires_grad_(True), symmetric(6, 4).requires_grad_(True)
    assert not hessian_direction(G, H, 0.3).requires_grad
    assert not hessian_direction(G, H, 0.3, "per_sample", "clip").requires_grad


def test_one_identity_expanded_over_the_batch_is_not_overwritten() -> None:
    y, target = normal(6, 4), normal(6, 4, seed=1)
    derivatives = build_loss("squared_error").derivatives(y, target)
    assert derivatives.hessian is not None
    per_sample = hessian_direction(derivatives.gradient, derivatives.hessian, 1.0, "per_sample")
    assert_close(per_sample, derivatives.gradient / 2)
    assert torch.equal(derivatives.hessian[0], torch.eye(4).double())


# --- errors -----------------------------------------------------------------------------------


def test_a_singular_batch_mean_names_the_remedies() -> None:
    H = -0.5 * torch.eye(3).expand(4, 3, 3)
    with pytest.raises(
        CurvatureError, match=r"averaged over the batch is singular.*tikhonov.*clip"
    ):
        hessian_direction(torch.ones(4, 3), H, 0.5)
    for definiteness in ("clip", "saddle_free"):
        assert torch.isfinite(
            hessian_direction(torch.ones(4, 3), H, 0.5, "batch_mean", definiteness)
        ).all()


def test_a_matrix_that_is_positive_by_rounding_alone_is_singular() -> None:
    """0.1 + 0.2 - 0.3 is 5.6e-17: its factorisation succeeds, and means nothing."""
    H = torch.diag(torch.tensor([0.1 + 0.2, 2.0], dtype=torch.float64)).repeat(2, 1, 1)
    H[:, 0, 0] -= 0.3 + 0.1
    assert 0 < (H.mean(0)[0, 0] + 0.1).item() < 1e-15
    for matrices in (H, H[:, :1, :1]):
        for kind in ("batch_mean", "per_sample"):
            with pytest.raises(CurvatureError, match="singular"):
                hessian_direction(torch.ones(matrices.shape[:2]).double(), matrices, 0.1, kind)


def test_samples_of_all_sizes_are_not_singular_beside_each_other() -> None:
    H = torch.eye(3, dtype=torch.float64) * torch.tensor([1e-9, 1.0, 1e12])[:, None, None]
    actual = hessian_direction(torch.ones(3, 3).double(), H, 1e-9, "per_sample")
    expected = 1 / (torch.tensor([1e-9, 1.0, 1e12]).double() + 1e-9)
    assert_close(actual, expected[:, None].expand(3, 3), rtol=1e-6, atol=0)


def test_a_mean_beyond_float64_says_so() -> None:
    with pytest.raises(CurvatureError, match="the Hessian is too large to be summed"):
        hessian_direction(torch.ones(9, 1).double(), 1e308 * torch.ones(9, 1, 1).double(), 0.1)


def test_a_singular_sample_is_named() -> None:
    H = torch.eye(3).repeat(5, 1, 1)
    H[1] = -torch.eye(3)  # indefinite, but not singular
    H[3] = torch.diag(torch.tensor([1.0, -0.5, 2.0]))
    with pytest.raises(CurvatureError, match="of sample 3 is singular"):
        hessian_direction(torch.ones(5, 3), H, 0.5, "per_sample")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_non_finite_derivatives_are_named(bad: float) -> None:
    G, H = normal(5, 3), positive(5, 3)
    G[2, 1] = bad
    H[3, 0, 0] = bad
    for call in (
        lambda: fisher_direction(G, 0.1),
        lambda: fisher_direction(G[:3], 0.1),
        lambda: fisher_spectrum(G, 0.1),
        lambda: hessian_direction(G, positive(5, 3), 0.1),
        lambda: hessian_direction(G, positive(5, 3), 0.1, "per_sample"),
    ):
        with pytest.raises(CurvatureError, match=r"gradient of 1 of \d samples, first of sample 2"):
            call()
    for call in (
        lambda: hessian_direction(normal(5, 3), H, 0.1),
        lambda: hessian_direction(normal(5, 3), H, 0.1, "per_sample", "clip"),
        lambda: hessian_spectrum(H, 0.1),
    ):
        with pytest.raises(CurvatureError, match="Hessian of 1 of 5 samples, first of sample 3"):
            call()


def test_a_direction_beyond_the_dtype_says_so() -> None:
    G = torch.full((2, 2), 100.0, dtype=torch.float16)
    H = torch.zeros(2, 2, 2, dtype=torch.float16)
    with pytest.raises(CurvatureError, match=r"too large for torch.float16.*1e\+06"):
        hessian_direction(G, H, 1e-4)


@pytest.mark.parametrize("tikhonov", [0.0, -1.0, math.nan, math.inf])
def test_tikhonov_must_be_positive_and_finite(tikhonov: float) -> None:
    G, H = normal(3, 2), positive(3, 2)
    for call in (
        lambda: fisher_direction(G, tikhonov),
        lambda: fisher_spectrum(G, tikhonov),
        lambda: hessian_direction(G, H, tikhonov),
        lambda: hessian_spectrum(H, tikhonov),
    ):
        with pytest.raises(ValueError, match="tikhonov must be a positive finite number"):
            call()


@pytest.mark.usefixtures("as_users_run")
def test_bad_arguments_are_explained() -> None:
    G, H = normal(3, 2), positive(3, 2)
    for call, complaint in (
        (lambda: fisher_direction(normal(0, 2), 0.1), r"at least one of each: .*got \(0, 2\)"),
        (lambda: fisher_direction(normal(2, 0), 0.1), r"got \(2, 0\)"),
        (lambda: fisher_direction(normal(2), 0.1), r"got \(2,\)"),
        (lambda: fisher_spectrum(normal(0, 2), 0.1), r"got \(0, 2\)"),
        (lambda: hessian_direction(G, positive(3, 4), 0.1), r"got \(3, 4, 4\) beside .*\(3, 2\)"),
        (lambda: hessian_direction(G, positive(2, 2), 0.1), r"got \(2, 2, 2\)"),
        (lambda: hessian_spectrum(normal(0, 2, 2), 0.1), r"got \(0, 2, 2\)"),
        (lambda: hessian_direction(G, H, 0.1, "sample"), "unknown hessian 'sample'; use one of ba"),
        (lambda: hessian_direction(G, H, 0.1, "per_sample", "abs"), "unknown definiteness 'abs'"),
        (lambda: hessian_spectrum(H, 0.1, "abs"), "unknown definiteness 'abs'"),
    ):
        with pytest.raises(ValueError, match=complaint):
            call()


@pytest.mark.parametrize("outputs", [3, 40])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_hessian_may_lie_in_memory_as_it_likes(dtype: torch.dtype, outputs: int) -> None:
    """Such as column by column, as ``torch.linalg.inv`` leaves a matrix."""
    gradient, own = normal(4, outputs).to(dtype), positive(1, outputs).to(dtype)
    shared = own.expand(4, outputs, outputs)
    columns = own[0].mT.contiguous().mT
    expected = hessian_direction(gradient, shared, 0.1)
    for hessian in (columns.expand(4, outputs, outputs), columns.repeat(4, 1, 1).mT):
        assert_close(hessian_direction(gradient, hessian, 0.1), expected)
    assert_close(hessian_direction(gradient[:1], columns[None], 0.1), expected[:1])
