"""Gradient, Newton step and z* of one sample, in the plane that holds all three.

    z* = y - (C + tikhonov I)^-1 g

A step differs from the plain gradient in its length and in its direction. The two views of the
plane keep them apart: one has both as long as they are, the other has both of one length.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature import CurvatureError, NewtonStep
from newton_core.curvature.surrogate import curvature_matrices
from newton_core.landscape.evaluation import kept_noise
from newton_core.landscape.grid import plane_points
from newton_core.landscape.outputs import OutputFunction
from newton_core.losses.base import Derivatives, LossFunction
from newton_core.losses.plain import as_loss, derivatives_of
from newton_core.tensors import flatten_outputs, to_float64

SecondAxis = Literal["step", "steepest"]
"""What the axis across the gradient follows: the Newton step, or C's steepest direction there."""

PARALLEL_DEGREES = 0.1
"""Below this angle the Newton step does not fix a second axis."""

MARGIN = 0.3
"""Room around the arrows, in lengths of the longest of them."""

LONGEST = 6.0
"""A gradient that is more than so many times as long as the Newton step leaves the picture."""

COARSE = 11
"""Points along each axis at which it is seen whether the loss is defined."""

SHRINKINGS = 12
"""A picture in which the loss is mostly not defined may be halved so many times."""


@dataclass(frozen=True)
class StepChange:
    """What makes one step out of another.

    Attributes:
        ratio: length of the second over that of the first; NaN if the first is zero.
        degrees: angle between them, 0 to 180; NaN if one of them is zero.
    """

    ratio: float
    degrees: float


@dataclass(frozen=True)
class PlaneView:
    """A square part of the plane, and the loss and the quadratic on it.

    Attributes:
        unit: length of the drawn Newton step, and of all arrows where they are of one length.
        gradient: (2,) tip of the arrow down the gradient.
        a: (A,) coordinates along the first direction, in units of the outputs.
        b: (B,) coordinates along the second.
        loss: (B, A) float64: ``loss[j, i]`` at y + a[i] basis[0] + b[j] basis[1]; NaN where the
            loss is not defined.
        quadratic: (B, A) value + g.d + 1/2 d^T (C + tikhonov I) d, whose stationary point is z*;
            None without a step.
    """

    unit: float
    gradient: Tensor
    a: Tensor
    b: Tensor
    loss: Tensor
    quadratic: Tensor | None


@dataclass(frozen=True)
class StepPlane:
    """The Newton step of one sample beside its gradient.

    Attributes:
        sample: which sample of the batch.
        basis: (2, m) orthonormal: down the gradient, and across it.
        second: what the second direction follows.
        value: the sample's loss at y.
        gradient_norm: length of the sample's gradient g.
        step: (2,) minus (C + tikhonov I)^-1 g on the plane, which holds all of it: z* - y. None if
            the arm takes the plain gradient, or if there is no such step.
        tikhonov: the damping.
        matrix: (2, 2) C on the plane, without tikhonov; None without curvature.
        change: from the sample's gradient to its Newton step.
        batch_change: the same over all samples at once, as one vector of N m entries.
        before: from the step with an earlier tikhonov to this one, over the whole batch.
        earlier: (2,) the sample's step with the earlier tikhonov, as the plane shows it.
        problem: why there is no step.
        views: as long as they are, and of one length.
    """

    sample: int
    basis: Tensor
    second: SecondAxis
    value: float
    gradient_norm: float
    step: Tensor | None
    tikhonov: float
    matrix: Tensor | None
    change: StepChange | None
    batch_change: StepChange | None
    before: StepChange | None
    earlier: Tensor | None
    problem: str | None
    views: tuple[PlaneView, PlaneView]


