"""The loss over a plane, or along a line, of network weights; the model is not changed."""

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from newton_core.landscape.evaluation import mean_losses
from newton_core.landscape.first_layer import split_first_layer, trace
from newton_core.landscape.grid import Grid, GridValues, evaluate_grid
from newton_core.landscape.layout import channels_together, pool_first
from newton_core.landscape.planes import ParameterPlane, PlaneError, Weights, detached
from newton_core.losses.base import LossFunction
from newton_core.tasks.base import Batch

_MOST_ELEMENTS = 2**20
"""Largest output of a first layer that is kept three times: 4 MB each in float32."""
_CHUNK_WORK = 2**24
"""Numbers in the largest tensors of a chunk's passes: a stop then waits a second at most."""
_CHUNK_ENTRIES = 2**18
"""Entries of the m x m matrices that a loss makes for a chunk: few enough for the cache."""
_MOST_POINTS = 64


@dataclass(frozen=True)
class LineLandscape:
    """The mean loss along the straight line between two sets of weights.

    Attributes:
        t: (T,) positions: 0 is the start and 1 the end; both are among them.
        values: (T,) float64.
        barrier: the most by which the loss between 0 and 1 exceeds the linear interpolation of
            the two ends' losses; 0 if it nowhere does.
    """

    t: Tensor
    values: Tensor
    barrier: float


class ParameterFunction:
    """Mean loss of a network at each point of a plane (a :class:`PlaneFunction`).

    A private copy of the network, in evaluation mode, computes the outputs one point at a time, so
    that its tensors stay in the cache. The loss is computed for many points at once. At every point
    the copy has the buffers (batch statistics) of ``model``. If the first layer is linear or
    convolutional, its output is affine in the coordinates, so three passes through it are enough
    for all points.

    A loss with a ``generator`` (a sampled loss) draws the same noise at every point. Only one
    thread at a time may call the methods, because they move the copy's weights.

    Args:
        model: the architecture, and the buffers used everywhere; it is not modified.
        plane: origin and directions.
        loss: the loss whose batch mean is evaluated.
        batch: the data.
        channels_last: lays images out so that convolutions take half the time; their sums are
            then taken in another order, and values differ by rounding.

    Attributes:
        work: numbers in the largest tensor of a forward pass.

    Raises:
        PlaneError: plane and model have different parameters.
    """

    def __init__(
        self,
        model: nn.Module,
        plane: ParameterPlane,
        loss: LossFunction,
        batch: Batch,
        *,
        channels_last: bool = False,
    ) -> None:
        _check_names(model, plane)
        self._origin = detached(plane.origin)
        self._loss = loss
        self._batch = batch
        self._network = copy.deepcopy(model).eval().requires_grad_(False)
        with torch.no_grad():
            self._network.load_state_dict(self._origin, strict=False)
            traced = trace(self._network, self._origin, batch.inputs)
            pool_first(self._network, batch.inputs, traced.output)
            split = split_first_layer(self._network, plane, traced, most_elements=_MOST_ELEMENTS)
        outputs = traced.output
        self._like = outputs
        self._moving = self._network if split is None else split.network
        self._first_layer = None if split is None else split.layer
        self._moved = []
        for name, parameter in self._moving.named_parameters():
            parts = [self._origin[name], plane.first[name], plane.second[name]]
            if channels_last:
                parameter.data = channels_together(parameter.data)
                parts = [channels_together(part) for part in parts]
            self._moved.append((parameter, parts))
        self.work = max(traced.largest, sum(value.numel() for value in self._origin.values()))
        entries = outputs.numel() ** 2 // len(outputs)
        points = min(_CHUNK_WORK // self.work, _CHUNK_ENTRIES // max(1, entries), _MOST_POINTS)
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
        """Sets the network's weights to a point of the plane."""
        if self._first_layer is not None:
            self._first_layer.move(a, b)
        for parameter, (origin, first, second) in self._moved:
            torch.add(origin, first, alpha=a, out=parameter).add_(second, alpha=b)

    def centre(self) -> float:
        """The mean loss at the plane's origin, by a plain forward pass."""
        return self.exactly(self._origin)

    @torch.no_grad()
    def exactly(self, weights: Weights) -> float:
        """The mean loss at any weights, by a plain forward pass."""
        outputs = functional_call(self._network, detached(weights), (self._batch.inputs,))
        return mean_losses(self._loss, outputs[None], self._batch.target).item()


def parameter_landscape(
    model: nn.Module, plane: ParameterPlane, loss: LossFunction, batch: Batch, grid: Grid
) -> GridValues:
    """The mean loss over a plane of weights, on the whole grid.

    To see a coarse landscape first, pass a :class:`ParameterFunction` to
    :func:`~newton_core.landscape.grid.evaluate_coarse_to_fine`.

    Args:
        model: the architecture, and the buffers used everywhere; it is not modified.
        plane: origin and directions.
        loss: the loss whose batch mean is evaluated.
        batch: the data; landscapes can be compared only on the same data.
        grid: points and range.

    Raises:
        PlaneError: plane and model have different parameters.
    """
    return evaluate_grid(ParameterFunction(model, plane, loss, batch), grid)


def line_landscape(
    model: nn.Module,
    start: Weights,
    end: Weights,
    loss: LossFunction,
    batch: Batch,
    *,
    points: int = 41,
    margin: float = 0.25,
) -> LineLandscape:
    """The mean loss along the line start + t (end - start), for t from -margin to 1 + margin.

    Both ends are evaluated exactly, by plain forward passes.

    Args:
        model: the architecture; it is not modified.
        start: weights at t = 0.
        end: weights at t = 1.
        loss: the loss whose batch mean is evaluated.
        batch: the data.
        points: number of evenly spaced t, besides the two ends; at least 2.
        margin: how far t goes beyond both ends.

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
    return LineLandscape(t, values, barrier=(values[inside] - chord).max().item())


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
