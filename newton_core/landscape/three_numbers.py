"""The complete landscape of sorting three numbers, and descents on it.

A sorting loss does not change when all scores are shifted. For three items it is therefore a
function on the plane of score differences: the vectors orthogonal to (1, 1, 1). The six orderings
are six wedges of 60 degrees, bounded by the lines where two scores are equal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.descent import Descent, DescentSettings, descend
from newton_core.landscape.grid import Grid, plane_points
from newton_core.losses.base import Loss

Ordering = tuple[int, int, int]
"""The items from smallest to largest score, 0-based: (0, 1, 2) reads s1 < s2 < s3."""
Outcome = Literal["arrived", "stuck", "under_way", "ended"]

BASIS = (
    torch.tensor([[-1.0, 0.0, 1.0], [1.0, -2.0, 1.0]], dtype=torch.float64)
    / torch.tensor([[2.0], [6.0]], dtype=torch.float64).sqrt()
)
"""(2, 3) orthonormal. Along the first axis, the middle of the wedge s1 < s2 < s3, the difference
s3 - s1 grows; along the second, s2 falls below the mean of the others."""

VANISHED = 1e-6
"""Norm below which the steps of gradient descent are too small to see."""


@dataclass(frozen=True)
class Wedge:
    """The part of the plane where the scores have one ordering.

    Attributes:
        ordering: items from smallest to largest score, 0-based.
        label: the same in words: "s1 < s2 < s3".
        angle: direction of its middle, in radians from the first axis.
        polygon: (V, 2) the corners of its part inside the grid's rectangle, counter-clockwise.
        correct: whether it is the target's ordering.
    """

    ordering: Ordering
    label: str
    angle: float
    polygon: Tensor
    correct: bool


@dataclass(frozen=True)
class ThreeNumbersDescent:
    """The descent of one method in the plane and its outcome for each of N starts.

    Attributes:
        descent: over the scores: its positions are (K + 1, N, 3).
        path: (K + 1, N, 2) float64: the positions in plane coordinates.
        arrived: (N,) first step from which on the ordering is right until the end; -1 if none.
        outcomes: "arrived"; "stuck" (wrong ordering, gradient below ``vanished``); "under_way"
            (wrong ordering, still moving); "ended" (not finite).
    """

    descent: Descent
    path: Tensor
    arrived: Tensor
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class ThreeNumbersLandscape:
    """The landscape of one sorting loss on the plane.

    Attributes:
        a: (A,) coordinates along the first axis, in units of the scores.
        b: (B,) coordinates along the second.
        loss: (B, A) float64: ``loss[j, i]`` at the scores a[i] BASIS[0] + b[j] BASIS[1].
        gradient_norm: (B, A) float64.
        wedges: the six orderings, counter-clockwise from the first axis.
    """

    a: Tensor
    b: Tensor
    loss: Tensor
    gradient_norm: Tensor
    wedges: tuple[Wedge, ...]


def to_scores(
    points: Float[Tensor, "*B 2"], dtype: torch.dtype = torch.float32
) -> Float[Tensor, "*B 3"]:
    """Scores with mean zero at points of the plane."""
    return (points.double() @ BASIS.to(points.device)).to(dtype)


def to_plane(scores: Float[Tensor, "*B 3"]) -> Float[Tensor, "*B 2"]:
    """Plane coordinates of scores, float64; they do not depend on the scores' mean."""
    return scores.double() @ BASIS.mT.to(scores.device)


def three_numbers_landscape(
    loss: Loss,
    grid: Grid | None = None,
    *,
    ordering: Ordering = (0, 1, 2),
    dtype: torch.dtype = torch.float32,
) -> ThreeNumbersLandscape:
    """A sorting loss and the norm of its gradient over the plane of score differences.

    Args:
        loss: a loss whose target is a permutation matrix.
        grid: points and range in units of the scores (default: 101 points, 5 to each side).
        ordering: the true ordering.
        dtype: the precision that the loss computes in, because rounding is part of the landscape.
    """
    grid = grid or Grid(points=101, span=5.0)
    a, b = grid.axes()
    scores = to_scores(plane_points(a, b), dtype)
    target = target_matrix(ordering, len(scores), dtype)
    derivatives = loss.derivatives(scores, target, hessian=False)
    shape = (grid.points, grid.points)
    return ThreeNumbersLandscape(
        a=a,
        b=b,
        loss=derivatives.value.double().view(shape),
        gradient_norm=torch.linalg.vector_norm(derivatives.gradient.double(), dim=1).view(shape),
        wedges=wedges(ordering, a[-1].item(), b[-1].item()),
    )


