"""Landscapes of the loss during a run: the same two directions for every arm and every step."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from newton_core.landscape.evaluation import kept_noise
from newton_core.landscape.grid import Grid, evaluate_grid
from newton_core.landscape.parameters import ParameterFunction
from newton_core.landscape.planes import descent_plane, model_weights, project
from newton_core.landscape.surface import has_two_weights, surface_plane
from newton_core.losses.base import Loss
from newton_core.records import to_json
from newton_core.tasks.base import Batch
from newton_core.training.landscapes.trajectory import Trajectory, TrajectoryPoint

POINTS = 21
SPAN = 1.0
"""At the edge every filter has moved by its own length, because the plane is filter-normalised."""


class LandscapeRecorder:
    """Computes the landscapes that a run emits while it trains.

    The seed and the initial weights fix the two directions, so all arms share them. The first is
    downhill at the start for the run's loss, also for an arm that trains another loss; the second
    is Gaussian. Both are filter-normalised
    (:func:`~newton_core.landscape.planes.descent_plane`). Each landscape is centred at the arm's
    weights of that moment, so that arms and steps can be compared: which one has found the deeper,
    the wider or the smoother region. Directions chosen before training see little of where it
    goes later, and the residual says how little. Principal planes see most of it, but they need
    the weights of the whole run.

    A model of exactly two weights has only one plane, its whole weight space. Its landscape is the
    surface itself on its customary domain, the same for every arm and step.

    The loss is the run's for every arm, on one batch that no update uses.
    """

    def __init__(self, model: nn.Module, loss: Loss, batch: Batch, seed: int) -> None:
        self._loss, self._batch = loss, batch
        self._whole = has_two_weights(model)
        if self._whole:
            self._plane, self._grid, self._centre = surface_plane(model, loss, 2 * POINTS - 1)
        else:
            gradient = _gradient(model, loss, batch)
            self._plane = descent_plane(model_weights(model), gradient, seed)
            self._grid = Grid(points=POINTS, span=SPAN)
            self._centre = (0.0, 0.0)
        self._description: dict[str, object] = {
            "kind": self._plane.kind,
            "centre": "origin" if self._whole else "weights",
            "seed": None if self._whole else seed,
            "samples": len(batch.inputs),
        }

    def locate(self, model: nn.Module, step: int) -> TrajectoryPoint:
        """Where the model's weights are now, after update ``step``."""
        seen = project(self._plane, [model_weights(model)])
        a, b = seen.coordinates[0].tolist()
        return TrajectoryPoint(step, a, b, seen.distance.item(), seen.way.item())

    def fields(self, model: nn.Module, step: int, trajectory: Trajectory) -> dict[str, Any]:
        """The fields of a ``landscape`` event, apart from ``arm`` and ``step``.

        ``values[j][i]`` is the loss at ``(grid["a"][i], grid["b"][j])``. ``trajectory`` holds
        ``[a, b, step]`` of the arm's points on the same axes, the present last. ``residual`` is the
        share in [0, 1] of the way from the initial weights that leaves the plane's directions.
        """
        here = self.locate(model, step)
        plane = self._plane if self._whole else self._plane.around(model_weights(model))
        function = ParameterFunction(model, plane, self._loss, self._batch)
        found = evaluate_grid(function, self._grid)
        points = [p for p in trajectory.points if p.step < step] + [here]
        # The event's axes: absolute on a surface, relative to the present weights elsewhere.
        at_a, at_b = self._centre if self._whole else (-here.a, -here.b)
        left, way = (sum(getattr(p, key) ** 2 for p in points) for key in ("distance", "way"))
        return {
            "plane": self._description,
            "grid": {
                "a": (found.a + self._centre[0]).tolist(),
                "b": (found.b + self._centre[1]).tolist(),
            },
            "values": to_json(found.values),
            "trajectory": to_json([[p.a + at_a, p.b + at_b, p.step] for p in points]),
            "residual": min(1.0, (left / way) ** 0.5) if way > 0 else 0.0,
        }


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
