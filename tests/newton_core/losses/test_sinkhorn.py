"""Transport: plans against POT, derivatives against autograd, bad input in a sentence."""

import math
import re
from itertools import permutations

import ot
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss, permutation_matrix
from newton_core.losses import Sinkhorn, autodiff_derivatives
from newton_core.losses.base import TargetKind
from tests.newton_core.losses.checks import LossCase, close, family_test

N_ITEMS = 4


def sinkhorn(**parameters: object) -> Sinkhorn:
    loss = build_loss("sinkhorn", **parameters)
    assert isinstance(loss, Sinkhorn)
    return loss


def draw(samples: int, generator: torch.Generator, *, ranked: bool) -> tuple[Tensor, Tensor]:
    shape = (samples, N_ITEMS) if ranked else (samples, N_ITEMS, N_ITEMS)
    y = torch.randn(shape, generator=generator, dtype=torch.float64)
    return y, permutation_matrix(torch.randn(samples, N_ITEMS, generator=generator))


def draw_ranked(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return draw(samples, generator, ranked=True)


def draw_free(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return draw(samples, generator, ranked=False)


def best(y: Tensor, target: Tensor | None) -> Tensor:
    """Far apart in the true order or at the true places: the infimum lies at infinity."""
    assert target is not None
    truth = target.to(y.dtype)
    if y.ndim == 3:
        return 100 * truth
    ranks = torch.arange(y.shape[1], dtype=y.dtype).expand_as(y)
    return 100 * (truth.mT @ ranks.unsqueeze(2)).squeeze(2)


test_family = family_test(
    [
        LossCase(
            "sinkhorn",
            sampler,
            best,
            {"compare": compare, "temperature": 0.7},
            positive_semidefinite=compare == "categorical",
            equivariant=sampler is draw_ranked,
        )
        for compare in ("binary", "categorical")
        for sampler in (draw_ranked, draw_free)
    ]
)


@pytest.mark.parametrize("temperature", [2.0, 0.3])
def test_the_plan_is_that_of_pot(temperature: float) -> None:
    y, _ = draw_free(3, torch.Generator().manual_seed(0))
    plans = sinkhorn(temperature=temperature).plan(y)
    ones = torch.ones(N_ITEMS, dtype=torch.float64)
    for scores, plan in zip(y, plans, strict=True):
        peer = ot.sinkhorn(
            ones, ones, -scores, temperature, "sinkhorn_log", stopThr=1e-12, numItermax=20_000
        )
        assert_close(plan, peer, rtol=1e-6, atol=1e-8)


def test_a_ranking_is_transport_at_squared_distances_to_the_ranks() -> None:
    y, _ = draw_ranked(5, torch.Generator().manual_seed(0))
    places = 2 * torch.arange(N_ITEMS, dtype=torch.float64) + 1 - N_ITEMS
    distances = (places[None, :, None] - y[:, None]).square()
    ranked = sinkhorn(temperature=0.8).plan(y)
    assert_close(ranked, sinkhorn(temperature=1.6).plan(-distances))
    neural = build_loss("neuralsort").logits(y.mT)
    assert isinstance(neural, Tensor)
    assert_close(ranked, sinkhorn(temperature=0.8).plan(neural.permute(2, 0, 1)))


@pytest.mark.parametrize("ranked", [True, False])
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0, 1000.0])
def test_marginals_agree_to_the_dtypes_tolerance(scale: float, ranked: bool) -> None:
    y, _ = draw(20, torch.Generator().manual_seed(0), ranked=ranked)
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-6)):
        plan = sinkhorn().plan((scale * y).to(dtype))
        rounding = N_ITEMS * torch.finfo(dtype).eps
        assert (plan.sum(1) - 1).abs().max() <= tolerance + rounding
        assert (plan.sum(2) - 1).abs().max() <= tolerance + rounding


def test_the_categorical_loss_is_the_fenchel_young_loss_of_transport() -> None:
    """In the limit of no temperature: the best assignment's score above the true one's."""
    y, target = draw_free(10, torch.Generator().manual_seed(0))
    rows = torch.arange(N_ITEMS)
    orders = torch.tensor(list(permutations(range(N_ITEMS))))
    highest = y[:, rows, orders].sum(2).amax(1)
    temperature = 1e-3
    loss = sinkhorn(compare="categorical", temperature=temperature)
    regret = highest - (target * y).sum((1, 2))
    assert_close(N_ITEMS * temperature * loss(y, target), regret, rtol=1e-4, atol=1e-4)
    gradient = loss.derivatives(y, target, hessian=False).gradient.view_as(y)
    assert_close(gradient, (loss.plan(y) - target) / (N_ITEMS * temperature))


