"""Slices of a run's loss at any of its steps, from its spec and its snapshots alone."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from newton_core.byte_cache import ByteCache
from newton_core.experiment.spec import ExperimentSpec
from newton_core.labels import Labels
from newton_core.landscape.grid import Grid, GridPatch, OddPoints, Stop, progressive_slice
from newton_core.landscape.parameters import LineSlice, ParameterFunction, line_slice
from newton_core.landscape.planes import (
    ParameterPlane,
    PlaneError,
    Projection,
    filter_normalised_plane,
    fitting_spans,
    model_weights,
    principal_plane,
    project,
)
from newton_core.losses import Loss
from newton_core.settings import Settings, setting
from newton_core.tasks import Batch, Task
from newton_core.training.arm import build_spec_loss
from newton_core.training.context import PROBE_STEP, build_task
from newton_core.training.landscapes import is_surface, surface_plane
from newton_core.training.snapshots import SnapshotError, list_snapshots, load_snapshot

SlicePlane = Annotated[
    Literal["filter_normalised", "trajectory", "principal", "arms"],
    Labels(
        filter_normalised="two random directions",
        trajectory="nearest to each arm's path",
        principal="nearest to all paths",
        arms="through the arms' weights",
    ),
]
MOST_BYTES = 256_000_000
"""Of weights and heights that are kept for further requests."""


class SliceRequest(Settings):
    """A slice through the weights of a run's arms."""

    plane: SlicePlane = setting(
        "filter_normalised",
        "Two Gaussian filter-normalised directions around each arm, for each arm the plane that"
        " holds most of its own trajectory, the one that holds most of all trajectories, or the"
        " plane through the arms' present weights.",
        title="Plane",
    )
    step: int = setting(
        0, "Step of the run; the nearest snapshot answers.", title="Step", unit="steps", ge=0
    )
    points: OddPoints = setting(
        41, "Points on each side; odd.", title="Points a side", unit="points", ge=21, le=101
    )  # fmt: skip
    span: float | None = setting(
        None,
        "Distance from centre to edge in lengths of the direction; empty means 1 for"
        " filter-normalised directions and all that the arms' trajectories need for the others.",
        title="Range", scale="log", gt=0.0, le=1e6,
    )  # fmt: skip
    samples: int = setting(
        100, "Samples of training data that the loss is measured on, used by no update.",
        title="Samples", unit="samples", scale="log", ge=1, le=1000,
    )  # fmt: skip


@dataclass(frozen=True)
class ArmSlice:
    """One picture of a :class:`RunSlices`.

    Attributes:
        arms: the arms it shows: one, or all where they share a surface.
        plane: origin and directions.
        function: the mean loss on the plane.
        trajectories: for each of ``arms``, its snapshots up to the step as seen from the plane.
    """

    arms: tuple[int, ...]
    plane: ParameterPlane
    function: ParameterFunction
    trajectories: tuple[Projection, ...]


@dataclass(frozen=True)
class RunSlices:
    """Everything about the slices of a run at one step but their values, which are a stream.

    Attributes:
        step: the snapshot's step that answers.
        trajectory_steps: steps of the trajectories' points.
        grid: points and range, the same for every picture.
        centre: what to add to all coordinates: the middle of a surface's domain, (0, 0) else.
        pictures: one per arm where each is centred at its own weights, else one for all.
        known: the whole grids of pictures that have been computed before, by index; the stream
            answers with them and adds those that it completes.
    """

    step: int
    trajectory_steps: tuple[int, ...]
    grid: Grid
    centre: tuple[float, float]
    pictures: tuple[ArmSlice, ...]
    known: dict[int, GridPatch]

    def stream(self, stop: Stop | None = None) -> Iterator[tuple[int, GridPatch]]:
        """(index of the picture, patch): all pictures coarse first, then all of them finer."""
        if len(self.known) == len(self.pictures):
            yield from sorted(self.known.items())
            return
        streams = [progressive_slice(p.function, self.grid, stop) for p in self.pictures]
        while True:
            for index, stream in enumerate(streams):
                patch = next(stream, None)
                if patch is None:  # all have the same levels: the first to end, or a stop, ends all
                    return
                if patch.level == patch.levels - 1:
                    self.known[index] = patch
                yield index, patch


