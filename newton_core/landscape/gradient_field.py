"""The gradient of a sorting loss as one score moves and the others stay (the paper's Figure 6)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature import CurvatureError
from newton_core.curvature.hessian import apply_rule
from newton_core.curvature.surrogate import NewtonSettings
from newton_core.losses import Loss, build_loss
from newton_core.losses.base import Derivatives
from newton_core.metrics import EXPLODING, VANISHING
from newton_core.tensors import to_float64

RegionKind = Literal["vanishing", "exploding", "non_finite"]


@dataclass(frozen=True)
class Region:
    """An interval of scores where the gradient vanishes, explodes or is not finite.

    Attributes:
        kind: "vanishing", "exploding" or "non_finite".
        first: first swept score in it.
        last: last swept score in it.
    """

    kind: RegionKind
    first: float
    last: float


@dataclass(frozen=True)
class Flip:
    """An interval of scores where a Newton direction's entry has not the gradient's sign.

    Attributes:
        first: first swept score in it.
        last: last swept score in it.
        lowest: smallest eigenvalue of C + tikhonov I in it. Below zero the quadratic bends down
            somewhere, and the direction leads to a saddle or a top of it; above, the curvature
            couples the score with the others, and the step as a whole still goes down.
    """

    first: float
    last: float
    lowest: float


@dataclass(frozen=True)
class GradientCurve:
    """One gradient or direction over the swept score.

    Attributes:
        name: "raw", or the curvature ("hessian", "fisher"), or a variant of the numerics.
        component: (P,) float64: its entry for the swept score; NaN where it cannot be computed.
        norm: (P,) float64: norm over all scores of the sample.
        regions: where a gradient's norm is vanishing, exploding or not finite, from left to
            right; empty for Newton directions, because the thresholds are those of gradients.
        settings: of the Newton step, None for plain gradients.
        problem: why the Newton system has no solution at some scores; None if it has everywhere.
        flips: where a Newton direction's entry points the other way than the raw gradient's, from
            left to right; empty for plain gradients.
    """

    name: str
    component: Tensor
    norm: Tensor
    regions: tuple[Region, ...] = ()
    settings: NewtonSettings | None = None
    problem: str | None = None
    flips: tuple[Flip, ...] = ()


@dataclass(frozen=True)
class GradientField:
    """The gradient and the Newton directions of one score over a range of its values.

    Attributes:
        scores: (P,) float64: the values that the swept score takes.
        value: (P,) float64: the sample's loss.
        curves: the raw gradient first, then one per Newton setting.
    """

    scores: Tensor
    value: Tensor
    curves: tuple[GradientCurve, ...]


def gradient_field(
    loss: Loss,
    y: Float[Tensor, "N n"],
    target: Tensor | None,
    scores: Float[Tensor, " P"],
    *,
    sample: int = 0,
    item: int = 0,
    settings: Sequence[NewtonSettings] = (
        NewtonSettings(),
        NewtonSettings(curvature="fisher"),
    ),
    vanishing: float = VANISHING,
    exploding: float = EXPLODING,
) -> GradientField:
    """The raw gradient and the Newton directions of one score, over a range of it.

    ``y`` is a batch, as in training. One score of one sample moves and all others stay. At each
    value of the score the curvature is that of the whole batch. With N = 1 the batch is the swept
    sample alone: its Fisher has rank one, and the direction is the gradient scaled to the length
    ``|g| / (|g|^2 + tikhonov)``, which is at most 1 / (2 sqrt(tikhonov)).

    Args:
        loss: the loss.
        y: scores of a batch.
        target: what the loss compares y with.
        scores: the values of the swept score, ascending.
        sample: the sample it belongs to.
        item: index of the score in the sample: x_1 is 0.
        settings: the Newton steps to compare with the raw gradient.
        vanishing: norm below which a gradient counts as vanished.
        exploding: norm above which it counts as exploding.

    Raises:
        ValueError: there is no such sample or item.
    """
    _check(y, sample, item)
    swept = _sweep(y[sample], scores, item)
    own = None if target is None else target[sample].expand(len(scores), *target.shape[1:])
    hessian = any(s.step.need == "hessian" for s in settings)
    moving = loss.derivatives(swept, own, hessian=hessian)
    still = loss.derivatives(y, target, hessian=hessian)
    curves = [_gradient_curve("raw", moving.gradient, item, scores, vanishing, exploding)]
    for setting in settings:
        direction, problem = _newton_sweep(moving, still, sample, setting)
        curve = _curve(setting.curvature, direction, item)
        lowest = _lowest_eigenvalues(moving, still, sample, setting)
        flips = find_flips(scores, curves[0].component, curve.component, lowest)
        curves.append(replace(curve, settings=setting, problem=problem, flips=flips))
    return GradientField(scores.double().cpu(), moving.value.double().cpu(), tuple(curves))


NumericsName = Literal["bce_loss float32", "bce_loss float64", "log_domain float32"]
_NUMERICS: tuple[tuple[NumericsName, str, torch.dtype], ...] = (
    ("bce_loss float32", "bce_loss", torch.float32),
    ("bce_loss float64", "bce_loss", torch.float64),
    ("log_domain float32", "log_domain", torch.float32),
)


def numerics_field(
    loss: Loss,
    y: Float[Tensor, " n"],
    target: Tensor,
    scores: Float[Tensor, " P"],
    *,
    item: int = 0,
    vanishing: float = VANISHING,
    exploding: float = EXPLODING,
) -> GradientField:
    """The same raw gradient computed in three ways, which tells rounding from the loss itself.

    Where the three agree, a large gradient belongs to the loss; where only ``bce_loss float32`` is
    large (or zero), the cause is rounding.

    Args:
        loss: a loss with ``numerics`` among its parameters; its other parameters are kept.
        y: scores of one sample.
        target: (n, n) its permutation matrix.
        scores: the values of the swept score, ascending.
        item: index of the swept score.
        vanishing: norm below which a gradient counts as vanished.
        exploding: norm above which it counts as exploding.

    Raises:
        ValueError: the loss has no ``numerics``, or there is no such item.
    """
    parameters = loss.settings.model_dump()
    if "numerics" not in parameters:
        raise ValueError(f"the loss {parameters['name']!r} has only one way to be computed")
    _check(y[None], 0, item)
    curves, values = [], []
    for name, numerics, dtype in _NUMERICS:
        variant = build_loss(**{**parameters, "numerics": numerics})
        swept = _sweep(y.to(dtype), scores.to(dtype), item)
        own = target.to(dtype).expand(len(scores), *target.shape)
        derivatives = variant.derivatives(swept, own, hessian=False)
        values.append(derivatives.value.double().cpu())
        curves.append(
            _gradient_curve(name, derivatives.gradient, item, scores, vanishing, exploding)
        )
    return GradientField(scores.double().cpu(), values[1], tuple(curves))


def _sweep(y: Tensor, scores: Tensor, item: int) -> Float[Tensor, "P n"]:
    swept = y.detach().repeat(len(scores), 1)
    swept[:, item] = scores.to(swept)
    return swept


def _newton_sweep(
    moving: Derivatives, still: Derivatives, sample: int, settings: NewtonSettings
) -> tuple[Tensor, str | None]:
    """The Newton direction (P, n) of the moving sample within its batch, NaN where there is none.

    Each value of the score makes its own batch, which is solved by the function that training uses.
    """
    direction = torch.full_like(moving.gradient, torch.nan)
    problem = None
    newton = settings.step
    own = slice(sample, sample + 1)
    for at in range(len(direction)):
        batch = still.with_rows(own, moving.rows(slice(at, at + 1)))
        try:
            direction[at] = newton.direction(batch)[sample]
        except CurvatureError as error:
            problem = problem or str(error)
    return direction, problem


def _gradient_curve(
    name: str, gradient: Tensor, item: int, scores: Tensor, vanishing: float, exploding: float
) -> GradientCurve:
    curve = _curve(name, gradient, item)
    return replace(curve, regions=find_regions(scores, curve.norm, vanishing, exploding))


def _curve(name: str, vectors: Tensor, item: int) -> GradientCurve:
    vectors = vectors.detach().double().cpu()
    return GradientCurve(name, vectors[:, item], torch.linalg.vector_norm(vectors, dim=1))


def find_regions(
    scores: Float[Tensor, " P"], norm: Float[Tensor, " P"], vanishing: float, exploding: float
) -> tuple[Region, ...]:
    """The regions where a norm is vanishing, exploding or not finite, from left to right."""
    kinds: list[RegionKind | None] = []
    for value in norm.tolist():
        if not math.isfinite(value):
            kinds.append("non_finite")
        elif value < vanishing:
            kinds.append("vanishing")
        else:
            kinds.append("exploding" if value > exploding else None)
    places = scores.tolist()
    regions: list[Region] = []
    for kind, stretch in groupby(range(len(kinds)), key=kinds.__getitem__):
        if kind is not None:
            indices = list(stretch)
            regions.append(Region(kind, places[indices[0]], places[indices[-1]]))
    return tuple(regions)


def find_flips(
    scores: Float[Tensor, " P"],
    gradient: Float[Tensor, " P"],
    direction: Float[Tensor, " P"],
    lowest: Float[Tensor, " P"],
) -> tuple[Flip, ...]:
    """Where a direction has the other sign than the gradient, from left to right.

    Entries below the millionth of their curve's largest are rounding, and have no sign.
    """
    signs = [torch.where(_heavy(curve), curve.sign(), 0.0) for curve in (gradient, direction)]
    opposite = (signs[0] * signs[1] < 0).tolist()
    places = scores.tolist()
    flips = []
    for flipped, stretch in groupby(range(len(opposite)), key=opposite.__getitem__):
        if flipped:
            at = list(stretch)
            flips.append(
                Flip(places[at[0]], places[at[-1]], lowest[at[0] : at[-1] + 1].min().item())
            )
    return tuple(flips)


def _heavy(curve: Tensor) -> Tensor:
    finite = torch.where(torch.isfinite(curve), curve, 0.0).abs()
    return finite > 1e-6 * finite.max()


def _lowest_eigenvalues(
    moving: Derivatives, still: Derivatives, sample: int, settings: NewtonSettings
) -> Float[Tensor, " P"]:
    """The smallest eigenvalue of C + tikhonov I for each value of the swept score."""
    lowest = torch.full((len(moving.gradient),), settings.tikhonov, dtype=torch.float64)
    if moving.hessian is None or still.hessian is None or settings.curvature != "hessian":
        return lowest  # F has no negative eigenvalue
    own = to_float64(moving.hessian)
    if settings.hessian == "batch_mean":
        others = to_float64(still.hessian)
        own = others.mean(0) + (own - others[sample]) / len(others)
    finite = torch.isfinite(own).all(-1).all(-1)
    eigenvalues = torch.linalg.eigvalsh(torch.where(finite[:, None, None], own, 0.0))
    kept = apply_rule(eigenvalues, settings.definiteness).amin(1).cpu() + lowest
    return torch.where(finite.cpu(), kept, torch.nan)


def _check(y: Tensor, sample: int, item: int) -> None:
    N, n = y.shape
    if not 0 <= sample < N:
        raise ValueError(f"there is no sample {sample} in a batch of {N}")
    if not 0 <= item < n:
        raise ValueError(f"there is no score {item} in a sample of {n}")
