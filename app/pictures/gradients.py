"""The gradient of a sorting loss over one score, the others fixed (the paper's Figure 6)."""

from typing import Annotated

import torch
from pydantic import Field, model_validator

from app.errors import validation_error
from app.pictures.answers import GradientsAnswer
from app.pictures.surfaces import AnyLoss, Coordinate, loss_of
from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature.surrogate import NewtonSettings
from newton_core.landscape.gradient_field import gradient_field, numerics_field
from newton_core.metrics import EXPLODING, VANISHING
from newton_core.records import to_json
from newton_core.settings import Settings, setting

MOST_ITEMS = 64
MOST_SAMPLES = 64
MOST_ENTRIES = 2_000_000
"""Points of the sweep times the square of the scores: the largest tensor of an answer."""

Scores = Annotated[list[Coordinate], Field(min_length=2, max_length=MOST_ITEMS)]


class GradientsRequest(Settings):
    """A sweep of one score of one sample."""

    loss: AnyLoss = setting({"name": "neuralsort"}, "A sorting loss.", title="Loss")
    scores: list[Scores] = setting(
        ..., "Scores of a batch: one list for each sample, all of one length.",
        title="Scores", min_length=1, max_length=MOST_SAMPLES,
    )  # fmt: skip
    order: list[Scores] | None = setting(
        None, "Numbers that the true order of each sample is read from; empty means 1, 2, 3, ...",
        title="True order", max_length=MOST_SAMPLES,
    )  # fmt: skip
    sample: int = setting(0, "Which sample's score moves.", title="Sample", ge=0)
    item: int = setting(0, "Which of its scores moves; x_1 is 0.", title="Score", ge=0)
    low: Coordinate = setting(-10.0, "Where the sweep begins.", title="From")
    high: Coordinate = setting(10.0, "Where it ends.", title="To")
    points: int = setting(401, "Points of the sweep.", title="Points", ge=11, le=1001)
    steps: list[NewtonSettings] = setting(
        [NewtonSettings(), NewtonSettings(curvature="fisher")],
        "The Newton directions beside the raw gradient.", title="Newton steps", max_length=4,
    )  # fmt: skip
    vanishing: float = setting(
        VANISHING, "Norm below which a gradient counts as vanished.",
        title="Vanishing below", scale="log", ge=0, le=1e9,
    )  # fmt: skip
    exploding: float = setting(
        EXPLODING, "Norm above which a gradient counts as exploding.",
        title="Exploding above", scale="log", gt=0, le=1e30,
    )  # fmt: skip

    @model_validator(mode="after")
    def _fits(self) -> "GradientsRequest":
        n = len(self.scores[0])
        if any(len(row) != n for row in self.scores):
            raise ValueError(f"scores: all samples need as many scores as the first, {n}")
        if self.order is not None and [len(row) for row in self.order] != [n] * len(self.scores):
            raise ValueError(f"order: needs {len(self.scores)} lists of {n} numbers, as scores has")
        if self.sample >= len(self.scores):
            raise ValueError(f"sample: there are {len(self.scores)} samples, numbered from 0")
        if self.item >= n:
            raise ValueError(f"item: there are {n} scores, numbered from 0")
        if not self.low < self.high:
            raise ValueError("high: the range is empty: it must be more than low")
        if not self.vanishing < self.exploding:
            raise ValueError("exploding: must be more than vanishing")
        if self.points * n**2 > MOST_ENTRIES:
            raise ValueError(f"points: at most {MOST_ENTRIES // n**2} with {n} scores")
        return self


def gradients(request: GradientsRequest) -> GradientsAnswer:
    """The gradient and the Newton directions of one score, over a range of it.

    The first curve is the raw gradient, the others are of one Newton step each.
    """
    loss = loss_of(request.loss, "permutation")
    y = torch.tensor(request.scores)
    order = request.order or [list(range(y.shape[1]))] * len(y)
    target = permutation_matrix(torch.tensor(order, dtype=torch.float64)).to(y)
    sweep = torch.linspace(request.low, request.high, request.points)
    health = {"vanishing": request.vanishing, "exploding": request.exploding}
    try:
        field = gradient_field(
            loss, y, target, sweep,
            sample=request.sample, item=request.item, settings=request.steps, **health,
        )  # fmt: skip
        numerics = None
        if "numerics" in type(loss.settings).model_fields:
            numerics = numerics_field(
                loss, y[request.sample], target[request.sample], sweep, item=request.item, **health
            )
    except ValueError as error:
        raise validation_error([(("body", "loss"), str(error), "loss")]) from error
    return GradientsAnswer.model_validate(to_json({"field": field, "numerics": numerics}))