class RunHistory:
    """A run's weights at its snapshots, and what is needed to evaluate them.

    Args:
        spec: the run's spec.
        folder: its snapshots.
        cache: keeps what is read and computed; others may share it. None means one of its own.

    Attributes:
        task: data and metric.
        loss: the run's own.
        initial_model: the network with the weights that all arms start from; not to be changed.

    Raises:
        SnapshotError: there is no snapshot, or one does not belong to the spec.
    """

    def __init__(self, spec: ExperimentSpec, folder: Path, cache: ByteCache | None = None) -> None:
        self.spec = spec
        self._cache = cache or ByteCache(MOST_BYTES)
        self._files = list_snapshots(folder)
        if not self._files:
            raise SnapshotError("the run has left no snapshot yet")
        self.task: Task = build_task(spec)
        self.loss: Loss = build_spec_loss(spec.loss)
        self.initial_model: nn.Module = self.task.build_model()

    @property
    def steps(self) -> list[int]:
        """The snapshots' steps, ascending."""
        return list(self._files)

    def nearest(self, step: int) -> int:
        """The snapshot's step nearest to ``step``, the earlier of two."""
        return min(self._files, key=lambda at: (abs(at - step), at))

    def model(self, arm: int, step: int) -> nn.Module:
        """A network of its own with one arm's weights at a snapshot."""
        model = copy.deepcopy(self.initial_model)
        model.load_state_dict(self._states(step)[arm])
        return model

    def weights(self, arm: int, step: int) -> dict[str, Tensor]:
        """One arm's parameters at a snapshot."""
        state = self._states(step)[arm]
        return {name: state[name].to(p.device) for name, p in self.initial_model.named_parameters()}

    def outputs(self, arm: int, step: int, samples: int) -> tuple[Tensor, Tensor | None]:
        """What an arm's network says at a snapshot, and the target: outputs (samples, *S)."""
        batch = self.batch(samples)
        with torch.no_grad():
            outputs: Tensor = self.model(arm, step).eval()(batch.inputs)
        return outputs, batch.target

    def sample(self, samples: int, index: int) -> dict[str, Any]:
        """What there is to see of one sample of :meth:`batch`, as a JSON-ready record."""
        return self.task.sample(PROBE_STEP, samples, index)

    def batch(self, samples: int) -> Batch:
        """The data that slices are measured on: of the training set, seen by no update."""
        return self.task.batch(PROBE_STEP, samples)

    def heights(self, request: SliceRequest) -> dict[int, GridPatch]:
        """Where the pictures of a request are kept, to be looked up at its other steps.

        Only those of planes that are the same at every step are, and so are their heights, unless
        the network has statistics beside its weights.
        """
        fixed = request.plane in ("trajectory", "principal")
        if not fixed or any(True for _ in self.initial_model.buffers()):
            return {}
        anywhere = request.model_copy(update={"step": 0}).model_dump_json()
        key = (*self._files.values(), anywhere)
        known: dict[int, GridPatch] | None = self._cache.get(key)
        if known is None:
            known = {}  # charged for all that it will hold
            floats = len(self.spec.arms) * request.points * (request.points + 2)
            self._cache.put(key, known, 8 * floats)
        return known

    def _states(self, step: int) -> list[dict[str, Tensor]]:
        file = self._files[step]
        states: list[dict[str, Tensor]] | None = self._cache.get(file)
        if states is None:
            _, whole = load_snapshot(file)
            if len(whole) != len(self.spec.arms):
                raise SnapshotError(
                    f"the snapshot holds {len(whole)} arms, the spec has {len(self.spec.arms)}"
                )
            # Optimizer states are twice the weights and of no use here.
            states = [state["model"] for state in whole]
            weights = [value for state in states for value in state.values()]
            self._cache.put(file, states, sum(value.nbytes for value in weights))
        return states


