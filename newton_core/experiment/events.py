"""What a run says: JSON records told apart by ``type``, numbered by ``seq`` from 1 without gaps.

Non-finite numbers travel as null. ``arm`` is the 0-based index; step 0 is the initial weights.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypeAliasType, TypedDict

from newton_core.experiment.spec import STORED, ExperimentSpec, on_registration
from newton_core.tasks.base import json_record
from newton_core.tasks.classification import ClassificationExample
from newton_core.tasks.discs import DiscsExample
from newton_core.tasks.forecast import ForecastExample
from newton_core.tasks.heat import HeatExample
from newton_core.tasks.jigsaw import JigsawExample
from newton_core.tasks.ranking import RankingExample
from newton_core.tasks.shortest_path import ShortestPathExample
from newton_core.tasks.spanning_tree import SpanningTreeExample
from newton_core.tasks.surface import SurfaceExample
from newton_core.tasks.trajectory import TrajectoryExample

Number = float | None
"""A finite number, or null where the computation gave NaN or infinity."""


Example = TypeAliasType(
    "Example",
    RankingExample
    | ClassificationExample
    | ShortestPathExample
    | SurfaceExample
    | TrajectoryExample
    | HeatExample
    | DiscsExample
    | JigsawExample
    | SpanningTreeExample
    | ForecastExample
    | dict[str, Any],
)
"""What a task shows of a test case, told apart by its keys; any record of a task of one's own."""


class Record(BaseModel):
    """Base of all records: frozen, unknown fields refused, NaN and infinity as null in JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")


class EventBase(Record):
    """Base of all events of a run."""

    seq: int = Field(ge=1)


class Started(EventBase):
    """The first event: the complete spec, defaults filled in."""

    type: Literal["started"] = "started"
    spec: ExperimentSpec
    versions: dict[str, str]
    device: str
    parameters: int = Field(description="number of trained parameters of one arm's network")
    warnings: tuple[str, ...] = Field(
        (), description="what may be wrong with the data though they can be used"
    )


class Metrics(EventBase):
    """A batch of logged steps of one arm: values at k use batch k and the weights before it."""

    type: Literal["metrics"] = "metrics"
    arm: int
    steps: list[int]
    values: dict[str, list[Number]]


class SpectrumRecord(Record):
    """Eigenvalues ascending without tikhonov, condition number with it.

    Runs of earlier versions have no ``complement_condition``.
    """

    eigenvalues: list[Number]
    condition: Number
    negative: int = Field(description="count of negative eigenvalues")
    complement_condition: Number = Field(
        None,
        description="condition after the definiteness rule, without tikhonov, on the complement of"
        " the directions that the loss is blind to; null where it is infinite",
    )


class NormHistogram(Record):
    """Counts of per-sample gradient norms in bins whose edges are powers of ten."""

    log10_edges: list[float]
    counts: list[int] = Field(description="one per bin; the outer bins take what lies beyond")
    zero: int
    non_finite: int


class CurvatureEvent(EventBase):
    """Spectra of both curvatures at one arm's outputs, whichever it trains with."""

    type: Literal["curvature"] = "curvature"
    arm: int
    step: int
    hessian: SpectrumRecord | None
    fisher: SpectrumRecord | None
    direction_cosine: Number = Field(description="between the Hessian and the Fisher direction")
    complement_condition: Number = Field(
        None,
        description="that of the arm's own curvature: how far it can turn a gradient, which it"
        " cannot where this is 1; null where it is infinite or the arm has no curvature",
    )
    gradient_norms: NormHistogram


class Evaluation(EventBase):
    """Test metrics, flat: each name beside its standard error, ``exact_match_se``.

    Metrics of the validation part, where there is one, have ``validation_`` before their names.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Number]

    type: Literal["evaluation"] = "evaluation"
    arm: int
    step: int
    primary_metric: str = Field("", description="the task's; empty in logs of earlier versions")


class Examples(EventBase):
    """What the network sees and says; images travel in an arm's first examples only."""

    type: Literal["examples"] = "examples"
    arm: int
    step: int
    items: list[Example]


@json_record
class LandscapeGrid(TypedDict):
    """Coordinates of a slice's columns and rows."""

    a: list[float]
    b: list[float]


