"""Descents on two-dimensional surfaces and on the plane of sorting three numbers, at once."""

from typing import Annotated, Any, Literal

import torch
from pydantic import Field, ValidationError, model_validator

from app.errors import validation_error
from app.pictures.answers import (
    SurfaceAnswer,
    SurfaceLandscape,
    ThreeNumbersAnswer,
    ThreeNumbersPlane,
    ThreeNumbersWalk,
    WalkRecord,
)
from app.processes import Loaded
from app.runs.limits import MOST_WALKERS
from newton_core.descent import Descent, DescentSettings, descend
from newton_core.experiment.sources import code_behind
from newton_core.landscape.grid import Grid, OddPoints
from newton_core.landscape.surface import surface_domain, surface_landscape
from newton_core.landscape.three_numbers import three_numbers_descents, three_numbers_landscape
from newton_core.losses.base import LOSSES, Loss, build_loss
from newton_core.records import to_json
from newton_core.settings import Settings, setting

MOST_STEPS = 20_000
"""Steps of all descents of a picture: some five seconds of one core."""
NEWTON_STEPS = 10
"""What one Newton step costs in steps of the other methods: 3 ms, for its Hessian."""
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Point = tuple[Coordinate, Coordinate]
Interval = tuple[Coordinate, Coordinate]
Walkers = Annotated[list[DescentSettings], Field(min_length=1, max_length=MOST_WALKERS)]
AnyLoss = dict[str, Any]


class SurfaceRequest(Settings):
    """Walks over a surface from one start."""

    loss: AnyLoss = setting(
        {"name": "rosenbrock"}, "The surface: its name and parameters; 'formula' is your own.",
        title="Surface",
    )  # fmt: skip
    start: Point | None = setting(
        None, "Where all walks begin; empty means the surface's own start.", title="Start"
    )
    walkers: Walkers = setting([DescentSettings(lr=1e-3)], "How the walks descend.", title="Walks")
    steps: int = setting(100, "Steps of each walk.", title="Steps", unit="steps", ge=1, le=500)
    points: int = setting(81, "Points along each axis.", title="Points per axis", ge=11, le=101)
    x: Interval | None = setting(None, "Range of x; empty means the surface's own.", title="x")
    y: Interval | None = setting(None, "Range of y; empty means the surface's own.", title="y")

    @model_validator(mode="after")
    def _ranges(self) -> "SurfaceRequest":
        for name, interval in (("x", self.x), ("y", self.y)):
            if interval is not None and not interval[0] < interval[1]:
                raise ValueError(f"{name}: the range is empty: its first number must be less")
        _check_cost(self.walkers, self.steps)
        return self


class ThreeNumbersRequest(Settings):
    """Walks over the plane of the differences of three scores."""

    loss: AnyLoss = setting({"name": "neuralsort"}, "A sorting loss.", title="Loss")
    start: Point = setting((-1.5, 0.8), "Where all walks begin, on the plane.", title="Start")
    walkers: Walkers = setting([DescentSettings()], "How the walks descend.", title="Walks")
    steps: int = setting(100, "Steps of each walk.", title="Steps", unit="steps", ge=1, le=500)
    points: OddPoints = setting(
        81, "Points along each axis; odd.", title="Points per axis", ge=21, le=101
    )
    span: float = setting(
        4.0, "Distance from the centre to the edge, in units of the scores.",
        title="Range", scale="log", gt=1e-3, le=1e4,
    )  # fmt: skip
    precision: Literal["float32", "float64"] = setting(
        "float32", "What the loss computes in: rounding is part of what is seen.",
        title="Precision",
    )  # fmt: skip

    @model_validator(mode="after")
    def _can_be_paid(self) -> "ThreeNumbersRequest":
        _check_cost(self.walkers, self.steps)
        return self


def _check_cost(walkers: list[DescentSettings], steps: int) -> None:
    weight = sum(NEWTON_STEPS if walker.method == "newton" else 1 for walker in walkers)
    if weight * steps > MOST_STEPS:
        raise ValueError(f"steps: at most {MOST_STEPS // weight} for these walks")


