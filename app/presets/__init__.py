"""The presets: JSON files beside this one, each a spec with a story and what to expect."""

import functools
import json
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from newton_core.registry import did_you_mean


class Difference(BaseModel):
    """Measured mean difference of an arm to the first arm, with its 95 % interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    arm: str
    mean: float
    low: float
    high: float


class Expectation(BaseModel):
    """What a preset shows, as measured over seeds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sentence: str = Field(description="what to expect, in words")
    metric: str = Field(description="the metric that the differences are in, as a share")
    better: Literal["higher", "lower"] | None = Field(
        "higher", description="which values of the metric are better"
    )
    baseline: str = Field(description="label of the arm that the others are compared with")
    values: dict[str, float] = Field(description="mean of the metric at the end, by arm")
    diverged: dict[str, int] = Field(
        {}, description="in how many seeds an arm diverged, which counts as the worst value"
    )
    differences: list[Difference]
    seeds: int = Field(ge=0, description="0: nobody has run it to its end; the rest is empty")
    seconds: float = Field(
        description="of one run on two cores, start-up apart; of the whole, estimated from a few"
        " steps, where there are no seeds"
    )
    command: str = Field(description="measures all this again")


class Preset(BaseModel):
    """A spec with a story."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: int = Field(description="place in the list; the lowest is the default")
    name: str
    title: str
    story: str = Field(description="what to watch for and why")
    pace: Literal["quick", "long", "hours"] = Field(
        description="long ones are best computed ahead; those of hours only where they are named"
    )
    expect: Expectation
    spec: dict[str, Any]


class UnknownPresetError(ValueError):
    """No preset has this name; the message lists the known ones."""


@functools.cache
def load_presets() -> tuple[Preset, ...]:
    """All presets, the default first."""
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".json")]
    presets = [Preset.model_validate(json.loads(file.read_text("utf-8"))) for file in files]
    return tuple(sorted(presets, key=lambda preset: preset.order))


def get_preset(name: str) -> Preset:
    """The preset called ``name``.

    Raises:
        UnknownPresetError: there is none; the message lists the known ones.
    """
    for preset in load_presets():
        if preset.name == name:
            return preset
    names = [preset.name for preset in load_presets()]
    hint = did_you_mean(name, names)
    raise UnknownPresetError(f"unknown preset {name!r}; known: {', '.join(names)}{hint}")
