"""The loss over a plane of network weights (or along a line), the model left as it is."""

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from newton_core.landscapes.evaluation import mean_losses
from newton_core.landscapes.first_layer import split_first_layer, trace
from newton_core.landscapes.grid import Grid, GridPatch, full_slice
from newton_core.landscapes.planes import ParameterPlane, PlaneError, Weights, detached
from newton_core.losses.base import LossFunction
from newton_core.tasks.base import Batch

_CHUNK_ELEMENTS = 2**20
"""Numbers in the largest tensor of a chunk: it stays near the cache, 4 MB in float32."""
_MOST_POINTS = 64


@dataclass(frozen=True)
class LineSlice:
    """The mean loss along the straight line between two sets of weights.

    Attributes:
        t: (T,) position: 0 at the start, 1 at the end, both among the points.
        values: (T,) float64.
        barrier: by how much the highest point between 0 and 1 exceeds the straight line between
            the two ends' losses (0: none).
    """

    t: Tensor
    values: Tensor
    barrier: float


class ParameterFunction:
    """Mean loss of a network at each point of a plane (a :class:`PlaneFunction`).

    The network is evaluated in evaluation mode, with ``functional_call`` on a private copy, at
    many points at once; its buffers (batch statistics) are those of ``model`` everywhere. If a
    linear or convolutional layer comes first, its output is affine in the coordinates and three
    passes through it serve all points.

    A loss with a ``generator`` (sampled losses) draws the same noise at every point.
    """

    def __init__(
        self, model: nn.Module, plane: ParameterPlane, loss: LossFunction, batch: Batch
    ) -> None:
        _check_names(model, plane)
        self._plane = plane
        self._origin = detached(plane.origin)
        self._loss = loss
        self._batch = batch
        self._network = copy.deepcopy(model).eval().requires_grad_(False)
        with torch.no_grad():
            traced = trace(self._network, self._origin, batch.inputs)
            self._split = split_first_layer(
                self._network, plane, traced, most_elements=_CHUNK_ELEMENTS
            )
        parameters = sum(value.numel() for value in self._origin.values())
        points = _CHUNK_ELEMENTS // max(traced.largest, parameters)
        self.chunk = max(1, min(points, _MOST_POINTS))

    @torch.no_grad()
    def at(self, a: Float[Tensor, " P"], b: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The mean loss at each point."""
        some = next(iter(self._origin.values()))
        # dtype first: not every device has float64
        coordinates = torch.stack([a, b], dim=1).to(some.dtype).to(some.device)
        outputs = self._outputs(coordinates)
        return mean_losses(self._loss, outputs, self._batch.target)

    def centre(self) -> float:
        """The mean loss at the plane's origin, by a plain forward pass."""
        return self.exactly(self._origin)

    @torch.no_grad()
    def exactly(self, weights: Weights) -> float:
        """The mean loss at any weights, by a plain forward pass."""
        outputs = functional_call(self._network, detached(weights), (self._batch.inputs,))
        return mean_losses(self._loss, outputs[None], self._batch.target).item()

    def _outputs(self, coordinates: Float[Tensor, "P 2"]) -> Tensor:
        """The network's outputs (P, N, *S) at each point."""
        split, plane = self._split, self._plane
        network = self._network if split is None else split.network
        moved = [name for name in self._origin if split is None or name not in split.absorbed]

        def forward(point: Tensor) -> Tensor:
            weights = {}
            for name in moved:
                origin = self._origin[name]
                a, b = point.to(origin).unbind()
                weights[name] = origin + a * plane.first[name] + b * plane.second[name]
            if split is not None:
                weights[split.mix] = torch.cat([point.new_ones(1), point]).to(split.dtype)
            output: Tensor = functional_call(network, weights, (self._batch.inputs,))
            return output

        if len(coordinates) == 1:
            return forward(coordinates[0])[None]
        outputs: Tensor = torch.vmap(forward)(coordinates)
        return outputs


def parameter_slice(
    model: nn.Module, plane: ParameterPlane, loss: LossFunction, batch: Batch, grid: Grid
) -> GridPatch:
    """The mean loss over a plane of weights, on the whole grid.

    For a stream of pictures, coarse to fine, pass a :class:`ParameterFunction` to
    :func:`~newton_core.landscapes.grid.progressive_slice`.

    Args:
        model: the architecture, and the buffers used everywhere; it is not modified.
        plane: origin and directions.
        loss: the loss whose batch mean is drawn.
        batch: the data it is measured on: the same for every slice that is to be compared.
        grid: points and range.

    Raises:
        PlaneError: plane and model have different parameters.
    """
    return full_slice(ParameterFunction(model, plane, loss, batch), grid)


def line_slice(
    model: nn.Module,
    start: Weights,
    end: Weights,
    loss: LossFunction,
    batch: Batch,
    *,
    points: int = 41,
    margin: float = 0.25,
) -> LineSlice:
    """The mean loss along the line start + t (end - start), for t from -margin to 1 + margin.

    Both ends are evaluated exactly, by plain forward passes.

    Args:
        model: the architecture; it is not modified.
        start: weights at t = 0.
        end: weights at t = 1.
        loss: the loss whose batch mean is drawn.
        batch: the data it is measured on.
        points: number of evenly spaced t, beside the two ends; at least 2.
        margin: how far the line goes on beyond both ends.

    Raises:
        PlaneError: the weights and the model have different parameters.
    """
    first = {name: end[name].detach() - start[name].detach() for name in start}
    zero = {name: torch.zeros_like(value) for name, value in first.items()}
    function = ParameterFunction(
        model, ParameterPlane("line", detached(start), first, zero), loss, batch
    )
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    spaced = torch.linspace(-margin, 1 + margin, points, dtype=torch.float64)
    t = torch.unique(torch.cat([spaced, ends]))
    values = torch.cat(
        [
            function.at(part, torch.zeros_like(part)).double().cpu()
            for part in t.split(function.chunk)
        ]
    )
    values[t == 0] = function.exactly(start)
    values[t == 1] = function.exactly(end)
    inside = (t >= 0) & (t <= 1)
    chord = torch.lerp(values[t == 0], values[t == 1], t[inside])
    return LineSlice(t, values, barrier=(values[inside] - chord).max().item())


def _check_names(model: nn.Module, plane: ParameterPlane) -> None:
    wanted = {name: value.shape for name, value in model.named_parameters()}
    for part, weights in (
        ("origin", plane.origin),
        ("first direction", plane.first),
        ("second direction", plane.second),
    ):
        given = {name: value.shape for name, value in weights.items()}
        if given != wanted:
            differing = sorted(
                name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name)
            )
            raise PlaneError(
                f"the plane's {part} does not fit the model: {', '.join(differing)} differ"
            )
