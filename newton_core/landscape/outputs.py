"""The loss over a plane of outputs, and the quadratics that Newton losses fit to it there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature import CurvatureError
from newton_core.curvature.surrogate import NewtonSettings, curvature_matrices
from newton_core.labels import Labels
from newton_core.landscape.evaluation import kept_noise, mean_losses
from newton_core.landscape.grid import Grid, evaluate_grid
from newton_core.losses.base import Derivatives, LossFunction, Need
from newton_core.losses.plain import as_loss, derivatives_of
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
    """The two directions of output space that span the plane."""

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
    """A vector of output space and its projection on a plane.

    Attributes:
        components: (2,) its orthogonal projection on the plane.
        length: of the vector itself.
        outside: share in [0, 1] of the length that is orthogonal to the plane (sine of the angle).
    """

    components: Tensor
    length: float
    outside: float


@dataclass(frozen=True)
class Surrogate:
    """The quadratic value + g.d + 1/2 d^T C d that a Newton loss fits, on the plane.

    If ``damped``, C + tikhonov I takes the place of C in ``values``, and z* is the stationary
    point of the quadratic.

    Attributes:
        settings: curvature, tikhonov and definiteness.
        damped: whether ``values`` include the damping.
        values: (B, A) float64 on the landscape's grid.
        matrix: (2, 2) C on the plane, without tikhonov.
        eigenvalues: (2,) of ``matrix``, ascending.
        eigenvectors: (2, 2) of ``matrix``, one per row.
        direction: the Newton direction (C + tikhonov I)^-1 g; None if the system is singular.
        target: (2,) z* on the plane: minus the components of the direction.
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
class OutputLandscape:
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
    """The mean loss of a batch whose samples all move by the same vector."""

    def __init__(
        self,
        loss: LossFunction,
        y: Float[Tensor, " N *S"],
        target: Tensor | None,
        basis: Float[Tensor, "2 m"],
    ) -> None:
        self._loss, self._y, self._target = loss, y.detach(), target
        self._basis = basis.to(y)
        # Sorting losses compute an m x m matrix for each sample.
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


def output_landscape(
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
) -> OutputLandscape:
    """The loss around outputs y on a plane, and the quadratics that Newton losses fit there.

    The curvature is always that of the whole batch y, as in training. The loss, its gradient and
    the direction are those of one sample, or of the batch mean when all samples move together.

    At the centre the surrogate has the value and the gradient of the loss. With the raw Hessian
    it has the second derivatives too: always for the batch mean, and for one sample if every
    sample keeps its own Hessian or the batch has no other sample.

    A sampled loss draws the same noise at every point and for the gradient. If the loss with this
    noise is differentiable, the surrogate touches it.

    Args:
        loss: callable (y, target) -> (N,); a :class:`Loss` brings its own derivatives.
        y: outputs of a batch; S is treated as m >= 2 coordinates.
        target: what the loss compares y with.
        sample: which sample to draw; None draws the batch mean.
        plane: which directions (default: outputs 0 and 1), or the two directions themselves,
            which are made orthonormal. The first surrogate defines "newton" and "eigenvectors".
        grid: points and range (default: 41 points, 1 to each side).
        surrogates: the Newton steps whose quadratics are wanted.
        damped: whether the surrogates' values include tikhonov on the diagonal.
        fit: choose the range by the surrogates instead, wide enough for every z*.

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
    if sample is not None and as_loss(loss).random_source is not None:
        derivatives = derivatives.with_rows(chosen, _derivatives(loss, *drawn, need))
    local = [_local_model(derivatives, settings, chosen) for settings in surrogates]
    gradient = to_float64(derivatives.gradient)[chosen].mean(0).cpu()
    basis = _basis(OutputPlane() if plane is None else plane, gradient, local)
    grid = _fitting(grid, local, basis) if fit else grid
    function = OutputFunction(loss, *drawn, basis)
    found = evaluate_grid(function, grid)
    value = found.values[grid.points // 2, grid.points // 2].item()
    return OutputLandscape(
        a=found.a,
        b=found.b,
        basis=basis,
        loss=found.values,
        gradient=_arrow(gradient, basis),
        surrogates=tuple(
            _surrogate(settings, model, damped, value, basis @ gradient, basis, found.a, found.b)
            for settings, model in zip(surrogates, local, strict=True)
        ),
    )


def _derivatives(loss: LossFunction, y: Tensor, target: Tensor | None, need: Need) -> Derivatives:
    with kept_noise(loss):
        return derivatives_of(loss, y, target, need)


@dataclass(frozen=True)
class _LocalModel:
    """C (m, m) and the Newton direction (m,) at the centre, float64 on the CPU."""

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
    """The grid with a round range that holds every z*; unchanged if there is none."""
    directions = [model.direction for model in local if model.direction is not None]
    # If z* lies almost outside the plane, its projection is too near the centre to set the range.
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
    """Gram-Schmidt: the first direction normalised, then the part of the second orthogonal to it.

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
