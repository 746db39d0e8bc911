"""Slices of the loss during a run: the same two directions for every arm and every step."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from newton_core.landscape.evaluation import kept_noise
from newton_core.landscape.grid import Grid, full_slice
from newton_core.landscape.parameters import ParameterFunction
from newton_core.landscape.planes import (
    ParameterPlane,
    coordinate_plane,
    descent_plane,
    model_weights,
    project,
)
from newton_core.landscape.surface import surface_domain
from newton_core.losses.base import Loss
from newton_core.records import to_json
from newton_core.tasks.base import Batch

POINTS = 21
SPAN = 1.0
"""Filter-normalised: at the edge every filter has moved by its own length."""
PLACES_PER_SLICE = 10
MOST_PLACES = 400


@dataclass(frozen=True)
class Place:
    """Where an arm's weights were, seen from the plane of a :class:`RunLandscape`.

    Attributes:
        step: updates applied.
        a: coordinate along the first direction, from the plane's origin.
        b: coordinate along the second.
        distance: to the plane.
        way: from the plane's origin.
    """

    step: int
    a: float
    b: float
    distance: float
    way: float


class Track:
    """The places of one arm, thinned so that a run of any length keeps at most MOST_PLACES.

    Which steps are kept depends on the steps alone, so that a resumed run keeps the same.
    """

    def __init__(self, places: Sequence[Sequence[float]] = ()) -> None:
        self._places = [Place(int(step), *rest) for step, *rest in places]

    def wants(self, step: int, landscape_every: int) -> bool:
        """Whether the place after update ``step`` is to be added."""
        stride = max(1, landscape_every // PLACES_PER_SLICE)
        while step // stride > MOST_PLACES:
            stride *= 2
        return step % stride == 0

    def add(self, place: Place) -> None:
        """Keeps a place; past MOST_PLACES every second one is dropped."""
        self._places.append(place)
        if len(self._places) > MOST_PLACES:
            del self._places[1::2]

    @property
    def places(self) -> tuple[Place, ...]:
        """All kept places, by step."""
        return tuple(self._places)

    def state(self) -> list[list[float]]:
        """What the constructor takes, as plain numbers."""
        return [[float(p.step), p.a, p.b, p.distance, p.way] for p in self._places]


class RunLandscape:
    """The slices that a run shows of its loss while it trains.

    The directions are fixed by the seed and the initial weights, which all arms share: downhill
    at the start (of the run's loss, whatever the arm), and a Gaussian one; both
    filter-normalised (:func:`~newton_core.landscape.planes.descent_plane`). Each slice is
    centred at the arm's own weights of that moment, so that arms and steps can be compared: who
    has found the deeper, the wider, the smoother place. Directions chosen before training see
    little of where it goes later, and the residual says how little; principal planes, which see
    most of it, exist once a run has ended.

    A model of exactly two weights has no other plane than its whole weight space: there the
    slice shows the surface itself, on its customary domain, the same for every arm and step.

    The loss is the run's, for every arm, on one batch that no update uses.
    """

    def __init__(self, model: nn.Module, loss: Loss, batch: Batch, seed: int) -> None:
        self._loss, self._batch = loss, batch
        weights = model_weights(model)
        self._whole = is_surface(model)
        if self._whole:
            self._plane, self._grid, self._centre = surface_plane(model, loss, 2 * POINTS - 1)
        else:
            self._plane = descent_plane(weights, _gradient(model, loss, batch), seed)
            self._grid = Grid(points=POINTS, span=SPAN)
            self._centre = (0.0, 0.0)
        self._description: dict[str, Any] = {
            "kind": self._plane.kind,
            "centre": "origin" if self._whole else "weights",
            "seed": None if self._whole else seed,
            "samples": len(batch.inputs),
        }

    def place(self, model: nn.Module, step: int) -> Place:
        """Where the model's weights are now."""
        seen = project(self._plane, [model_weights(model)])
        a, b = seen.coordinates[0].tolist()
        return Place(step, a, b, seen.distance.item(), seen.way.item())

    def fields(self, model: nn.Module, step: int, track: Track) -> dict[str, Any]:
        """The fields of a ``landscape`` event beside ``arm`` and ``step``.

        ``values[j][i]`` is the loss at ``(grid["a"][i], grid["b"][j])``; ``trajectory`` holds
        ``[a, b, step]`` of the arm's way on the same axes, the present last. ``residual`` is the
        share in [0, 1] of the way from the initial weights that leaves the plane's directions.
        """
        here = self.place(model, step)
        plane = self._plane if self._whole else self._plane.around(model_weights(model))
        patch = full_slice(ParameterFunction(model, plane, self._loss, self._batch), self._grid)
        places = [p for p in track.places if p.step < step] + [here]
        # The event's axes: absolute on a surface, relative to the present weights elsewhere.
        at_a, at_b = self._centre if self._whole else (-here.a, -here.b)
        left, way = (sum(getattr(p, key) ** 2 for p in places) for key in ("distance", "way"))
        return {
            "plane": self._description,
            "grid": {
                "a": (patch.a + self._centre[0]).tolist(),
                "b": (patch.b + self._centre[1]).tolist(),
            },
            "values": to_json(patch.values),
            "trajectory": to_json([[p.a + at_a, p.b + at_b, p.step] for p in places]),
            "residual": min(1.0, (left / way) ** 0.5) if way > 0 else 0.0,
        }


def is_surface(model: nn.Module) -> bool:
    """Whether the model's weights are a point in a plane, which then shows all of the loss."""
    return sum(value.numel() for value in model.parameters()) == 2


def _gradient(model: nn.Module, loss: Loss, batch: Batch) -> dict[str, Tensor]:
    """The gradient of the batch mean with respect to the weights, as training computes it."""
    network = copy.deepcopy(model)
    outputs = network(batch.inputs)
    with kept_noise(loss):
        derivatives = loss.derivatives(outputs.detach(), batch.target, hessian=False)
    outputs.backward((derivatives.gradient / len(outputs)).view_as(outputs))
    return {
        name: torch.zeros_like(value) if value.grad is None else value.grad
        for name, value in network.named_parameters()
    }


def surface_plane(
    model: nn.Module, loss: Loss, points: int
) -> tuple[ParameterPlane, Grid, tuple[float, float]]:
    """The weight space of a model of two weights: plane and grid on the loss's domain, its middle.

    The plane's coordinates count from that middle.

    Raises:
        PlaneError: the model has another number of weights.
    """
    (left, right), (low, high) = surface_domain(loss)
    middle = ((left + right) / 2, (low + high) / 2)
    weights = model_weights(model)
    plane = coordinate_plane(weights)
    first, second = plane.first, plane.second
    origin = {name: middle[0] * first[name] + middle[1] * second[name] for name in weights}
    grid = Grid(points=points, span=(right - left) / 2, second_span=(high - low) / 2)
    return plane.around(origin), grid, middle