def step_plane(
    loss: LossFunction,
    y: Float[Tensor, " N *S"],
    target: Tensor | None,
    step: NewtonStep,
    *,
    sample: int | None = None,
    earlier: float | None = None,
    points: int = 31,
) -> StepPlane:
    """What a Newton step makes of one sample's gradient.

    The curvature is that of the whole batch, as in training. The loss is the sample's own. A
    sampled loss draws the same noise at every point and for the sample's gradient.

    Args:
        loss: callable (y, target) -> (N,).
        y: outputs of a batch; S is treated as m >= 2 coordinates.
        target: what the loss compares y with.
        step: the Newton step; with curvature "none" the plane has the gradient alone, and across
            it the steepest direction of the empirical Fisher matrix.
        sample: which one; None takes the one with the longest gradient.
        earlier: a tikhonov to compare the step with.
        points: along each axis of a view.

    Raises:
        ValueError: there is no such sample or no second output, or the outputs or the sample's
            gradient are zero or not finite; the message says which.
    """
    y = y.detach()
    if not bool(torch.isfinite(y).all()):
        raise ValueError("the network's outputs are not finite: there is no step to see")
    if flatten_outputs(y).shape[1] < 2:
        raise ValueError("the network has one output: a step can be rescaled, but not turned")
    with kept_noise(loss):
        batch = derivatives_of(loss, y, target, step.need)
    chosen = _chosen(batch.gradient, sample)
    row = slice(chosen, chosen + 1)
    own = y[row], None if target is None else target[row]
    derivatives = batch
    if as_loss(loss).random_source is not None:
        with kept_noise(loss):
            derivatives = batch.with_rows(row, derivatives_of(loss, *own, step.need))
    gradient = to_float64(derivatives.gradient)[chosen].cpu()
    size = torch.linalg.vector_norm(gradient).item()
    if not 0 < size < math.inf:
        raise ValueError(
            f"the gradient of sample {chosen + 1} is {'zero' if size == 0 else 'not finite'}:"
            " there is no step to take"
        )
    taken, problem = _direction(step, derivatives, chosen)
    matrix = _matrix(step, derivatives, chosen)
    basis, second = _basis(gradient, taken, matrix)
    way = None if taken is None else -(basis @ taken)
    other = None
    if earlier is not None and taken is not None:
        before, _ = _direction(replace(step, tikhonov=earlier), derivatives, chosen)
        other = None if before is None else -(basis @ before)
    on_plane = None if step.curvature == "none" else basis @ matrix @ basis.mT
    function = OutputFunction(loss, *own, basis)
    value = function.centre()
    down = torch.tensor([size, 0.0], dtype=torch.float64)
    length = size if way is None else torch.linalg.vector_norm(way).item()
    damped = None
    if way is not None and on_plane is not None:
        damped = on_plane + step.tikhonov * torch.eye(2, dtype=torch.float64)
    tips = [down] if way is None else [down * min(1.0, LONGEST * length / size), way]
    shown = tips[0] * _defined_share(loss, own[0], basis, tips)
    if way is None:
        views = (_view(function, value, -down, None, down, [shown], points),) * 2
    else:
        shown = shown * max(1.0, min(size, length) / float(shown[0]))
        alike = down * (length / size)
        views = (
            _view(function, value, -down, damped, down, [shown, way], points),
            _view(function, value, -down, damped, alike, [alike, way], points),
        )
    return StepPlane(
        sample=chosen,
        basis=basis,
        second=second,
        value=value,
        gradient_norm=size,
        step=way,
        tikhonov=step.tikhonov,
        matrix=on_plane,
        change=None if taken is None else compare(gradient, taken),
        batch_change=None if taken is None else _whole(batch, step),
        before=None if earlier is None else _damped_otherwise(batch, step, earlier),
        earlier=other,
        problem=problem,
        views=views,
    )


def compare(first: Tensor, second: Tensor) -> StepChange:
    """Ratio and angle of two vectors of any one shape, the second to the first, in float64."""
    u, v = to_float64(first).flatten(), to_float64(second).flatten()
    lengths = torch.linalg.vector_norm(u), torch.linalg.vector_norm(v)
    one, other = u / lengths[0], v / lengths[1]
    # The arccosine of the product would see nothing below 1e-6 degrees.
    apart, along = torch.linalg.vector_norm(one - other), torch.linalg.vector_norm(one + other)
    degrees = torch.rad2deg(2 * torch.atan2(apart, along)).item()
    return StepChange((lengths[1] / lengths[0]).item(), degrees)


def _chosen(gradient: Tensor, sample: int | None) -> int:
    if sample is None:
        norms = torch.linalg.vector_norm(to_float64(gradient), dim=1)
        return int(torch.where(torch.isfinite(norms), norms, -1.0).argmax())
    if not 0 <= sample < len(gradient):
        raise ValueError(f"there is no sample {sample} in a batch of {len(gradient)}")
    return sample


def _direction(
    step: NewtonStep, derivatives: Derivatives, chosen: int
) -> tuple[Tensor | None, str | None]:
    """(C + tikhonov I)^-1 g of one sample, (m,) in float64; or why there is none."""
    if step.curvature == "none":
        return None, None
    try:
        direction = to_float64(step.direction(derivatives))[chosen].cpu()
    except CurvatureError as error:
        return None, str(error)
    if not bool(direction.any()):
        return None, "the Newton step is zero"
    return direction, None