class Landscape(EventBase):
    """The run's loss around one arm's weights; all arms share directions and range.

    ``values[j][i]`` is the loss at ``(grid["a"][i], grid["b"][j])``, ``trajectory`` holds
    ``[a, b, step]``, ``residual`` the share of the way that leaves the plane
    (:class:`newton_core.training.landscapes.recorder.LandscapeRecorder`).
    """

    type: Literal["landscape"] = "landscape"
    arm: int
    step: int
    plane: dict[str, Any]
    grid: LandscapeGrid
    values: list[list[Number]]
    trajectory: list[list[Number]]
    residual: Number


class Spike(EventBase):
    """A largest per-sample gradient over 10 times the running median of those that are not zero."""

    type: Literal["spike"] = "spike"
    arm: int
    step: int
    norm: Number
    median: Number


class Notice(EventBase):
    """Something keeps the arm from learning. It comes at every evaluation while it lasts.

    ``vanished``: most of the last steps had no gradient at all. ``swallowed``: Adam's eps takes a
    large part of the step, as it does under a very large damping. ``inexact``: the loss stopped at
    a limit before its numbers were exact, on the batch that curvature is measured on.
    """

    type: Literal["notice"] = "notice"
    arm: int
    step: int
    kind: Literal["vanished", "swallowed", "inexact"]
    message: str = Field(description="what is so, why, and what helps")


class Changed(EventBase):
    """A change took effect: it acts from update step + 1 on."""

    type: Literal["changed"] = "changed"
    arm: int
    step: int
    tikhonov: float | None = None
    lr: float | None = None


class Snapshot(EventBase):
    """A complete state of all arms was written to ``file`` in the snapshots folder."""

    type: Literal["snapshot"] = "snapshot"
    step: int
    file: str


class Diverged(EventBase):
    """The arm met NaN or infinity at this update and stopped; the others go on."""

    type: Literal["diverged"] = "diverged"
    arm: int
    step: int
    reason: str


class ArmSummary(Record):
    """How one arm ended."""

    label: str
    status: Literal["completed", "diverged", "target", "stopped"]
    step: int = Field(description="last update applied")
    metrics: dict[str, Number] = Field(
        description="the arm's last evaluation, flat; if it diverged, from before that"
    )
    seconds: float = Field(description="the arm's own compute")

    @property
    def ended(self) -> str:
        """How it ended in words; the step that diverged is the one that its event names."""
        if self.status == "completed":
            return self.status
        step = self.step + 1 if self.status == "diverged" else self.step
        return f"{self.status} at step {step:,}"


class Summary(Record):
    """How the run ended."""

    arms: list[ArmSummary]
    step: int = Field(description="last step of the run")
    seconds: float = Field(description="wall clock of the run, since its last start")
    primary_metric: str
    initial: dict[str, Number] = Field(
        {}, description="metrics of the initial weights, flat; empty in logs of earlier versions"
    )


class Finished(EventBase):
    """The last event of a run that reached its end."""

    type: Literal["finished"] = "finished"
    summary: Summary


class Failed(EventBase):
    """The last event of a run that an error ended, with the error in a sentence."""

    type: Literal["failed"] = "failed"
    error: str


class Cancelled(EventBase):
    """The last event of a run that was stopped; without a summary where no step was taken."""

    type: Literal["cancelled"] = "cancelled"
    summary: Summary | None = None


Event = Annotated[
    Started
    | Metrics
    | CurvatureEvent
    | Evaluation
    | Examples
    | Landscape
    | Spike
    | Notice
    | Changed
    | Snapshot
    | Diverged
    | Finished
    | Failed
    | Cancelled,
    Field(discriminator="type"),
]
"""An event of a run, whatever its type."""

EVENT_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def _rebuild() -> None:
    Started.model_rebuild(force=True)
    EVENT_ADAPTER.rebuild(force=True)


on_registration(_rebuild)  # the first event holds a spec

LAST_EVENTS = frozenset({"finished", "failed", "cancelled"})


def parse_event(record: dict[str, object] | str | bytes) -> Event:
    """The event in a JSON text or a decoded record, of this version or an earlier one.

    Raises:
        pydantic.ValidationError: it is no event.
    """
    if isinstance(record, dict):
        return EVENT_ADAPTER.validate_python(record, context=STORED)
    return EVENT_ADAPTER.validate_json(record, context=STORED)
