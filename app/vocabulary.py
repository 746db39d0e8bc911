"""What the page, reports and tables need to show a run: names, metrics, thresholds and colours.

Each part describes itself where it is defined, and this module gathers the descriptions.
"""

import functools
from dataclasses import asdict, dataclass

from pydantic import BaseModel, Field

from app.figures.palette import ARM_STYLES, DARK, LIGHT, ArmColor
from newton_core.descent import DescentSettings
from newton_core.experiment.arms import ARM_LABELS
from newton_core.experiment.spec import ExperimentSpec
from newton_core.labels import labels_of
from newton_core.landscape.outputs import OutputPlane
from newton_core.losses.base import LOSSES
from newton_core.losses.simulator import SimulatorLoss
from newton_core.metrics import (
    EXPLODING,
    SPIKE_FACTOR,
    STEP_METRICS,
    VANISHING,
    MetricDescription,
)
from newton_core.tasks import TASKS
from newton_core.training.landscapes.weights import LandscapeSettings


@dataclass(frozen=True)
class TaskMetric(MetricDescription):
    """A metric of a task.

    Attributes:
        primary: whether it is the one that ``target`` stops at and that tables sort by.
    """

    primary: bool = False


class MetricsInUse(BaseModel):
    """Every metric that a run's events can hold."""

    tasks: dict[str, list[TaskMetric]] = Field(description="of evaluations, by task")
    steps: list[MetricDescription] = Field(description="of every logged step")


class Thresholds(BaseModel):
    """From where on a gradient counts as out of order."""

    vanishing: float = Field(
        description="norm of a sample's output gradient below which it is gone"
    )
    exploding: float = Field(description="norm above which it drowns the others")
    spike_factor: float = Field(description="times the running median of the largest norms")


class ArmLook(BaseModel):
    """How the arm at one place looks unless somebody chooses another colour."""

    name: str = Field(description="of the colour")
    dash: str = Field(description="Plotly's name of the line's pattern")
    symbol: str = Field(description="Plotly's name of the marker")
    light: ArmColor
    dark: ArmColor


class Vocabulary(BaseModel):
    """How to show what a run says; the same on every server of this version."""

    metrics: MetricsInUse
    labels: dict[str, dict[str, str]] = Field(
        description="what people read: by field of a spec or a request (task, loss, data, model,"
        " curvature, optimizer, plane, ...), then by option; and of metrics (`metric`) and of arms"
        " without a label (`arm`: by output gradient where there is no curvature, else by"
        " curvature, component and component_of, joined by `_` as far as they are not the default)"
    )
    thresholds: Thresholds
    arm_styles: list[ArmLook] = Field(description="by the colour's place in the palette")
    up_to_constant: list[str] = Field(
        description="losses whose value is known up to a constant, so that 0 and ratios say nothing"
    )
    conditions: dict[str, list[tuple[int, float]]] = Field(
        description="by loss, where it is a simulator: [size, condition of its Hessian JᵀJ]"
    )


@functools.cache
def vocabulary() -> Vocabulary:
    """All of it, gathered once."""
    metrics = {
        name: [
            TaskMetric(**asdict(metric), primary=metric.name == TASKS.get(name).primary_metric)
            for metric in TASKS.get(name).metrics
        ]
        for name in TASKS
    }
    every = [*STEP_METRICS, *(metric for found in metrics.values() for metric in found)]
    return Vocabulary(
        metrics=MetricsInUse(tasks=metrics, steps=list(STEP_METRICS)),
        labels=labels_of(ExperimentSpec, LandscapeSettings, OutputPlane, DescentSettings)
        | {"metric": {metric.name: metric.title for metric in reversed(every)}, "arm": ARM_LABELS},
        thresholds=Thresholds(vanishing=VANISHING, exploding=EXPLODING, spike_factor=SPIKE_FACTOR),
        arm_styles=[
            ArmLook(**asdict(style), light=light, dark=dark)
            for style, light, dark in zip(ARM_STYLES, LIGHT.arms, DARK.arms, strict=True)
        ],
        up_to_constant=[name for name in LOSSES if LOSSES.get(name).up_to_constant],
        conditions={
            name: found
            for name in LOSSES
            if issubclass(loss := LOSSES.get(name), SimulatorLoss) and (found := loss.conditions())
        },
    )