@pytest.mark.parametrize("compare", ["binary", "categorical"])
@pytest.mark.parametrize("ranked", [True, False])
def test_derivatives_are_exact_where_the_plan_is_almost_a_permutation(
    compare: str, ranked: bool
) -> None:
    y, target = draw(20, torch.Generator().manual_seed(0), ranked=ranked)
    loss = sinkhorn(compare=compare, temperature=0.1)
    assert loss.plan(y).amax(2).median() > 0.95
    fast, slow = loss.derivatives(y, target), autodiff_derivatives(loss, y, target)
    assert fast.hessian is not None
    assert slow.hessian is not None
    close(fast.value, slow.value, 1e-9)
    close(fast.gradient, slow.gradient, 1e-6)
    close(fast.hessian, slow.hessian, 1e-6)


@pytest.mark.parametrize("ranked", [True, False])
@pytest.mark.parametrize("compare", ["binary", "categorical"])
def test_values_move_along_all_directions_but_the_declared_ones(compare: str, ranked: bool) -> None:
    """By finite differences; the Hessian's null space shows that no direction is missing."""
    y, target = draw(5, torch.Generator().manual_seed(0), ranked=ranked)
    loss = sinkhorn(compare=compare)
    kind: TargetKind = "permutation" if ranked else "assignment"
    blind = loss.invariant_directions_of(kind, y[0].numel())
    assert len(blind) == torch.linalg.matrix_rank(blind) == (1 if ranked else 2 * N_ITEMS - 1)
    space = torch.linalg.qr(blind.mT)[0]
    step = 1e-3
    for direction in (*blind, *(space @ torch.randn(3, len(blind), dtype=space.dtype).mT).mT):
        move = step * direction.view_as(y[0])
        slopes = (loss(y + move, target) - loss(y - move, target)) / (2 * step)
        assert slopes.abs().max() < 1e-9
    hessians = loss.derivatives(y, target).hessian
    assert hessians is not None
    null = (torch.linalg.eigvalsh(hessians).abs() < 1e-12).sum(1)
    assert null.tolist() == [len(blind)] * len(y)


def test_a_limit_that_is_met_is_said() -> None:
    y, target = draw_free(3, torch.Generator().manual_seed(0))
    loss = sinkhorn(sweeps=2, temperature=0.5)
    with pytest.warns(RuntimeWarning, match="3 of 3 plans are not .* after 2 sweeps"):
        loss(y, target)
    said = loss.shortfall()
    assert said is not None
    assert re.match(r"3 of 3 plans are not balanced to 1e-10 .* off by 0\.\d+\)", said)
    loss(0 * y, target)
    assert loss.shortfall() is None


@pytest.mark.parametrize(
    ("shape", "target", "sentence"),
    [
        ((3, 4, 5), torch.eye(4).expand(3, 4, 4), "as many places: scores must be"),
        ((3, 1), torch.ones(3, 1, 1), "n >= 2 items"),
        ((3, 4, 4), None, r"of shape \(N, n, n\) = \(3, 4, 4\), got none"),
        ((3, 4), torch.eye(3).expand(3, 3, 3), r"got \(3, 3, 3\)"),
        ((3, 4), torch.full((3, 4, 4), math.nan), "is no permutation matrix"),
        ((3, 4, 4), torch.ones(3, 4, 4), "is no permutation matrix"),
    ],
)
def test_bad_input_gets_a_sentence(
    shape: tuple[int, ...], target: Tensor | None, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        sinkhorn()(torch.zeros(shape), target)


@pytest.mark.parametrize("apart", [200.0, 1000.0, 1e5])
def test_two_items_are_a_logistic_loss_however_far_apart(apart: float) -> None:
    """P has one free number, the logistic function of y_1 - y_0, whose curvature is p (1 - p)."""
    y = torch.tensor([[0, apart], [0, -apart], [0, 1.0]], dtype=torch.float64)
    target = torch.eye(2).double().expand(3, 2, 2)
    found = sinkhorn().derivatives(y, target)
    p = torch.sigmoid(y[:, 1])
    block = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).double()
    assert found.hessian is not None
    assert_close(found.hessian, (p * (1 - p))[:, None, None] * block, atol=1e-12, rtol=0)
