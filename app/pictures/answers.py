"""Records of the answers that are computed at once; numbers that are not finite are null."""

from pydantic import BaseModel, ConfigDict, Field

from newton_core.curvature.surrogate import NewtonSettings
from newton_core.experiment.events import Number
from newton_core.landscape.gradient_field import RegionKind
from newton_core.landscape.three_numbers import Ordering, Outcome

Row = list[Number]
Place = tuple[Number, Number]
Tile = tuple[int, int]
"""[row, column] from the top-left."""


class Answer(BaseModel):
    """Base of all answers, which have the declared fields only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WalkRecord(Answer):
    """A walk from one start over K steps; what is of points has K + 1 entries, of steps K."""

    label: str
    path: list[Place]
    values: Row
    gradients: list[Row]
    gradient_norms: Row
    curvatures: list[list[Row]] = Field(description="of the local quadratic at each point")
    predicted: Row = Field(description="decrease that the quadratic promised for each step")
    actual: Row = Field(description="decrease of the loss")
    trust: Row = Field(description="actual over predicted")
    ended: int = Field(description="step that was not taken, or K")
    problem: str | None = Field(description="why the walk ended early")


class SurfaceLandscape(Answer):
    """Values of a surface: ``values[j][i]`` at (x[i], y[j])."""

    x: list[float]
    y: list[float]
    values: list[Row]
    minima: list[tuple[float, float]]


class SurfaceAnswer(Answer):
    """A surface and walks over it."""

    picture: SurfaceLandscape
    start: tuple[float, float]
    walks: list[WalkRecord]


class Wedge(Answer):
    """The part of the plane where three scores have one ordering."""

    ordering: Ordering
    label: str
    angle: float = Field(description="of its middle, in radians from the first axis")
    polygon: list[tuple[float, float]]
    correct: bool


class ThreeNumbersPlane(Answer):
    """The loss over the plane of the differences of three scores."""

    a: list[float]
    b: list[float]
    loss: list[Row]
    gradient_norm: list[Row]
    wedges: list[Wedge]


class ThreeNumbersWalk(WalkRecord):
    """A walk on the plane and how it went."""

    outcome: Outcome
    arrived: int = Field(description="step from which on the ordering is right; -1 if never")


class ThreeNumbersAnswer(Answer):
    """The landscape of sorting three numbers and walks over it."""

    plane: ThreeNumbersPlane
    walks: list[ThreeNumbersWalk]


class GradientRegion(Answer):
    """A stretch of scores where a gradient is lost or too large."""

    kind: RegionKind
    first: float
    last: float


class GradientFlip(Answer):
    """A stretch of scores where a Newton direction points the other way than the gradient."""

    first: float
    last: float
    lowest: Number = Field(description="smallest eigenvalue of C + tikhonov I in it")


class GradientCurve(Answer):
    """A gradient, or a Newton direction, over the swept score."""

    name: str = Field(description="raw, a curvature, or a variant of the numerics")
    component: Row = Field(description="its entry for the swept score")
    norm: Row = Field(description="over all scores of the sample")
    regions: list[GradientRegion]
    settings: NewtonSettings | None = Field(description="of the Newton step")
    problem: str | None
    flips: list[GradientFlip] = Field(description="of a Newton step, against the raw gradient")


class GradientField(Answer):
    """What a score feels as it moves."""

    scores: list[float]
    value: Row
    curves: list[GradientCurve]


class GradientsAnswer(Answer):
    """A gradient field; ``numerics``: in three ways, null where the loss has but one."""

    field: GradientField
    numerics: GradientField | None


class PerturbedPathsAnswer(Answer):
    """The tiles of each noise sample's path."""

    paths: list[list[Tile]]