def three_numbers_descents(
    loss: Loss,
    starts: Float[Tensor, "N 2"],
    methods: Sequence[DescentSettings],
    *,
    steps: int,
    ordering: Ordering = (0, 1, 2),
    dtype: torch.dtype = torch.float32,
    vanished: float = VANISHED,
) -> list[ThreeNumbersDescent]:
    """Descends with each method from the same starts in the plane.

    The starts are one batch (see :func:`newton_core.descent.descend`), which matters to the
    empirical Fisher. For a single start it has rank one, so the descent follows the gradient at
    another speed; for several starts it couples their steps.

    Args:
        loss: a loss whose target is a permutation matrix.
        starts: plane coordinates.
        methods: the methods to compare.
        steps: number of steps.
        ordering: the true ordering.
        dtype: the precision of scores and loss.
        vanished: gradient norm below which a descent in a wrong wedge counts as stuck.
    """
    descents = descend(
        loss,
        to_scores(starts, dtype),
        methods,
        steps=steps,
        target=target_matrix(ordering, len(starts), dtype),
    )
    return [_judge(one, ordering, vanished) for one in descents]


def target_matrix(ordering: Ordering, samples: int, dtype: torch.dtype) -> Float[Tensor, "N 3 3"]:
    """The permutation matrix of an ordering for each sample: row r marks the r-th smallest item."""
    if sorted(ordering) != [0, 1, 2]:
        raise ValueError(f"an ordering holds the items 0, 1 and 2 once each, got {ordering}")
    return torch.eye(3, dtype=dtype)[list(ordering)].expand(samples, 3, 3)


def wedges(ordering: Ordering, reach_a: float, reach_b: float) -> tuple[Wedge, ...]:
    """The six wedges inside the rectangle from (-reach_a, -reach_b) to (reach_a, reach_b)."""
    found = []
    for first, second, third in permutations(range(3)):
        candidate = (first, second, third)
        # The middle of a wedge: its items at evenly spaced scores.
        scores = torch.empty(3, dtype=torch.float64)
        scores[list(candidate)] = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
        across, up = to_plane(scores).tolist()
        angle = math.atan2(up, across) % (2 * math.pi)
        found.append(
            Wedge(
                ordering=candidate,
                label=" < ".join(f"s{item + 1}" for item in candidate),
                angle=angle,
                polygon=_cut_wedge(angle, reach_a, reach_b),
                correct=candidate == ordering,
            )
        )
    return tuple(sorted(found, key=lambda wedge: wedge.angle))


def _cut_wedge(angle: float, reach_a: float, reach_b: float) -> Float[Tensor, "V 2"]:
    """The corners of the wedge 30 degrees to each side of ``angle``, its tip first."""
    low, high = angle - math.pi / 6, angle + math.pi / 6
    corner = math.atan2(reach_b, reach_a)
    corners = [corner, math.pi - corner, math.pi + corner, 2 * math.pi - corner]
    turns = [c + turn for c in corners for turn in (-2 * math.pi, 0.0, 2 * math.pi)]
    inside = sorted(c for c in turns if low < c < high)
    border = [_on_border(at, reach_a, reach_b) for at in (low, *inside, high)]
    return torch.tensor([(0.0, 0.0), *border], dtype=torch.float64)


def _on_border(angle: float, reach_a: float, reach_b: float) -> tuple[float, float]:
    across, up = math.cos(angle), math.sin(angle)
    scale = 1 / max(abs(across) / reach_a, abs(up) / reach_b)
    return scale * across, scale * up


def _judge(one: Descent, ordering: Ordering, vanished: float) -> ThreeNumbersDescent:
    ordered = one.positions[..., list(ordering)]
    right = (ordered.diff(dim=-1) > 0).all(-1)  # (K + 1, N), False where NaN
    steps = len(right) - 1
    wrong_steps = torch.where(
        right, -1, torch.arange(steps + 1, device=right.device)[:, None]
    ).amax(0)
    arrived = torch.where(wrong_steps < steps, wrong_steps + 1, -1)
    norms = torch.linalg.vector_norm(one.gradients[-1].double(), dim=1)
    outcomes: list[Outcome] = []
    for at, ended, norm in zip(arrived.tolist(), one.ended.tolist(), norms.tolist(), strict=True):
        if ended < steps:
            outcomes.append("ended")
        elif at >= 0:
            outcomes.append("arrived")
        else:
            outcomes.append("stuck" if norm < vanished else "under_way")
    return ThreeNumbersDescent(one, to_plane(one.positions), arrived, tuple(outcomes))
