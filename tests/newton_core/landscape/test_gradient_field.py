"""Gradients over one score: equal to direct evaluation, and rounding told from curvature."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from newton_core import build_loss, list_losses, newton_direction
from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature.surrogate import NewtonSettings
from newton_core.landscape.gradient_field import (
    Flip,
    find_flips,
    find_regions,
    gradient_field,
    numerics_field,
)
from newton_core.losses.base import LOSSES
from newton_core.records import to_json

SORTING = [name for name in list_losses() if LOSSES.get(name).target_kind == "permutation"]
SWEEP = torch.linspace(-6, 6, 25, dtype=torch.float64)


def batch(N: int = 6, n: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    y = torch.randn(N, n, generator=generator, dtype=torch.float64)
    return y, permutation_matrix(y + torch.randn(N, n, generator=generator)).double()


@pytest.mark.parametrize("name", SORTING)
def test_curves_are_what_training_would_see(name: str) -> None:
    loss, (y, target) = build_loss(name), batch()
    settings = [
        NewtonSettings(tikhonov=0.2, definiteness="saddle_free"),
        NewtonSettings(tikhonov=0.2, definiteness="clip", hessian="per_sample"),
        NewtonSettings(tikhonov=0.2, curvature="fisher"),
    ]
    field = gradient_field(loss, y, target, SWEEP, sample=2, item=1, settings=settings)
    assert [curve.name for curve in field.curves] == ["raw", "hessian", "hessian", "fisher"]
    for step in (0, 7, 24):
        moved = y.clone()
        moved[2, 1] = SWEEP[step]
        d = loss.derivatives(moved, target, hessian=False)
        assert field.value[step].item() == pytest.approx(d.value[2].item())
        assert field.curves[0].component[step].item() == pytest.approx(d.gradient[2, 1].item())
        assert field.curves[0].norm[step].item() == pytest.approx(d.gradient[2].norm().item())
        for s, curve in zip(settings, field.curves[1:], strict=True):
            direction = newton_direction(
                loss, moved, target, curvature=s.curvature, tikhonov=s.tikhonov,
                hessian=s.hessian, definiteness=s.definiteness,
            )  # fmt: skip
            expected = direction[2]
            assert curve.component[step].item() == pytest.approx(expected[1].item(), rel=1e-6)
            assert curve.norm[step].item() == pytest.approx(expected.norm().item(), rel=1e-6)
            assert curve.settings == s


def test_one_sample_s_fisher_is_the_gradient_at_a_bounded_length() -> None:
    loss, (y, target) = build_loss("neuralsort", temperature=0.3), batch(N=1)
    fisher = NewtonSettings(curvature="fisher", tikhonov=0.01)
    field = gradient_field(loss, y, target, SWEEP, settings=[fisher])
    raw, bounded = field.curves
    torch.testing.assert_close(bounded.component, raw.component / (raw.norm**2 + 0.01))
    assert bounded.norm.max() <= 5.0 + 1e-9


def test_a_direction_that_does_not_exist_is_nan_with_a_reason() -> None:
    loss, (y, target) = build_loss("squared_error"), batch()
    sweep = torch.tensor([0.0, math.inf, 1.0], dtype=torch.float64)
    field = gradient_field(loss, y, target[:, 0], sweep, settings=[NewtonSettings()])
    raw, newton = field.curves
    assert newton.component.isnan().tolist() == [False, True, False]
    assert newton.problem is not None
    assert [region.kind for region in raw.regions] == ["non_finite"]
    assert to_json(newton)["component"][1] is None


def test_regions_are_stretches_of_the_norm() -> None:
    scores = torch.arange(8.0)
    norm = torch.tensor([0.0, 1e-9, 1.0, 20.0, 30.0, math.nan, 1.0, 1e-7])
    found = [(r.kind, r.first, r.last) for r in find_regions(scores, norm, 1e-6, 10.0)]
    assert found == [
        ("vanishing", 0.0, 1.0),
        ("exploding", 3.0, 4.0),
        ("non_finite", 5.0, 5.0),
        ("vanishing", 7.0, 7.0),
    ]


def test_exploding_gradients_of_saturated_scores_are_rounding() -> None:
    loss = build_loss("neuralsort", temperature=0.1)
    y = torch.tensor([0.0, 1.5, 3.0, 4.0, 6.0])
    target = permutation_matrix(y)
    sweep = torch.linspace(-8, 8, 801)
    field = numerics_field(loss, y, target, sweep)
    low, high, log = field.curves
    assert (low.name, high.name, log.name) == (
        "bce_loss float32", "bce_loss float64", "log_domain float32",
    )  # fmt: skip
    assert low.norm.max() > 1000
    assert log.norm.max() < 10
    assert any(region.kind == "exploding" for region in low.regions)
    assert not any(region.kind == "exploding" for region in log.regions)
    soft = numerics_field(build_loss("neuralsort", temperature=3.0), y, target, sweep)
    for curve in soft.curves[1:]:
        torch.testing.assert_close(curve.component, soft.curves[0].component, rtol=1e-3, atol=1e-4)


def test_only_losses_with_numerics_have_variants() -> None:
    y = torch.zeros(3)
    with pytest.raises(ValueError, match="only one way"):
        numerics_field(build_loss("squared_error"), y, y, SWEEP)


@pytest.mark.parametrize(
    ("arguments", "words"), [({"sample": 6}, "no sample 6"), ({"item": 5}, "no score 5")]
)
def test_what_is_not_there_cannot_be_swept(arguments: dict[str, Any], words: str) -> None:
    y, target = batch()
    with pytest.raises(ValueError, match=words):
        gradient_field(build_loss("neuralsort"), y, target, SWEEP, **arguments)


def test_a_flip_of_the_hessian_step_is_where_the_quadratic_bends_down() -> None:
    loss = build_loss("neuralsort", temperature=0.1)
    y = torch.tensor([[-2.0, -1.0, 0.0, 1.0, 2.0]])
    target = permutation_matrix(y)
    sweep = torch.linspace(-10, 10, 401)
    settings = [NewtonSettings(tikhonov=0.1), NewtonSettings(curvature="fisher", tikhonov=0.1)]
    raw, hessian, fisher = gradient_field(loss, y, target, sweep, settings=settings).curves
    assert hessian.flips
    assert not raw.flips
    assert not fisher.flips
    assert min(flip.lowest for flip in hessian.flips) < 0
    for flip in hessian.flips:
        inside = (sweep >= flip.first) & (sweep <= flip.last)
        assert bool((raw.component[inside] * hessian.component[inside] < 0).all())
        swept = y.repeat(int(inside.sum()), 1)
        swept[:, 0] = sweep[inside]
        matrices = loss.derivatives(swept, target.expand(len(swept), -1, -1)).hessian
        assert matrices is not None
        lowest = torch.linalg.eigvalsh(matrices.double()).min().item() + 0.1
        assert flip.lowest == pytest.approx(lowest, rel=1e-4, abs=1e-4)


def test_flips_are_stretches_of_opposite_signs_and_rounding_is_none() -> None:
    gradient = torch.tensor([1.0, 1.0, 1.0, -1.0, 1e-9, 1.0])
    direction = torch.tensor([1.0, -2.0, -1.0, -1.0, -1.0, math.nan])
    lowest = torch.tensor([1.0, -3.0, -5.0, 1.0, 1.0, 1.0])
    assert find_flips(torch.arange(6.0), gradient, direction, lowest) == (Flip(1.0, 2.0, -5.0),)
