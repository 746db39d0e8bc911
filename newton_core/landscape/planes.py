"""Planes in weight space, and how far a trajectory leaves them.

Weights are dicts of a model's named parameters (:func:`model_weights`, or the parameters in a
state dict). All results are detached, and no argument is changed in place.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from newton_core.seeding import generator
from newton_core.tensors import to_float64

Weights = Mapping[str, Tensor]
PlaneKind = Literal[
    "filter_normalised", "descent", "trajectory", "principal", "arms", "line", "coordinates"
]
"""How a plane's directions were chosen."""


_BLOCK = 2**18


class PlaneError(ValueError):
    """The given weights do not span a plane; the message says why."""


@dataclass(frozen=True)
class ParameterPlane:
    """The weights origin + a first + b second.

    Attributes:
        kind: how the directions were chosen.
        origin: weights at the centre.
        first: direction along a.
        second: direction along b.
        explained: share in [0, 1] of the variance of the defining weights that lies in the plane
            (principal planes only).
    """

    kind: PlaneKind
    origin: Weights
    first: Weights
    second: Weights
    explained: float | None = None

    def around(self, weights: Weights) -> "ParameterPlane":
        """The parallel plane whose centre is at other weights."""
        return ParameterPlane(self.kind, detached(weights), self.first, self.second)


def model_weights(model: nn.Module) -> dict[str, Tensor]:
    """A detached copy of the model's parameters, which later training does not change."""
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def detached(weights: Weights) -> dict[str, Tensor]:
    """The same tensors without their autograd graph."""
    return {name: value.detach() for name, value in weights.items()}


def filter_normalised_plane(weights: Weights, seed: int) -> ParameterPlane:
    """Two Gaussian directions, each filter as long as the weights' own (Li et al. 2018, sec. 4).

    A filter is the set of weights that feed one output unit:
    ``direction[j] *= |weights[j]| / |direction[j]|`` for each entry j of the first dimension. The
    directions are zero for biases and all other 1-D parameters. They are a pure function of the
    seed, the parameters' names and the weights.

    Raises:
        PlaneError: no parameter has two dimensions.
    """
    origin = detached(weights)
    return ParameterPlane(
        "filter_normalised",
        origin,
        first=filter_normalise(_gaussian(origin, seed, "first"), origin),
        second=filter_normalise(_gaussian(origin, seed, "second"), origin),
    )


def descent_plane(weights: Weights, gradient: Weights, seed: int) -> ParameterPlane:
    """Downhill along a, a Gaussian direction along b, both filter-normalised.

    Training hardly moves along random directions, but for a long time it keeps a part of its first
    descent direction. If the gradient is zero or not finite, the first direction is Gaussian too
    and the plane is :func:`filter_normalised_plane`.

    Args:
        weights: the origin; the directions are scaled by its filters.
        gradient: of the loss with respect to these weights.
        seed: of the second direction.

    Raises:
        PlaneError: no parameter has two dimensions.
    """
    plane = filter_normalised_plane(weights, seed)
    downhill = {name: -gradient[name].detach() for name in plane.origin}
    first = filter_normalise(downhill, plane.origin)
    squares = [value.square().sum() for value in first.values()]
    size = torch.stack(squares).sum().item()
    if not 0 < size < math.inf:
        return plane
    return ParameterPlane("descent", plane.origin, first, plane.second)


def filter_normalise(direction: Weights, weights: Weights) -> dict[str, Tensor]:
    """The direction with each filter scaled to the length of the weights' own.

    1-D parameters become zero, and zero filters stay zero.

    Raises:
        PlaneError: no parameter has two dimensions.
    """
    if not any(value.dim() > 1 for value in weights.values()):
        raise PlaneError("filter-normalised directions need a weight of at least two dimensions")
    scaled = {}
    for name, value in weights.items():
        if value.dim() <= 1:
            scaled[name] = torch.zeros_like(value)
            continue
        own = _filter_norms(direction[name])
        unit = torch.where(own == 0, torch.zeros_like(own), 1 / own)
        scaled[name] = direction[name] * unit * _filter_norms(value.detach())
    return scaled


def _gaussian(weights: Weights, seed: int, which: str) -> dict[str, Tensor]:
    return {
        name: torch.randn(value.shape, generator=generator(seed, "landscape", which, name)).to(
            value
        )
        for name, value in weights.items()
    }


def coordinate_plane(weights: Weights) -> ParameterPlane:
    """The whole weight space of a model that has exactly two weights; the origin is (0, 0).

    Raises:
        PlaneError: the model has another number of weights.
    """
    count = sum(value.numel() for value in weights.values())
    if count != 2:
        raise PlaneError(f"a coordinate plane needs a model of two weights, this one has {count}")
    origin = {name: torch.zeros_like(value) for name, value in weights.items()}
    first, second = torch.eye(2, dtype=torch.float64)
    return ParameterPlane(
        "coordinates", origin, _unflatten(first, weights), _unflatten(second, weights)
    )


