"""The parts of a landscape, as they travel: Server-Sent Events, each with its data as JSON.

A number that is not finite is null.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from newton_core.curvature.surrogate import NewtonSettings
from newton_core.experiment.events import Number
from newton_core.landscape.planes import PlaneKind
from newton_core.landscape.step_plane import SecondAxis

Row = list[Number]
Pair = tuple[Number, Number]


class Part(BaseModel):
    """Base of all parts: nothing but what is declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ArmTrajectory(Part):
    """An arm's snapshots up to the step, as seen from the plane."""

    arm: int
    points: list[tuple[Number, Number, int]] = Field(description="[a, b, step]")
    residual: Number = Field(description="share of the way that leaves the plane")


class ArmLandscape(Part):
    """The landscape of an arm, or of all arms that share it."""

    arms: list[int]
    plane: PlaneKind
    paths: list[ArmTrajectory]


class LandscapeStart(Part):
    """The landscapes whose values follow."""

    step: int = Field(description="the snapshot that answers")
    steps: list[int] = Field(description="all snapshots")
    pictures: list[ArmLandscape]


class LandscapeGrid(Part):
    """Coordinates of a landscape's columns and rows."""

    a: list[float]
    b: list[float]


class LandscapePatch(Part):
    """All values on one grid: ``values[j][i]`` at (a[i], b[j]), finer from level to level."""

    picture: int
    grid: LandscapeGrid
    level: int
    levels: int
    values: list[Row]


class Arrow(Part):
    """A vector of output space as seen from a plane."""

    components: Pair
    length: Number
    outside: Number = Field(description="share of the length that is orthogonal to the plane")


class Quadratic(Part):
    """The quadratic that a Newton loss fits, on the plane."""

    settings: NewtonSettings
    damped: bool = Field(description="whether the values include tikhonov")
    values: list[Row]
    matrix: tuple[Pair, Pair] = Field(description="C on the plane, without tikhonov")
    eigenvalues: Pair
    eigenvectors: tuple[Pair, Pair] = Field(description="one per row")
    direction: Arrow | None = Field(description="the Newton direction; null if singular")
    target: Pair | None = Field(description="z* on the plane")
    problem: str | None = Field(description="why there is no direction")


class OutputValues(Part):
    """A loss over a plane of outputs."""

    a: list[float]
    b: list[float]
    basis: list[Row] = Field(description="the two directions")
    loss: list[Row]
    gradient: Arrow
    surrogates: list[Quadratic]


class SampleSeen(BaseModel):
    """What there is to see of the sample; tasks of one's own may show more, or nothing."""

    model_config = ConfigDict(extra="allow", frozen=True)

    values: list[int | float] = Field(
        default_factory=list, description="of ranked images, in the outputs' order"
    )
    image: str = Field(default_factory=str, description="a PNG of the map")
    true_path: list[tuple[int, int]] = Field(
        default_factory=list, description="its tiles [row, column] in order"
    )


class OutputLandscape(Part):
    """The landscape over the outputs of one arm."""

    step: int = Field(description="the snapshot that answers")
    outputs: Row = Field(description="at the centre, in the order of the outputs")
    shape: list[int] = Field(description="of one sample's outputs")
    sample: SampleSeen
    slice: OutputValues


class LineValues(Part):
    """The loss along a line: ``t`` is 0 at the start and 1 at the end."""

    t: list[float]
    values: Row
    barrier: Number = Field(description="how far the highest point is above the straight line")


class LineLandscape(Part):
    """The loss between two arms' weights."""

    step: int = Field(description="the snapshot that answers")
    line: LineValues


class StepChange(Part):
    """What makes one step out of another."""

    ratio: Number = Field(description="length of the second over that of the first")
    degrees: Number = Field(description="angle between them, 0 to 180")


class StepView(Part):
    """A square part of the plane."""

    unit: Number = Field(description="length of the drawn Newton step")
    gradient: Pair = Field(description="tip of the arrow down the gradient")
    a: list[float]
    b: list[float]
    loss: list[Row]
    quadratic: list[Row] | None = Field(description="with tikhonov; null without a step")


class StepPlane(Part):
    """Gradient, Newton step and z* of a sample; y is at the origin."""

    sample: int
    basis: list[Row] = Field(description="down the gradient, and across it")
    second: SecondAxis = Field(description="what the axis across the gradient follows")
    value: Number = Field(description="the sample's loss at y")
    gradient_norm: Number
    step: Pair | None = Field(description="z* - y on the plane; null without curvature")
    tikhonov: float
    matrix: tuple[Pair, Pair] | None = Field(description="C on the plane, without tikhonov")
    change: StepChange | None = Field(description="from the gradient to the step, of the sample")
    batch_change: StepChange | None = Field(description="the same of the whole batch")
    before: StepChange | None = Field(
        description="from the step with the earlier tikhonov, of the whole batch"
    )
    earlier: Pair | None = Field(description="the sample's step with the earlier tikhonov")
    problem: str | None = Field(description="why there is no step")
    views: tuple[StepView, StepView] = Field(description="as long as they are; of one length")


class StepSeen(Part):
    """The Newton step that an arm takes next."""

    step: int = Field(description="the snapshot that answers")
    samples: int = Field(description="in the batch")
    shape: list[int] = Field(description="of one sample's outputs")
    plane: StepPlane


class TurnOverTikhonov(Part):
    """The angle that one curvature turns the gradient by, over eight decades of damping."""

    curvature: Literal["hessian", "fisher"]
    tikhonov: list[float]
    largest: float = Field(description="largest absolute eigenvalue, without tikhonov")
    degrees: Row = Field(description="null where the damped matrix is singular")
    complement_condition: Number = Field(
        description="condition without tikhonov where the loss is not blind; null if infinite"
    )


class TurnAnswer(Part):
    """How far curvature can turn the gradient of one arm."""

    step: int = Field(description="the snapshot that answers")
    curves: list[TurnOverTikhonov]


class LandscapeProblem(Part):
    """Why there is no landscape, or no more of it."""

    message: str


class LandscapeDone(Part):
    """Nothing follows."""


class StartEvent(Part):
    """The first part of an answer about weights."""

    event: Literal["start"]
    data: LandscapeStart


class PatchEvent(Part):
    """The values of a landscape, coarse first, then finer."""

    event: Literal["patch"]
    data: LandscapePatch


class OutputEvent(Part):
    """The whole answer about outputs."""

    event: Literal["slice"]
    data: OutputLandscape


class LineEvent(Part):
    """The whole line between two arms."""

    event: Literal["line"]
    data: LineLandscape


class StepEvent(Part):
    """The whole answer about a step."""

    event: Literal["step"]
    data: StepSeen


class TurnEvent(Part):
    """The whole answer about the turn of a gradient."""

    event: Literal["turn"]
    data: TurnAnswer


class ProblemEvent(Part):
    """The last part, where something went wrong."""

    event: Literal["problem"]
    data: LandscapeProblem


class DoneEvent(Part):
    """The last part."""

    event: Literal["done"]
    data: LandscapeDone


LandscapeStreamEvent = Annotated[
    StartEvent
    | PatchEvent
    | OutputEvent
    | LineEvent
    | StepEvent
    | TurnEvent
    | ProblemEvent
    | DoneEvent,
    Field(discriminator="event"),
]
"""Any message of the stream: its type and its data."""
