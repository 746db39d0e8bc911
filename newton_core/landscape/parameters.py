"""The loss over a plane of network weights (or along a line), the model left as it is."""

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from newton_core.landscape.evaluation import mean_losses
from newton_core.landscape.first_layer import split_first_layer, trace
from newton_core.landscape.grid import Grid, GridPatch, full_slice
from newton_core.landscape.planes import ParameterPlane, PlaneError, Weights, detached
from newton_core.losses.base import LossFunction
from newton_core.tasks.base import Batch

_MOST_ELEMENTS = 2**20
"""Numbers in the first layer's output up to which it is kept three times, 4 MB in float32 each."""
_CHUNK_WORK = 2**24
"""Numbers in the largest tensors of all passes of a chunk: a stop waits for a second at most."""
_CHUNK_ENTRIES = 2**18
"""Entries of m x m matrices of a chunk's samples, as the losses make them: they stay near cache."""
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

    A private copy of the network is evaluated in evaluation mode, point by point, so that what it
    computes with stays in the cache; the loss is evaluated at many points at once. The network's
    buffers (batch statistics) are those of ``model`` everywhere. If a linear or convolutional
    layer comes first, its output is affine in the coordinates and three passes through it serve
    all points.

    A loss with a ``generator`` (sampled losses) draws the same noise at every point. One thread
    at a time may ask.
    """

    def __init__(
        self, model: nn.Module, plane: ParameterPlane, loss: LossFunction, batch: Batch
    ) -> None:
        _check_names(model, plane)
        self._origin = detached(plane.origin)
        self._loss = loss
        self._batch = batch
        self._network = copy.deepcopy(model).eval().requires_grad_(False)
        with torch.no_grad():
            traced = trace(self._network, self._origin, batch.inputs)
            split = split_first_layer(self._network, plane, traced, most_elements=_MOST_ELEMENTS)
        outputs = traced.output
        self._like = outputs
        self._moving = self._network if split is None else split.network
        self._first_layer = None if split is None else split.layer
        self._moved = [
            (parameter, self._origin[name], plane.first[name], plane.second[name])
            for name, parameter in self._moving.named_parameters()
        ]
        work = max(traced.largest, sum(value.numel() for value in self._origin.values()))
        entries = outputs.numel() ** 2 // len(outputs)
        points = min(_CHUNK_WORK // work, _CHUNK_ENTRIES // max(1, entries), _MOST_POINTS)
        self.chunk = max(1, points)

    @torch.no_grad()
    def at(self, a: Float[Tensor, " P"], b: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The mean loss at each point."""
        outputs = self._like.new_empty(len(a), *self._like.shape)
        for output, *point in zip(outputs, a.tolist(), b.tolist(), strict=True):
            self._move(*point)
            output.copy_(self._moving(self._batch.inputs))
        return mean_losses(self._loss, outputs, self._batch.target)

    def _move(self, a: float, b: float) -> None:
        """Brings the network to a point of the plane."""
        if self._first_layer is not None:
            self._first_layer.move(a, b)
        for parameter, origin, first, second in self._moved:
            torch.add(origin, first, alpha=a, out=parameter).add_(second, alpha=b)

    def centre(self) -> float:
        """The mean loss at the plane's origin, by a plain forward pass."""
        return self.exactly(self._origin)

    @torch.no_grad()
    def exactly(self, weights: Weights) -> float:
        """The mean loss at any weights, by a plain forward pass."""
        outputs = functional_call(self._network, detached(weights), (self._batch.inputs,))
        return mean_losses(self._loss, outputs[None], self._batch.target).item()


def parameter_slice(
    model: nn.Module, plane: ParameterPlane, loss: LossFunction, batch: Batch, grid: Grid
) -> GridPatch:
    """The mean loss over a plane of weights, on the whole grid.

    For a stream of pictures, coarse to fine, pass a :class:`ParameterFunction` to
    :func:`~newton_core.landscape.grid.progressive_slice`.

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
