"""Driving: a network reads way-points and predicts the accelerations that lead past them."""

import math
from functools import lru_cache
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.losses.base import Loss, LossParameters, TargetKind
from newton_core.losses.simulator import SimulatorLoss
from newton_core.losses.trajectory import TrajectoryParameters
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.models import AnyModel, MlpParameters, build_seeded
from newton_core.records import finite
from newton_core.seeding import generator
from newton_core.settings import setting
from newton_core.tasks.base import (
    Batch,
    Metric,
    SampleOutputs,
    Task,
    TaskParameters,
    json_record,
    register_task,
)
from newton_core.tasks.evaluation import inference, median, share

TEST_PATHS = 500
EXAMPLE_PATHS = 5
CLOSE = 0.1
"""Mean distance at which a path counts as the wanted one; way-points are some 0.9 apart."""
HOP = 0.6
"""Standard deviation, in each coordinate, of the way from one way-point to the next."""

Point = tuple[float, float]

ON_PATH = share_of_test(
    "on_path",
    "Paths driven",
    "test paths",
    description=f"Share of test paths that are driven within {CLOSE} of the wanted one on average.",
    sentence="drives {value} of the paths",
)
PATH_ERROR = MetricDescription(
    "path_error",
    "Path error",
    "mean distance to the wanted path, median test path",
    "Distance to the wanted path, averaged over its steps; the median over the test paths.",
    better="lower",
    scale="log",
    bounds=(0.0, None),
    sampled=True,
    sentence="drives {value} beside the median path",
)


class TrajectoryTaskParameters(TaskParameters):
    """Drive along a wanted path."""

    title = "Drive along a path"
    name: Literal["trajectory"] = "trajectory"
    steps: int = setting(
        64, "Steps of time that a path is cut into, with an acceleration each.",
        title="Steps of time", ge=2, le=512,
    )  # fmt: skip
    way_points: int = setting(
        3, "Points that describe a wanted path; it goes smoothly from one to the next.",
        title="Way-points", ge=1, le=8,
    )  # fmt: skip
    model: AnyModel = setting(
        MlpParameters(hidden=(64, 64)),
        "The network, from the way-points' coordinates to an acceleration a step.",
        title="Network",
    )

    @model_validator(mode="after")
    def _has_time_for_its_way_points(self) -> "TrajectoryTaskParameters":
        if self.way_points > self.steps:
            raise ValueError(
                f"{self.way_points} way-points need a path of at least {self.way_points} steps,"
                f" it has {self.steps}"
            )
        return self

    def check_loss(self, loss: LossParameters) -> None:
        """See :class:`~newton_core.tasks.base.TaskParameters`."""
        if isinstance(loss, TrajectoryParameters):
            loss.check_steps(self.steps)

    def outputs_per_sample(self) -> SampleOutputs:
        """Two coordinates of acceleration a step."""
        return SampleOutputs(2 * self.steps, ("steps",))


@json_record
class TrajectoryExample(TypedDict):
    """One test path and the one that the network drives, each from the origin, [x, y] a step.

    ``wanted`` travels in an arm's first record alone. ``driven`` is null where it is not finite,
    and so is ``error``, the mean distance between the two. ``close``: it is below ``tolerance``.
    """

    path: int
    way_points: list[Point]
    wanted: list[Point] | None
    driven: list[Point] | None
    error: float | None
    tolerance: float
    close: bool