def _matrix(step: NewtonStep, derivatives: Derivatives, chosen: int) -> Tensor:
    """C (m, m) of one sample; the Fisher matrix where the step has none."""
    if step.curvature == "none":
        step = replace(step, curvature="fisher")
    return curvature_matrices(derivatives, step)[chosen].cpu()


def _basis(
    gradient: Tensor, direction: Tensor | None, matrix: Tensor
) -> tuple[Float[Tensor, "2 m"], SecondAxis]:
    """Down the gradient, and across it: where the step goes, or where C is steepest."""
    first = -gradient / torch.linalg.vector_norm(gradient)
    if direction is not None and _turned(compare(gradient, direction).degrees):
        across = -direction + (direction @ first) * first
        return torch.stack([first, _unit_across(across, first)]), "step"
    complement = torch.eye(len(first), dtype=torch.float64) - torch.outer(first, first)
    if not bool(torch.isfinite(matrix).all()):
        matrix = torch.zeros_like(matrix)
    eigenvalues, vectors = torch.linalg.eigh(complement @ matrix @ complement)
    steepest = vectors[:, eigenvalues.abs().argmax()]
    if not float(eigenvalues.abs().max()) > 1e-12 * float(matrix.abs().max()):
        steepest = complement[int(first.abs().argmin())]  # C is flat across the gradient
    return torch.stack([first, _unit_across(complement @ steepest, first)]), "steepest"


def _turned(degrees: float) -> bool:
    return PARALLEL_DEGREES < degrees < 180 - PARALLEL_DEGREES


def _unit_across(vector: Tensor, first: Tensor) -> Tensor:
    """The unit vector of what is orthogonal to ``first``, projected twice against rounding."""
    rest = vector / torch.linalg.vector_norm(vector)
    rest = rest - (rest @ first) * first
    unit: Tensor = rest / torch.linalg.vector_norm(rest)
    return unit


def _defined_share(loss: LossFunction, y: Tensor, basis: Tensor, tips: Sequence[Tensor]) -> float:
    """How much of the first arrow a picture may hold so that the loss is defined in half of it."""
    loss, share = as_loss(loss), 1.0
    for _ in range(SHRINKINGS):
        a, b = _window([tips[0] * share, *tips[1:]], COARSE)
        shifts = plane_points(a, b).to(y) @ basis.to(y)
        if loss.defined_at(y + shifts.view(-1, *y.shape[1:])).double().mean() >= 0.5:
            break
        share /= 2
    return share


def _view(
    function: OutputFunction,
    value: float,
    slope: Tensor,
    damped: Tensor | None,
    arrow: Tensor,
    tips: Sequence[Tensor],
    points: int,
) -> PlaneView:
    """The loss and the quadratic in a picture that holds ``tips``, the last of them the step."""
    a, b = _window(tips, points)
    places = plane_points(a, b)
    values = torch.cat(
        [
            function.at(*part.unbind(1)).double().cpu()
            for part in torch.split(places, function.chunk)
        ]
    )
    quadratic = None
    if damped is not None:
        bend = ((places @ damped) * places).sum(1) / 2
        quadratic = (value + places @ slope + bend).view(points, points)
    unit = torch.linalg.vector_norm(tips[-1]).item()
    return PlaneView(unit, arrow, a, b, values.view(points, points), quadratic)


def _window(tips: Sequence[Tensor], points: int) -> tuple[Tensor, Tensor]:
    """The axes of a square that holds the centre and all tips, with room around them."""
    corners = torch.stack([torch.zeros(2, dtype=torch.float64), *tips])
    low, high = corners.amin(0), corners.amax(0)
    room = MARGIN * torch.linalg.vector_norm(corners, dim=1).max()
    half = float((high - low).max() / 2 + room)
    middle = (low + high) / 2
    steps = torch.linspace(-half, half, points, dtype=torch.float64)
    return middle[0] + steps, middle[1] + steps


def _whole(batch: Derivatives, step: NewtonStep) -> StepChange | None:
    try:
        return compare(batch.gradient, step.direction(batch))
    except CurvatureError:
        return None


def _damped_otherwise(batch: Derivatives, step: NewtonStep, earlier: float) -> StepChange | None:
    """From the batch's step with another tikhonov to that with the step's own."""
    if step.curvature == "none":
        return None
    try:
        return compare(replace(step, tikhonov=earlier).direction(batch), step.direction(batch))
    except CurvatureError:
        return None
