"""Requests for the landscapes of a run, and the job that is sent to the process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from newton_core.curvature.surrogate import NewtonSettings
from newton_core.landscape.grid import OddPoints
from newton_core.landscape.outputs import OutputPlane
from newton_core.settings import Settings, setting
from newton_core.training.landscapes.steps import StepSettings
from newton_core.training.landscapes.weights import LandscapeSettings


class ParameterLandscapeRequest(LandscapeSettings):
    """The landscapes of a run over its arms' weights."""

    space: Literal["parameters"] = setting("parameters", "Through the networks' weights.")
    run: str = setting(..., "Id of the run.", max_length=100)


class OutputLandscapeRequest(OutputPlane):
    """The landscape over the outputs of one arm's network, with the quadratics fitted there."""

    space: Literal["outputs"] = setting(..., "Through the networks' outputs.")
    run: str = setting(..., "Id of the run.", max_length=100)
    step: int = setting(0, "Step of the run; the nearest snapshot answers.", title="Step", ge=0)
    arm: int = setting(0, "Index of the arm.", title="Arm", ge=0, le=63)
    sample: int | None = setting(
        0, "Which sample is drawn; empty draws the mean of the batch.", title="Sample", ge=0
    )
    samples: int = setting(
        20, "Samples in the batch that gives the curvature.", title="Samples", ge=1, le=1000
    )
    points: OddPoints = setting(
        61, "Points along each axis; odd.", title="Points per axis", ge=21, le=101
    )
    span: float | None = setting(
        5.0,
        "Distance from the centre to the edge, in units of the outputs; empty means as far as the"
        " quadratics' z* need.",
        title="Range", scale="log", gt=0.0, le=1e6,
    )  # fmt: skip
    surrogates: list[NewtonSettings] = setting(
        [NewtonSettings()], "The quadratics to lay over the loss.", title="Surrogates", max_length=4
    )
    damped: bool = setting(False, "Whether the quadratics include tikhonov.", title="Damped")


class StepRequest(StepSettings):
    """Gradient, Newton step and z* of one sample of an arm's current batch."""

    space: Literal["step"] = setting(..., "In the plane of one sample's gradient and step.")
    run: str = setting(..., "Id of the run.", max_length=100)


class LineLandscapeRequest(Settings):
    """The loss along the straight line from one arm's weights to another's."""

    space: Literal["line"] = setting(..., "Between two arms' weights.")
    run: str = setting(..., "Id of the run.", max_length=100)
    step: int = setting(0, "Step of the run; the nearest snapshot answers.", title="Step", ge=0)
    start: int = setting(0, "Index of the arm at 0.", title="From", ge=0, le=63)
    end: int = setting(1, "Index of the arm at 1.", title="To", ge=0, le=63)
    points: int = setting(41, "Points of the line.", title="Points", ge=11, le=201)
    samples: int = setting(
        100, "Samples of training data that the loss is measured on, used by no update.",
        title="Samples", unit="samples", scale="log", ge=1, le=1000,
    )  # fmt: skip


class TurnRequest(Settings):
    """How far curvature can turn the gradient of one arm: the angle over the damping."""

    space: Literal["turn"] = setting(..., "Between gradient and Newton step.")
    run: str = setting(..., "Id of the run.", max_length=100)
    step: int = setting(0, "Step of the run; the nearest snapshot answers.", title="Step", ge=0)
    arm: int = setting(0, "Index of the arm.", title="Arm", ge=0, le=63)
    samples: int = setting(
        50, "Samples in the batch that gives gradient and curvature, used by no update.",
        title="Samples", unit="samples", scale="log", ge=1, le=1000,
    )  # fmt: skip


def _space(body: Any) -> str:
    given = body.get("space") if isinstance(body, Mapping) else getattr(body, "space", None)
    return given if given in ("outputs", "line", "step", "turn") else "parameters"


AnyLandscapeRequest = (
    ParameterLandscapeRequest
    | OutputLandscapeRequest
    | LineLandscapeRequest
    | StepRequest
    | TurnRequest
)

LandscapeRequest = Annotated[
    Annotated[ParameterLandscapeRequest, Tag("parameters")]
    | Annotated[OutputLandscapeRequest, Tag("outputs")]
    | Annotated[LineLandscapeRequest, Tag("line")]
    | Annotated[StepRequest, Tag("step")]
    | Annotated[TurnRequest, Tag("turn")],
    Discriminator(_space),
]
"""One of the five requests, by its ``space``; without it, the weights."""


@dataclass(frozen=True)
class LandscapeJob:
    """A request for the process to compute.

    Attributes:
        spec: the run's complete spec as JSON text.
        snapshots: the run's folder of snapshots.
        request: one of the requests as JSON text.
    """

    spec: str
    snapshots: Path
    request: str
