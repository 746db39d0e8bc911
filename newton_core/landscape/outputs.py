"""A slice of the loss over a plane of outputs, with what a Newton loss makes of it on top."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature import CurvatureError, derivatives_of
from newton_core.curvature.step import Need
from newton_core.curvature.surrogate import NewtonSettings, curvature_matrices
from newton_core.labels import Labels
from newton_core.landscape.evaluation import kept_noise, mean_losses
from newton_core.landscape.grid import Grid, full_slice
from newton_core.losses.base import Derivatives, LossFunction
from newton_core.settings import Settings, setting
from newton_core.tensors import to_float64

_CHUNK_ELEMENTS = 2**19


OutputDirections = Annotated[
    Literal["coordinates", "newton", "eigenvectors"],
    Labels(
        coordinates="two of the outputs",
        newton="gradient and Newton direction",
        eigenvectors="leading eigenvectors",
    ),
]


class OutputPlane(Settings):
    """Which two directions of output space are drawn."""

    kind: OutputDirections = setting(
        "coordinates",
        "Two of the outputs, the gradient and the Newton direction, or the two leading"
        " eigenvectors of the curvature.",
        title="Plane",
    )
    first: int = setting(0, "Output along the first axis, from 0.", title="First output", ge=0)
    second: int = setting(1, "Output along the second axis, from 0.", title="Second output", ge=0)


@dataclass(frozen=True)
class Arrow:
    """A vector of output space as seen from a plane.

    Attributes:
        components: (2,) its orthogonal projection on the plane.
        length: its whole length.
        outside: share in [0, 1] of the length that is orthogonal to the plane (sine of the angle).
    """

    components: Tensor
    length: float
    outside: float


@dataclass(frozen=True)
class Surrogate:
    """The quadratic value + g.d + 1/2 d^T C d that a Newton loss fits, on the plane.

    ``values`` leave tikhonov out unless ``damped``: then C + tikhonov I takes the place of C, and
    z* is the quadratic's stationary point.

    Attributes:
        settings: curvature, tikhonov and definiteness.
        damped: whether ``values`` include the damping.
        values: (B, A) float64 on the slice's grid.
        matrix: (2, 2) C on the plane, without tikhonov.
        eigenvalues: (2,) of ``matrix``, ascending.
        eigenvectors: (2, 2) of ``matrix``, one per row: the cross to draw at the centre.
        direction: the Newton direction (C + tikhonov I)^-1 g; None if the system is singular.
        target: (2,) z* on the plane, minus the direction.
        problem: why there is no direction.
    """

    settings: NewtonSettings
    damped: bool
    values: Tensor
    matrix: Tensor
    eigenvalues: Tensor
    eigenvectors: Tensor
    direction: Arrow | None
    target: Tensor | None
    problem: str | None


@dataclass(frozen=True)
class OutputSlice:
    """A loss on a plane of outputs.

    Attributes:
        a: (A,) coordinates along the first direction, in units of the outputs.
        b: (B,) coordinates along the second.
        basis: (2, m) the two directions, orthonormal.
        loss: (B, A) float64: ``loss[j, i]`` at y + a[i] basis[0] + b[j] basis[1].
        gradient: of the loss at the centre.
        surrogates: one per requested setting.
    """

    a: Tensor
    b: Tensor
    basis: Tensor
    loss: Tensor
    gradient: Arrow
    surrogates: tuple[Surrogate, ...]


class OutputFunction:
    """Loss of one sample, or mean loss of a batch whose samples all move by the same vector."""

    def __init__(
        self,
        loss: LossFunction,
        y: Float[Tensor, " N *S"],
        target: Tensor | None,
        basis: Float[Tensor, "2 m"],
    ) -> None:
        self._loss, self._y, self._target = loss, y.detach(), target
        self._basis = basis.to(y)
        # Sorting losses hold an m x m matrix per sample.
        self.chunk = max(1, _CHUNK_ELEMENTS // (len(y) * basis.shape[1] ** 2))

    @torch.no_grad()
    def at(self, a: Float[Tensor, " P"], b: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The mean loss at y + a[i] basis[0] + b[i] basis[1]."""
        shifts = torch.stack([a, b], dim=1).to(self._y) @ self._basis
        outputs = self._y + shifts.view(-1, 1, *self._y.shape[1:])
        return mean_losses(self._loss, outputs, self._target)

    @torch.no_grad()
    def centre(self) -> float:
        """The mean loss at y itself."""
        return mean_losses(self._loss, self._y[None], self._target).item()