@register_task
class TrajectoryTask(Task[TrajectoryTaskParameters]):
    """Way-points in, accelerations out; the run's loss simulates the path that they lead to.

    The way-points are a random walk from the origin. The wanted path is the calmest one past
    them, which is a cubic spline: from rest at the origin, without acceleration at its end, the
    same time from each way-point to the next. Every path can be driven exactly.
    """

    Parameters: ClassVar[type[TaskParameters]] = TrajectoryTaskParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (ON_PATH, PATH_ERROR)
    primary_metric: ClassVar[str] = ON_PATH.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"trajectory"})
    _simulator: SimulatorLoss | None = None

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        count = self.parameters.way_points
        self._spline = spline_through(count, self.parameters.steps).to(self.device)
        self._test_points = self._part("test")
        self._validation: Tensor | None = None
        self._test_paths = self._wanted(self._test_points)
        self._shown = spread_out(self._test_points, EXAMPLE_PATHS)

    def _part(self, part: str) -> Float[Tensor, "N k 2"]:
        """The way-points of a part that metrics are measured on, the same for every seed."""
        random = generator(0, "trajectory", part)
        return way_points(TEST_PATHS, self.parameters.way_points, random).to(self.device)

    def hold_out(self, share: float) -> None:
        """Draws a validation part if one is wanted; training draws new paths, and loses none."""
        if share > 0:
            self._validation = self._part("validation")

    def use_loss(self, loss: Loss) -> None:
        """Keeps the simulator, whose paths are judged and shown.

        Raises:
            ValueError: the loss simulates nothing, or no path of this many steps.
        """
        if not isinstance(loss, SimulatorLoss):
            raise ValueError(
                "the task trajectory needs a loss that simulates a path, a SimulatorLoss; got"
                f" {type(loss).__name__}"
            )
        rest = torch.zeros(1, self.parameters.steps, 2)
        loss(rest, rest)
        self._simulator = loss

    def build_model(self) -> nn.Module:
        """A network (N, 1, 1, 2 way-points) -> (N, T, 2)."""
        p = self.parameters
        network = build_seeded(p.model, (1, 2 * p.way_points), 2 * p.steps, self.seed)
        return nn.Sequential(network, nn.Unflatten(1, (p.steps, 2))).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` descriptions (size, 1, 1, 2 way-points) and wanted paths (size, T, 2)."""
        points = way_points(
            size, self.parameters.way_points, generator(self.seed, "batch", step)
        ).to(self.device)
        return Batch(inputs=_as_inputs(points), target=self._wanted(points))

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """``on_path`` and ``path_error``; a path that is not finite is missed, at any distance."""
        return self._measure(model, self._test_points)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on as many validation paths."""
        return {} if self._validation is None else self._measure(model, self._validation)

    def _measure(self, model: nn.Module, points: Float[Tensor, "N k 2"]) -> dict[str, Metric]:
        errors = self._errors(self._drive(model, points), self._wanted(points))
        return {
            ON_PATH.name: share(errors < CLOSE),
            PATH_ERROR.name: median(errors),
        }

    def examples(self, model: nn.Module, *, images: bool) -> list[TrajectoryExample]:
        """Five test paths in different directions, chosen by the wanted paths alone."""
        wanted = self._test_paths[self._shown]
        driven = self._drive(model, self._test_points[self._shown])
        errors = self._errors(driven, wanted).tolist()
        return [
            TrajectoryExample(
                path=i,
                way_points=_points(self._test_points[index]),
                wanted=_points(wanted[i]) if images else None,
                driven=_points(driven[i]) if math.isfinite(errors[i]) else None,
                error=finite(errors[i]),
                tolerance=CLOSE,
                close=errors[i] < CLOSE,
            )
            for i, index in enumerate(self._shown)
        ]

    def _wanted(self, points: Float[Tensor, "N k 2"]) -> Float[Tensor, "N T 2"]:
        return torch.einsum("tk,nkc->ntc", self._spline, points)

    def _drive(self, model: nn.Module, points: Float[Tensor, "N k 2"]) -> Float[Tensor, "N T 2"]:
        """The paths that the network's accelerations lead to."""
        if self._simulator is None:
            raise RuntimeError("the trajectory task needs its simulator: call use_loss(loss) first")
        with inference(model):
            return self._simulator.simulate(model(_as_inputs(points)))

    def _errors(
        self, driven: Float[Tensor, "N T 2"], wanted: Float[Tensor, "N T 2"]
    ) -> Float[Tensor, " N"]:
        """Mean distance of each path, infinite where it is not finite; on the CPU."""
        distances = torch.linalg.vector_norm(driven - wanted, dim=2).mean(1).cpu()
        return torch.where(torch.isfinite(distances), distances, math.inf)


def way_points(count: int, each: int, random: torch.Generator) -> Float[Tensor, "N k 2"]:
    """Random walks from the origin, the origin itself left out."""
    return (HOP * torch.randn(count, each, 2, generator=random)).cumsum(1)


@lru_cache(maxsize=8)
def spline_through(count: int, steps: int) -> Float[Tensor, "T k"]:
    """The matrix that takes way-points to positions after each step, linear in each coordinate."""
    from scipy.interpolate import CubicSpline  # it takes half a second to load

    knots = torch.linspace(0, 1, count + 1, dtype=torch.float64)
    values = torch.cat((torch.zeros(1, count), torch.eye(count))).double()
    still, straight = torch.zeros(count).numpy(), torch.zeros(count).numpy()
    spline = CubicSpline(knots.numpy(), values.numpy(), bc_type=((1, still), (2, straight)))
    times = torch.arange(1, steps + 1, dtype=torch.float64) / steps
    return torch.from_numpy(spline(times.numpy())).float()


def spread_out(points: Float[Tensor, "N k 2"], count: int) -> list[int]:
    """Indices of paths whose ends lie in evenly spaced directions from the start.

    Nothing but the direction picks them: the calmest ones would be the easiest.
    """
    ends = points[:, -1].cpu()
    angles = torch.atan2(ends[:, 1], ends[:, 0])
    chosen = []
    for k in range(count):
        away = (angles - (math.pi / 2 + 2 * math.pi * k / count)).remainder(2 * math.pi)
        chosen.append(int(torch.minimum(away, 2 * math.pi - away).argmin()))
    return chosen


def _as_inputs(points: Float[Tensor, "N k 2"]) -> Float[Tensor, "N 1 1 i"]:
    return points.flatten(1)[:, None, None]


def _points(path: Float[Tensor, "T 2"]) -> list[Point]:
    """Three decimals are enough for a picture."""
    return [(round(x, 3), round(y, 3)) for x, y in path.tolist()]
