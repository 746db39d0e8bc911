"""The two numerics of the sorting losses: what explodes, what agrees, what stays finite."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss, permutation_matrix
from newton_core.losses import Derivatives, autodiff_derivatives
from newton_core.losses.sorting import check_scores, sample_last
from tests.newton_core.losses.sorting_cases import (
    NETWORKS,
    SOFTMAX,
    SORTING,
    draw_sorting,
    sorting_loss,
)

NUMERICS = ("log_domain", "bce_loss")

every_loss = pytest.mark.parametrize("name", SORTING)
either_numerics = pytest.mark.parametrize("numerics", NUMERICS)


def parts(derivatives: Derivatives) -> tuple[Tensor, Tensor, Tensor]:
    assert derivatives.hessian is not None
    return derivatives.value, derivatives.gradient, derivatives.hessian


def gradient_norms(name: str, temperature: float, numerics: str, y: Tensor, q: Tensor) -> Tensor:
    loss = sorting_loss(name, temperature, numerics=numerics)
    return torch.linalg.vector_norm(loss.derivatives(y, q, hessian=False).gradient, dim=1)


# Loss, temperature, spread of the scores; then of bce_loss in float32: how far above the median
# in float64 the largest gradient is at least, and the share of samples 10 times above it.
EXPLOSIONS = [
    ("neuralsort", 1.0, 30.0, 1e3, 0.005),
    ("neuralsort", 0.1, 3.0, 1e3, 0.005),
    ("neuralsort", 0.1, 10.0, 1e4, 0.2),
    ("softsort", 0.1, 3.0, 1e3, 0.005),
    ("logistic_dsn", 0.1, 3.0, 1e3, 0.002),
    ("gaussian_dsn", 0.1, 3.0, 1e3, 0.05),
]


@pytest.mark.parametrize(("name", "temperature", "spread", "factor", "share"), EXPLOSIONS)
def test_bce_loss_explodes_in_float32_and_log_domain_does_not(
    name: str, temperature: float, spread: float, factor: float, share: float
) -> None:
    y, target = draw_sorting(2000, 10, spread=spread, noise=0.3)
    true = gradient_norms(name, temperature, "log_domain", y, target)
    rounded = gradient_norms(name, temperature, "bce_loss", y.float(), target)
    stable = gradient_norms(name, temperature, "log_domain", y.float(), target)
    median = true.median()
    assert rounded.max() > factor * median
    assert (rounded > 10 * median).double().mean() > share
    assert (stable > 10 * median).double().mean() <= 0.001
    assert_close(stable.double(), true, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "temperature", "spread"),
    [("neuralsort", 1.0, 3.0), ("cauchy_dsn", 0.1, 3.0), ("cauchy_dsn", 0.1, 30.0)],
)
def test_nothing_explodes_where_nothing_saturates(
    name: str, temperature: float, spread: float
) -> None:
    y, target = draw_sorting(2000, 10, spread=spread, noise=0.3)
    exact = gradient_norms(name, temperature, "bce_loss", y, target)
    rounded = gradient_norms(name, temperature, "bce_loss", y.float(), target)
    assert_close(rounded.double(), exact, rtol=1e-2, atol=1e-4)


def test_float64_saturates_too_and_its_gradients_vanish() -> None:
    y, target = draw_sorting(300, 10, spread=300.0, noise=0.3)
    saturated = gradient_norms("neuralsort", 0.1, "bce_loss", y, target)
    true = gradient_norms("neuralsort", 0.1, "log_domain", y, target)
    wrong = (permutation_matrix(y) != target).flatten(1).any(1)
    assert (true[wrong] > 1e-3).double().mean() > 0.9
    assert (saturated[wrong] < 1e-6).double().mean() > 0.3


@every_loss
@pytest.mark.parametrize("n", [2, 3, 5])
def test_numerics_agree_where_nothing_saturates(name: str, n: int) -> None:
    y, target = draw_sorting(10, n, spread=0.5)
    logs, bce = (sorting_loss(name, numerics=numerics).derivatives(y, target)
                 for numerics in NUMERICS)  # fmt: skip
    for got, want in zip(parts(logs), parts(bce), strict=True):
        assert_close(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "temperature", "spread"),
    [("neuralsort", 0.1, 10.0), ("softsort", 0.1, 10.0), ("logistic_dsn", 0.1, 3.0),
     ("gaussian_dsn", 0.1, 3.0), ("cauchy_dsn", 0.1, 30.0)],
)  # fmt: skip
def test_bce_loss_rounds_like_torch(name: str, temperature: float, spread: float) -> None:
    """The explosions themselves, sample by sample, are those of torch's backward passes."""
    y, target = draw_sorting(300, 10, spread=spread, noise=0.3)
    y = y.float()
    loss = sorting_loss(name, temperature, numerics="bce_loss")
    fast, torch_s = loss.derivatives(y, target), autodiff_derivatives(loss, y, target)
    assert torch.equal(fast.value, torch_s.value)
    norm = torch.linalg.vector_norm(torch_s.gradient, dim=1)
    error = torch.linalg.vector_norm(fast.gradient - torch_s.gradient, dim=1)
    assert (error <= 1e-4 * norm).all()
    if name == "cauchy_dsn":
        return
    # Second derivatives: where they explode; elsewhere a saturated one is rounding alone.
    loud = norm > 10 * norm.median()
    assert loud.any()
    assert fast.hessian is not None
    assert torch_s.hessian is not None
    error = torch.linalg.matrix_norm(fast.hessian - torch_s.hessian)[loud]
    norm = torch.linalg.matrix_norm(torch_s.hessian)[loud]
    assert (error <= 1e-3 * norm).double().mean() > 0.7