def run_slices(history: RunHistory, request: SliceRequest) -> RunSlices:
    """The slices of all arms of a run: the same directions, range, data and loss (the run's).

    A model of two weights has one plane, whatever is asked for: the surface itself.

    "filter_normalised" centres each arm's picture at its own weights; the directions are those of
    the initial weights, fixed by the run's seed. "trajectory" is for each arm the plane of its own
    snapshots, on the same range for all. "principal" is the plane of all snapshots of all arms;
    "arms" goes through the arms' weights at the step (of two arms, through their common start as
    well). These two have one picture for all arms.

    Raises:
        PlaneError: the weights span no such plane (yet); the message says why.
        SnapshotError: a snapshot is missing or damaged.
    """
    step = history.nearest(request.step)
    shown = [at for at in history.steps if at <= step]
    arms = tuple(range(len(history.spec.arms)))
    paths = {arm: [history.weights(arm, at) for at in shown] for arm in arms}
    batch = history.batch(request.samples)

    def picture(which: tuple[int, ...], plane: ParameterPlane) -> ArmSlice:
        model = history.model(which[0], step)
        function = ParameterFunction(model, plane, history.loss, batch)
        return ArmSlice(which, plane, function, tuple(project(plane, paths[a]) for a in which))

    centre = (0.0, 0.0)
    if is_surface(history.initial_model):
        plane, grid, centre = surface_plane(history.initial_model, history.loss, request.points)
        pictures = [picture(arms, plane)]
    elif request.plane == "filter_normalised":
        plane = filter_normalised_plane(model_weights(history.initial_model), history.spec.seed)
        pictures = [picture((arm,), plane.around(paths[arm][-1])) for arm in arms]
        grid = Grid(points=request.points, span=request.span or 1.0)
    else:
        # Planes of trajectories show the whole run at every step, so that scrubbing moves no axis.
        seen = []
        pictures = []
        if request.plane == "trajectory":
            for arm in arms:
                points = [history.weights(arm, at) for at in history.steps]
                plane = principal_plane(points, "trajectory")
                pictures.append(picture((arm,), plane))
                seen.append(project(plane, points))
        else:
            points = _defining_points(history, request.plane, step)
            plane = principal_plane(points, request.plane)
            pictures.append(picture(arms, plane))
            seen += [project(plane, points), *pictures[0].trajectories]
        first, second = fitting_spans(seen)
        grid = Grid(
            points=request.points,
            span=request.span or first,
            second_span=request.span or second,
        )
    known = history.heights(request)
    return RunSlices(step, tuple(shown), grid, centre, tuple(pictures), known)


def arms_line(
    history: RunHistory, start: int, end: int, step: int, *, points: int = 41, samples: int = 100
) -> LineSlice:
    """The loss along the straight line from one arm's weights to another's, at one snapshot.

    Raises:
        PlaneError: the arms' weights are the same.
        SnapshotError: the snapshot is missing or damaged.
    """
    ends = [history.weights(arm, step) for arm in (start, end)]
    if all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0]):
        raise PlaneError(f"arms {start} and {end} have the same weights at step {step}: no line")
    return line_slice(
        history.model(start, step),
        ends[0],
        ends[1],
        history.loss,
        history.batch(samples),
        points=points,
    )


def _defining_points(
    history: RunHistory, kind: Literal["principal", "arms"], step: int
) -> list[dict[str, Tensor]]:
    """The weights that a shared plane goes through, or comes nearest to."""
    arms = range(len(history.spec.arms))
    if kind == "principal":
        return [history.weights(arm, at) for arm in arms for at in history.steps]
    if len(arms) == 1:
        raise PlaneError("a plane through the arms needs at least two arms")
    points = [history.weights(arm, step) for arm in arms]
    if len(arms) == 2:
        points.append(model_weights(history.initial_model))
    return points