def output_slice(
    loss: LossFunction,
    y: Float[Tensor, " N *S"],
    target: Tensor | None = None,
    *,
    sample: int | None = None,
    plane: OutputPlane | Float[Tensor, " 2 *S"] | None = None,
    grid: Grid | None = None,
    surrogates: Sequence[NewtonSettings] = (NewtonSettings(),),
    damped: bool = False,
    fit: bool = False,
) -> OutputSlice:
    """The loss around outputs y on a plane, and the quadratics that Newton losses fit there.

    The curvature is always that of the whole batch y, as in training; the loss, its gradient and
    the direction are those of one sample, or of the batch mean as all samples move together.

    The surrogate touches the loss at the centre with the same gradient. With the Hessian, raw, it
    has the same second derivatives too: always for the batch mean; for one sample if each keeps
    its own Hessian or it is alone in the batch.

    A sampled loss has the same noise at every point of the slice, and in the gradient of what is
    drawn: where that noise makes a differentiable loss, the surrogate touches it.

    Args:
        loss: callable (y, target) -> (N,); a :class:`Loss` brings its own derivatives.
        y: outputs of a batch, anywhere; S is treated as m >= 2 coordinates.
        target: what the loss compares y with.
        sample: which sample to draw; None draws the batch mean.
        plane: which directions (default: outputs 0 and 1), or the two directions themselves,
            which are made orthonormal. "newton" and "eigenvectors" follow the first surrogate.
        grid: points and range (default: 41 points, 1 to each side).
        surrogates: one layer for each.
        damped: draw the surrogates with tikhonov on the diagonal.
        fit: take the range from the surrogates instead, so that every z* lies within.

    Raises:
        ValueError: there is no such sample or output, or the directions span no plane.
    """
    grid = grid or Grid()
    y = y.detach()
    if sample is not None and not 0 <= sample < len(y):
        raise ValueError(f"there is no sample {sample} in a batch of {len(y)}")
    need: Need = "hessian" if any(s.step.need == "hessian" for s in surrogates) else "gradient"
    derivatives = _derivatives(loss, y, target, need)
    chosen = slice(None) if sample is None else slice(sample, sample + 1)
    drawn = y[chosen], None if target is None else target[chosen]
    if sample is not None and isinstance(getattr(loss, "generator", None), torch.Generator):
        derivatives = derivatives.with_rows(chosen, _derivatives(loss, *drawn, need))
    local = [_local_model(derivatives, settings, chosen) for settings in surrogates]
    gradient = to_float64(derivatives.gradient)[chosen].mean(0).cpu()
    basis = _basis(OutputPlane() if plane is None else plane, gradient, local)
    grid = _fitting(grid, local, basis) if fit else grid
    function = OutputFunction(loss, *drawn, basis)
    patch = full_slice(function, grid)
    value = patch.values[grid.points // 2, grid.points // 2].item()
    return OutputSlice(
        a=patch.a,
        b=patch.b,
        basis=basis,
        loss=patch.values,
        gradient=_arrow(gradient, basis),
        surrogates=tuple(
            _surrogate(settings, model, damped, value, basis @ gradient, basis, patch.a, patch.b)
            for settings, model in zip(surrogates, local, strict=True)
        ),
    )


def _derivatives(loss: LossFunction, y: Tensor, target: Tensor | None, need: Need) -> Derivatives:
    with kept_noise(loss):
        return derivatives_of(loss, y, target, need)


@dataclass(frozen=True)
class _LocalModel:
    """C (m, m) and the Newton direction (m,) of what is drawn, float64 on the CPU."""

    matrix: Tensor
    direction: Tensor | None
    problem: str | None


def _local_model(derivatives: Derivatives, settings: NewtonSettings, chosen: slice) -> _LocalModel:
    matrix = curvature_matrices(derivatives, settings.step)[chosen].mean(0).cpu()
    try:
        direction = to_float64(settings.step.direction(derivatives))[chosen].mean(0).cpu()
    except CurvatureError as error:
        return _LocalModel(matrix, None, str(error))
    return _LocalModel(matrix, direction, None)


def _fitting(grid: Grid, local: Sequence[_LocalModel], basis: Tensor) -> Grid:
    """The grid with a round range that every z* fits in, or as it is where there is none."""
    directions = [model.direction for model in local if model.direction is not None]
    # Where little of the way to z* lies in the plane, that little would be too near to see by.
    reaches = [
        max(1.2 * torch.linalg.vector_norm(basis @ way), 0.1 * torch.linalg.vector_norm(way))
        for way in directions
    ]
    reach = float(max(reaches, default=0.0))
    if not 0 < reach < 1e8:
        return grid
    power = 10.0 ** math.floor(math.log10(reach))
    span = next(step * power for step in (1, 2, 5, 10) if reach <= step * power)
    return Grid(points=grid.points, span=span)


def _basis(
    plane: OutputPlane | Tensor, gradient: Tensor, local: Sequence[_LocalModel]
) -> Float[Tensor, "2 m"]:
    m = len(gradient)
    if isinstance(plane, Tensor):
        return orthonormal(plane.detach().double().cpu().reshape(2, -1))
    identity = torch.eye(m, dtype=torch.float64)
    if plane.kind == "coordinates":
        if plane.first == plane.second or max(plane.first, plane.second) >= m:
            raise ValueError(
                f"outputs {plane.first} and {plane.second} span no plane:"
                f" choose two different ones from 0 to {m - 1}"
            )
        return identity[[plane.first, plane.second]]
    if not local:
        raise ValueError(f"the plane '{plane.kind}' needs a surrogate to follow")
    if plane.kind == "eigenvectors":
        eigenvalues, vectors = torch.linalg.eigh(local[0].matrix)
        leading = eigenvalues.abs().argsort(descending=True)[:2]
        return orthonormal(vectors.mT[leading])
    direction = local[0].direction
    if direction is None:
        raise ValueError(f"there is no Newton direction to follow: {local[0].problem}")
    return orthonormal(torch.stack([gradient, direction]))


def orthonormal(directions: Float[Tensor, "2 m"]) -> Float[Tensor, "2 m"]:
    """Gram-Schmidt: the first direction keeps its way, the second what is orthogonal to it.

    Raises:
        ValueError: the directions are parallel, zero or not finite, or m < 2.
    """
    lengths = torch.linalg.vector_norm(directions, dim=1)
    first, second = directions / lengths[:, None]
    rest = second - (first @ second) * first
    length = torch.linalg.vector_norm(rest)
    if not (torch.isfinite(lengths).all() and length > 1e-7):
        raise ValueError("the two directions span no plane: they are parallel, zero or not finite")
    return torch.stack([first, rest / length])


def _arrow(vector: Tensor, basis: Tensor) -> Arrow:
    components = basis @ vector
    length = torch.linalg.vector_norm(vector)
    rest = torch.linalg.vector_norm(vector - components @ basis)
    outside = (rest / length).clamp(max=1.0).item() if length > 0 else 0.0
    return Arrow(components, length.item(), outside)


def _surrogate(
    settings: NewtonSettings,
    model: _LocalModel,
    damped: bool,
    value: float,
    gradient: Tensor,
    basis: Tensor,
    a: Tensor,
    b: Tensor,
) -> Surrogate:
    matrix = basis @ model.matrix @ basis.mT
    drawn = matrix + (settings.tikhonov if damped else 0.0) * torch.eye(2, dtype=torch.float64)
    A, B = a[None, :], b[:, None]
    quadratic = drawn[0, 0] * A**2 + 2 * drawn[0, 1] * A * B + drawn[1, 1] * B**2
    finite = bool(torch.isfinite(matrix).all())
    eigenvalues, vectors = torch.linalg.eigh(matrix if finite else torch.zeros_like(matrix))
    arrow = None if model.direction is None else _arrow(model.direction, basis)
    return Surrogate(
        settings=settings,
        damped=damped,
        values=value + gradient[0] * A + gradient[1] * B + quadratic / 2,
        matrix=matrix,
        eigenvalues=eigenvalues if finite else torch.full_like(eigenvalues, torch.nan),
        eigenvectors=vectors.mT,
        direction=arrow,
        target=None if arrow is None else -arrow.components,
        problem=model.problem,
    )
