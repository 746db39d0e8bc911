"""The smallest task: the trained weights are a point on a two-dimensional surface."""

import math
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.losses.base import Loss, TargetKind
from newton_core.metrics import MetricDescription
from newton_core.records import finite
from newton_core.seeding import generator
from newton_core.settings import setting
from newton_core.tasks.base import Batch, Metric, Task, TaskParameters, json_record, register_task

ARRIVED = 0.05
"""Distance to a minimum that counts as having arrived, in units of the coordinates."""

METRICS = (
    MetricDescription(
        "arrived",
        "Arrived",
        "1 at a minimum, 0 elsewhere",
        f"Whether the point is within {ARRIVED} of a known minimum of the surface.",
        better="higher",
        bounds=(0.0, 1.0),
        decimals=0,
    ),
    MetricDescription(
        "value",
        "Height",
        "of the surface at the point",
        "Value of the surface where the point stands.",
        better="lower",
        scale="log",
    ),
    MetricDescription(
        "distance",
        "Distance",
        "to the nearest minimum",
        "Distance from the point to the nearest known minimum of the surface.",
        better="lower",
        scale="log",
    ),
    MetricDescription("x", "x", "coordinate of the point", "First coordinate of the point."),
    MetricDescription("y", "y", "coordinate of the point", "Second coordinate of the point."),
)


class SurfaceParameters(TaskParameters):
    """Walk down a surface."""

    title = "Walk down a surface"
    name: Literal["surface"] = "surface"
    start_x: float = setting(
        -1.2, "First coordinate of the start.", title="Start x", ge=-1e6, le=1e6
    )
    start_y: float = setting(
        1.0, "Second coordinate of the start.", title="Start y", ge=-1e6, le=1e6
    )
    spread: float = setting(
        0.0, "Standard deviation of the start around that point, drawn from the run's seed.",
        title="Spread of starts", ge=0.0, le=1e6,
    )  # fmt: skip
    noise: float = setting(
        0.0, "Standard deviation of the samples of a batch around the point: each sees the surface"
        " from a little aside, as the images of a batch would.",
        title="Noise", ge=0.0, le=1e6,
    )  # fmt: skip


@json_record
class SurfaceExample(TypedDict):
    """Where the point is and how high; null where that is not finite."""

    x: float | None
    y: float | None
    value: float | None


class Point(nn.Module):
    """A network whose only weights are a point; its outputs are the point plus the inputs."""

    def __init__(self, start: Float[Tensor, " 2"]) -> None:
        super().__init__()
        self.point = nn.Parameter(start)

    def forward(self, offsets: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2"]:
        """The point as each sample sees it."""
        return self.point + offsets


@register_task
class SurfaceTask(Task[SurfaceParameters]):
    """Finds a low point of a surface; the run's loss is the surface.

    Metrics: ``arrived`` (1 within 0.05 of a known minimum, else 0), ``value`` (the height),
    ``distance`` (to the nearest known minimum, NaN if none is known), and the point's ``x``, ``y``.
    """

    Parameters: ClassVar[type[TaskParameters]] = SurfaceParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = METRICS
    primary_metric: ClassVar[str] = "arrived"
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"none"})
    _surface: Loss | None = None

    def use_loss(self, loss: Loss) -> None:
        """Keeps the loss as the surface whose height and minima the metrics need."""
        self._surface = loss

    def build_model(self) -> Point:
        """A :class:`Point` at the start."""
        p = self.parameters
        offset = torch.randn(2, generator=generator(self.seed, "weights")) * p.spread
        return Point(torch.tensor([p.start_x, p.start_y]) + offset).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` offsets (size, 2) from the point, all zero without noise; no target."""
        noise = torch.randn(size, 2, generator=generator(self.seed, "batch", step))
        return Batch(inputs=(noise * self.parameters.noise).to(self.device), target=None)

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """The metrics at the point itself, without noise."""
        x, y, value, distance = self._look(model)
        arrived = 1.0 if distance < ARRIVED else 0.0
        return {
            "arrived": Metric(arrived, 0.0),
            "value": Metric(value, 0.0),
            "distance": Metric(distance, 0.0),
            "x": Metric(x, 0.0),
            "y": Metric(y, 0.0),
        }

    def examples(self, model: nn.Module, *, images: bool) -> list[SurfaceExample]:
        """Where the point is: one record."""
        x, y, value, _ = self._look(model)
        return [SurfaceExample(x=finite(x), y=finite(y), value=finite(value))]

    def _look(self, model: nn.Module) -> tuple[float, float, float, float]:
        """x, y, height and distance to the nearest known minimum."""
        if self._surface is None:
            raise RuntimeError("the surface task needs its surface: call use_loss(loss) first")
        with torch.no_grad():
            at = model(torch.zeros(1, 2, device=self.device))
            value = self._surface(at, None).item()
        x, y = at[0].tolist()
        minima = getattr(self._surface, "minima", ())
        distance = min((math.dist((x, y), minimum) for minimum in minima), default=math.nan)
        return x, y, value, distance