def principal_plane(
    points: Sequence[Weights], kind: Literal["trajectory", "principal", "arms"] = "principal"
) -> ParameterPlane:
    """The plane through the mean of the points along their two leading principal directions.

    Three points lie exactly on their plane. The directions are orthonormal; the sign of each one
    is such that the point farthest along it has a positive coordinate.

    Args:
        points: K >= 3 sets of weights, of one arm or of several.
        kind: what the plane is called.

    Raises:
        PlaneError: fewer than three points, all on one line, or not finite.
    """
    if len(points) < 3:
        raise PlaneError(f"a plane needs three points, got {len(points)}")
    gram = torch.zeros(len(points), len(points), dtype=torch.float64)
    for _, _, _, centred in _centred_blocks(points):
        # Many more weights than points: the K x K Gram matrix holds all of the decomposition.
        gram += (centred @ centred.mT).cpu()
    if not torch.isfinite(gram).all():
        raise PlaneError("some weights are NaN or infinite: no plane goes through them")
    eigenvalues, vectors = torch.linalg.eigh(gram)
    # A second direction 1e-5 times as long as the first is the weights' own rounding.
    if not eigenvalues[-2] > 1e-10 * eigenvalues[-1]:
        raise PlaneError("the points lie on one line (or are all the same): no plane is fixed")
    mixes = vectors[:, [-1, -2]] / eigenvalues[[-1, -2]].sqrt()
    farthest = mixes.gather(0, mixes.abs().argmax(0, keepdim=True))
    mixes = mixes * farthest.sign()
    origin, first, second = (
        {
            name: torch.empty(value.shape, dtype=value.dtype, device=value.device)
            for name, value in points[0].items()
        }
        for _ in range(3)
    )
    for name, block, mean, centred in _centred_blocks(points):
        directions = mixes.mT.to(centred) @ centred
        origin[name].view(-1)[block] = mean.to(origin[name])
        first[name].view(-1)[block] = directions[0].to(first[name])
        second[name].view(-1)[block] = directions[1].to(second[name])
    explained = eigenvalues[-2:].sum() / eigenvalues.clamp(min=0).sum()
    return ParameterPlane(kind, origin, first, second, explained=explained.item())


def _centred_blocks(
    points: Sequence[Weights],
) -> Iterator[tuple[str, slice, Tensor, Tensor]]:
    """(name, block, mean, points - mean) for blocks of all weights: this bounds the memory."""
    for name, value in points[0].items():
        flat = [point[name].detach().reshape(-1) for point in points]
        for start in range(0, value.numel(), _BLOCK):
            block = slice(start, start + _BLOCK)
            stacked = to_float64(torch.stack([one[block] for one in flat]))
            mean = stacked.mean(0)
            yield name, block, mean, stacked - mean


@dataclass(frozen=True)
class Projection:
    """Sets of weights seen from a plane.

    Attributes:
        coordinates: (K, 2) float64 coordinates (a, b) of the nearest point of the plane.
        distance: (K,) distance to that point.
        way: (K,) distance to the plane's origin.
        residual: (K,) distance over way, in [0, 1].
        total_residual: the same for all K together: sqrt(sum of squared distances over sum of
            squared ways). 0.34 means that this trajectory leaves the plane by 34 %.
    """

    coordinates: Tensor
    distance: Tensor
    way: Tensor
    residual: Tensor
    total_residual: float


def project(plane: ParameterPlane, points: Sequence[Weights]) -> Projection:
    """The orthogonal projection of weights on a plane, in float64.

    The directions need be neither orthogonal nor of unit length. A point at the origin has
    residual 0; along a direction of length zero every coordinate is 0.
    """
    names = list(plane.origin)
    basis = torch.stack([_flatten(plane.first, names), _flatten(plane.second, names)])
    origin = _flatten(plane.origin, names)
    inverse = torch.linalg.pinv(basis @ basis.T, hermitian=True)
    coordinates, distances, ways = [], [], []
    for point in points:
        offset = _flatten(point, names) - origin
        at = inverse @ (basis @ offset)
        coordinates.append(at)
        distances.append(torch.linalg.vector_norm(offset - at @ basis))
        ways.append(torch.linalg.vector_norm(offset))
    distance, way = torch.stack(distances), torch.stack(ways)
    return Projection(
        coordinates=torch.stack(coordinates),
        distance=distance,
        way=way,
        residual=_share(distance, way),
        total_residual=_share(distance.norm(), way.norm()).item(),
    )


def fitting_spans(projections: Sequence[Projection], margin: float = 0.2) -> tuple[float, float]:
    """Ranges along both directions that hold all projected points, with a margin around them.

    A direction along which nothing moves gets the range of the other one, because a grid needs a
    positive range.
    """
    reach = torch.cat([p.coordinates for p in projections]).abs().amax(0)
    reach = torch.where(reach > 1e-9 * reach.max(), reach, reach.max())
    first, second = ((1 + margin) * reach).tolist()
    return (first, second) if first > 0 else (1.0, 1.0)


def _flatten(weights: Weights, names: Sequence[str]) -> Tensor:
    """The named weights as one float64 vector on the CPU."""
    return torch.cat([weights[name].detach().double().cpu().flatten() for name in names])


def _unflatten(vector: Tensor, like: Weights) -> dict[str, Tensor]:
    parts = torch.split(vector, [value.numel() for value in like.values()])
    return {
        name: part.view(value.shape).to(value)
        for part, (name, value) in zip(parts, like.items(), strict=True)
    }


def _filter_norms(value: Tensor) -> Tensor:
    """Norm of each filter, shaped to scale the whole: (out, ...) -> (out, 1, ...)."""
    rest = tuple(range(1, value.dim()))
    norms: Tensor = torch.linalg.vector_norm(value, dim=rest, keepdim=True)
    return norms


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, 0 where both are 0; clamped at 1 against rounding."""
    return torch.where(whole > 0, part / whole, torch.zeros_like(whole)).clamp(max=1.0)
