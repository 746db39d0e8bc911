"""The paths behind a smoothed loss of shortest paths: what its noise samples lead to."""

from typing import Annotated

import torch
from fastapi import APIRouter
from pydantic import Field, model_validator

from app.errors import validation_error
from app.pictures.answers import PerturbedPathsAnswer
from app.routes.common import PICTURE, PICTURE_RESPONSES
from app.runs.limits import MOST_NOISE_SAMPLES
from newton_core.algorithms.perturbed_paths import perturbed_routes
from newton_core.seeding import generator
from newton_core.settings import Settings, setting

router = APIRouter(tags=["landscapes"])

MOST_TILES = 64

Cost = Annotated[float, Field(le=1e30)]
Row = Annotated[list[Cost], Field(min_length=1, max_length=MOST_TILES)]


class PerturbedPathsRequest(Settings):
    """One map's costs and the noise on them."""

    costs: list[Row] = setting(
        ..., "Costs of the tiles, row by row: positive.", title="Costs",
        min_length=1, max_length=MOST_TILES,
    )  # fmt: skip
    sigma: float = setting(
        0.5, "Standard deviation of the noise, in units of the costs.", title="Noise σ", gt=0.0,
        le=1e3,
    )  # fmt: skip
    samples: int = setting(
        10, "Noise samples: paths to find.", title="Samples", unit="samples", ge=1,
        le=MOST_NOISE_SAMPLES,
    )  # fmt: skip
    antithetic: bool = setting(
        False, "Whether half of the noise is the mirror image of the other half.",
        title="Antithetic sampling",
    )  # fmt: skip
    seed: int = setting(0, "Seeds the noise.", title="Seed", ge=0, lt=2**31)

    @model_validator(mode="after")
    def _is_a_grid(self) -> "PerturbedPathsRequest":
        width = len(self.costs[0])
        for i, row in enumerate(self.costs):
            if len(row) != width:
                raise ValueError(f"costs.{i}: {len(row)} tiles, but the first row has {width}")
        return self


@router.post("/api/perturbed-paths", dependencies=[PICTURE], responses=PICTURE_RESPONSES)
def perturbed(request: PerturbedPathsRequest) -> PerturbedPathsAnswer:
    """The cheapest path of each noise sample on a map's costs, from top-left to bottom-right.

    The same request has the same answer; the noise is none that a run drew.
    """
    try:
        paths = perturbed_routes(
            torch.tensor(request.costs, dtype=torch.float64),
            sigma=request.sigma,
            samples=request.samples,
            generator=generator(request.seed, "perturbed paths"),
            antithetic=request.antithetic,
        )
    except ValueError as error:
        raise validation_error([(("body", "costs"), str(error), "costs")]) from error
    return PerturbedPathsAnswer.model_validate({"paths": paths})