@every_loss
@either_numerics
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("temperature", [0.01, 1.0])
def test_extremes_stay_finite(
    name: str, numerics: str, dtype: torch.dtype, temperature: float
) -> None:
    """Scores 1e4 apart, ties, tiny differences and large offsets, with right and wrong labels."""
    loss = sorting_loss(name, temperature, numerics=numerics)
    for n in (2, 3, 6):
        base, labels = draw_sorting(5, n)
        scales = (1e4 * base, 1e8 * base, 0 * base, base.round(), 1e-20 * base, base + 1e6)
        y = torch.cat(scales).to(dtype)
        y = torch.cat((y, y))
        target = torch.cat((permutation_matrix(y[: len(y) // 2]).double(), labels.repeat(6, 1, 1)))
        for derivatives in (loss.derivatives(y, target), autodiff_derivatives(loss, y, target)):
            for part in parts(derivatives):
                assert part.isfinite().all()


@every_loss
def test_scores_far_apart_keep_the_true_gradient_in_float32(name: str) -> None:
    """One pair in the wrong order at a distance of 1e4: the loss must still pull it back."""
    y = torch.tensor([[0.0, 2e4, 1.3e4, 5e4]])
    target = permutation_matrix(torch.arange(4)).unsqueeze(0)
    gradient = sorting_loss(name, 0.1).derivatives(y, target).gradient[0]
    exact = sorting_loss(name, 0.1).derivatives(y.double(), target).gradient[0]
    assert_close(gradient.double(), exact, rtol=1e-2, atol=1e-12)
    assert gradient[1] > 0
    assert gradient[2] < 0


@every_loss
@either_numerics
def test_ties_have_finite_symmetric_derivatives(name: str, numerics: str) -> None:
    """All equal: P is uniform for the softmax losses, and no order is preferred but the label's."""
    y = torch.zeros(2, 4, dtype=torch.float64)
    target = permutation_matrix(torch.tensor([[0, 1, 2, 3], [3, 2, 1, 0]]))
    loss = sorting_loss(name, numerics=numerics)
    derivatives = loss.derivatives(y, target)
    reference = autodiff_derivatives(loss, y, target)
    for got, want in zip(parts(derivatives), parts(reference), strict=True):
        assert_close(got, want)
    if name == "neuralsort":
        assert_close(loss.relaxed_permutation(y), torch.full((2, 4, 4), 0.25).double())
        assert_close(derivatives.gradient[0], -derivatives.gradient[1])
        assert (derivatives.gradient[0].diff() < 0).all()  # descent orders them as the label


@every_loss
@either_numerics
def test_shift_invariance(name: str, numerics: str) -> None:
    y, target = draw_sorting(5, 5)
    loss = sorting_loss(name, 0.5, numerics=numerics)
    here, there = loss.derivatives(y, target), loss.derivatives(y + 100.0, target)
    for got, want in zip(parts(there), parts(here), strict=True):
        assert_close(got, want, rtol=1e-6, atol=1e-6)
    assert here.gradient.sum(1).abs().max() < 1e-12
    assert parts(here)[2].sum(2).abs().max() < 1e-9


@every_loss
@either_numerics
def test_the_true_order_has_the_least_loss(name: str, numerics: str) -> None:
    y = torch.tensor([[0.5, 3.0, -2.0, 6.0]], dtype=torch.float64)
    loss = sorting_loss(name, 0.2, numerics=numerics)
    orders = torch.tensor(list(itertools.permutations(range(4))))
    values = loss(y.expand(24, 4), permutation_matrix(orders))
    true = permutation_matrix(y)[0]
    best = permutation_matrix(orders[values.argmin()])
    assert torch.equal(best, true.float())
    assert values.sort().values[1] > 2 * values.min()


@pytest.mark.parametrize("name", SOFTMAX)
def test_hardens_to_the_permutation(name: str) -> None:
    y = torch.tensor([[2.0, -1.0, 0.5, 3.5, 7.0]])
    assert_close(sorting_loss(name, 1e-4).relaxed_permutation(y), permutation_matrix(y))


@every_loss
def test_logarithms_are_those_of_the_permutation(name: str) -> None:
    y, _ = draw_sorting(5, 4, spread=0.5)
    loss = sorting_loss(name, 0.7)
    p = loss.relaxed_permutation(y)
    log_p, log_not_p = loss.log_permutation(y)
    assert_close(log_p, p.log())
    assert_close(log_not_p, torch.log1p(-p))


@every_loss
@either_numerics
def test_a_non_finite_score_shows_in_its_own_sample_only(name: str, numerics: str) -> None:
    for bad, n in itertools.product((torch.nan, torch.inf, -torch.inf), (2, 4)):
        y, target = draw_sorting(3, n)
        expected = sorting_loss(name, numerics=numerics).derivatives(y, target)
        y[1, 0] = bad
        loss = sorting_loss(name, numerics=numerics)
        derivatives = loss.derivatives(y, target)
        assert loss(y, target).isnan().tolist() == [False, True, False]
        assert derivatives.value.isnan().tolist() == [False, True, False]
        assert derivatives.gradient.isnan().all(1).tolist() == [False, True, False]
        assert_close(derivatives.gradient[::2], expected.gradient[::2])


@every_loss
@either_numerics
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(
    name: str, numerics: str, dtype: torch.dtype
) -> None:
    y, target = draw_sorting(4, 5)
    y = y.to(dtype)
    loss = sorting_loss(name, numerics=numerics)
    half, single = loss.derivatives(y, target), loss.derivatives(y.float(), target)
    assert loss(y, target).dtype == dtype
    for got, want in zip(parts(half), parts(single), strict=True):
        assert got.dtype == dtype
        assert torch.equal(got, want.to(dtype))


@every_loss
@either_numerics
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_shape_scale_and_temperature(name: str, numerics: str, data: st.DataObject) -> None:
    samples, n = data.draw(st.integers(1, 4)), data.draw(st.integers(2, 7))
    scores = st.lists(
        st.integers(-4, 4).map(float) | st.floats(-1e4, 1e4, width=32), min_size=n, max_size=n
    )
    rows = data.draw(st.lists(scores, min_size=samples, max_size=samples))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    y = torch.tensor(rows, dtype=dtype)
    order = data.draw(st.permutations(range(n)))
    target = permutation_matrix(torch.tensor(order)).expand(samples, n, n)
    loss = sorting_loss(name, data.draw(st.sampled_from([0.01, 0.3, 5.0])), numerics=numerics)
    derivatives = loss.derivatives(y, target)
    value, gradient, hessian = parts(derivatives)
    assert value.shape == (samples,)
    assert gradient.shape == (samples, n)
    assert hessian.shape == (samples, n, n)
    for part in (value, gradient, hessian):
        assert part.dtype == dtype
        assert part.isfinite().all()
    assert (value >= 0).all()
    assert_close(loss(y, target), value, rtol=1e-4, atol=1e-6)
    p = loss.relaxed_permutation(y)
    assert_close(p.sum(2), torch.ones_like(p.sum(2)))


def test_a_mean_of_permutations_is_a_target_too() -> None:
    """Soft targets go through the same closed forms."""
    y, first = draw_sorting(4, 5)
    _, second = draw_sorting(4, 5, seed=1)
    target = 0.3 * first + 0.7 * second
    for name in SORTING:
        loss = sorting_loss(name)
        fast, slow = loss.derivatives(y, target), autodiff_derivatives(loss, y, target)
        for got, want in zip(parts(fast), parts(slow), strict=True):
            assert_close(got, want)


def test_n_of_32_by_a_directional_difference() -> None:
    y, target = draw_sorting(2, 32, spread=3.0)
    direction = torch.randn(2, 32, generator=torch.Generator().manual_seed(5)).double()
    for name in SORTING:
        for numerics in NUMERICS:
            loss = sorting_loss(name, 20.0, numerics=numerics)
            hessian = parts(loss.derivatives(y, target))[2]
            ahead, behind = (
                loss.derivatives(y + step * direction, target, hessian=False).gradient
                for step in (1e-6, -1e-6)
            )
            product = (hessian @ direction.unsqueeze(2)).squeeze(2)
            assert_close(product, (ahead - behind) / 2e-6, rtol=1e-4, atol=1e-6)


@every_loss
def test_bad_input_says_what_would_be_right(name: str) -> None:
    loss = build_loss(name)
    y, target = draw_sorting(3, 4)
    with pytest.raises(ValueError, match=r"n >= 2, got \(3, 1\)"):
        loss.relaxed_permutation(y[:, :1])
    with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
        check_scores(y.long())
    with pytest.raises(ValueError, match=r"\(3, 4, 4\) permutation matrices .* got None"):
        loss(y)
    with pytest.raises(ValueError, match=r"permutation_matrix\(values\) makes, got \(2, 4, 4\)"):
        sample_last(y, target[:2])
    parameter = "inverse_temperature" if name in NETWORKS else "temperature"
    with pytest.raises(ValueError, match=r"greater than or equal to 0\.0001"):
        build_loss(name, **{parameter: 0.0})
    with pytest.raises(ValueError, match="'log_domain' or 'bce_loss'"):
        build_loss(name, numerics="float8")


@every_loss
@either_numerics
def test_everything_is_made_on_the_scores_device(name: str, numerics: str) -> None:
    """torch's meta device stands for any accelerator: it refuses tensors of another one."""
    y, target = (tensor.to("meta") for tensor in draw_sorting(3, 5))
    loss = sorting_loss(name, numerics=numerics)
    for part in parts(loss.derivatives(y, target)):
        assert part.device.type == "meta"
    y.requires_grad_(True)
    loss(y, target).sum().backward()
    assert y.grad is not None
    assert y.grad.device.type == "meta"