_LOADED = Loaded()
"""Losses are loaded once, as these pictures are computed in the server's own process."""


def loss_of(given: AnyLoss, kind: str) -> Loss:
    """The loss that a request names.

    Raises:
        RequestValidationError: no such loss, a bad parameter, a loss of another kind, or one
            whose code has changed since this process has loaded it.
    """
    name = given.get("name")
    fitting = [known for known in LOSSES.names() if LOSSES.get(known).target_kind == kind]
    if name not in fitting:
        known = ", ".join(fitting)
        raise validation_error([(("body", "loss", "name"), f"use one of {known}", "loss")])
    try:
        parameters = LOSSES.get(name).Parameters.model_validate(given)
    except ValidationError as error:
        raise validation_error(_problems(error)) from error
    sources = code_behind(parameters)
    if _LOADED.is_outdated(sources):
        words = "its code has changed since the server was started: start the server again"
        raise validation_error([(("body", "loss", "name"), words, "loss")])
    _LOADED.add(sources)
    return build_loss(**parameters.model_dump())


def _problems(error: ValidationError) -> list[tuple[tuple[str | int, ...], str, str]]:
    return [
        (("body", "loss", *item["loc"]), item["msg"], item["type"])
        for item in error.errors(include_url=False)
    ]


def surfaces(request: SurfaceRequest) -> SurfaceAnswer:
    """The picture of a surface and walks over it, step by step."""
    loss = loss_of(request.loss, "none")
    default_x, default_y = surface_domain(loss)
    domain = (request.x or default_x, request.y or default_y)
    start = request.start or _off_centre(domain)
    walks = descend(
        loss, torch.tensor([start], dtype=torch.float64), request.walkers, steps=request.steps
    )
    picture = surface_landscape(loss, domain, points=request.points)
    return SurfaceAnswer(
        picture=SurfaceLandscape.model_validate(to_json(picture)),
        start=start,
        walks=[WalkRecord(**_walk_fields(one)) for one in walks],
    )


def three_numbers(request: ThreeNumbersRequest) -> ThreeNumbersAnswer:
    """The whole landscape of sorting three numbers, and walks over it."""
    loss = loss_of(request.loss, "permutation")
    dtype = getattr(torch, request.precision)
    picture = three_numbers_landscape(
        loss, Grid(points=request.points, span=request.span), dtype=dtype
    )
    starts = torch.tensor([request.start], dtype=torch.float64)
    found = three_numbers_descents(loss, starts, request.walkers, steps=request.steps, dtype=dtype)
    walks = [
        ThreeNumbersWalk(
            **_walk_fields(one.descent) | {"path": to_json(one.path[:, 0])},
            outcome=one.outcomes[0],
            arrived=int(one.arrived[0]),
        )
        for one in found
    ]
    return ThreeNumbersAnswer(plane=ThreeNumbersPlane.model_validate(to_json(picture)), walks=walks)


def _off_centre(domain: tuple[Interval, Interval]) -> Point:
    """A quarter of the way from the lower left corner: at the middle slopes often vanish."""
    (left, right), (low, high) = domain
    return left + (right - left) / 4, low + (high - low) / 4


def _walk_fields(one: Descent) -> Any:
    """The fields of the :class:`WalkRecord` of a walk from a single start."""
    fields = {
        "label": one.settings.label,
        "path": one.positions[:, 0],
        "values": one.values[:, 0],
        "gradients": one.gradients[:, 0],
        "gradient_norms": torch.linalg.vector_norm(one.gradients[:, 0].double(), dim=1),
        "curvatures": one.curvatures[:, 0],
        "predicted": one.predicted[:, 0],
        "actual": one.actual[:, 0],
        "trust": one.trust[:, 0],
        "ended": int(one.ended[0]),
        "problem": one.problem,
    }
    return to_json(fields)
