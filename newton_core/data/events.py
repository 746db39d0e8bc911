"""A generated series of events whose times shift: regimes change what comes, and how often."""

from functools import lru_cache
from typing import Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from newton_core.data.base import DatasetStatus
from newton_core.data.series import Series, SeriesDataParameters
from newton_core.seeding import generator
from newton_core.settings import setting

LONGEST = 48
"""Steps from an event's time until nothing is left of it."""
EVENTS_A_REGIME = (6, 12)
"""Fewest and most events until the regime changes."""
TEST_SHARE = 0.2


class EventsParameters(SeriesDataParameters):
    """Events in three regimes, at times that shift."""

    title = "Generated events"
    name: Literal["events"] = "events"
    steps: int = setting(
        20_000, "Length of the series; its last fifth is the test part.", title="Length",
        unit="steps", scale="log", ge=1000, le=200_000,
    )  # fmt: skip
    shift: float = setting(
        0.3, "How far the time from one event to the next strays from its regime's own, as a share"
        " of it.",
        title="Shift of events", ge=0.0, le=0.5,
    )  # fmt: skip
    noise: float = setting(
        0.05, "Standard deviation of the noise on each value; events are 1 to 2 high.",
        title="Noise", ge=0.0, le=1.0,
    )  # fmt: skip
    series_seed: int = setting(
        0, "Seeds the series itself; the same for every seed of a run.", title="Series seed",
        ge=0, lt=2**31,
    )  # fmt: skip

    def load(self) -> Series:
        """The series, a pure function of the parameters."""
        return _generated(self)

    @classmethod
    def status(cls) -> list[DatasetStatus]:
        """Always there."""
        return [DatasetStatus("events", True, "a series of events, made here from a seed")]


def shapes() -> tuple[tuple[int, Float64[Tensor, " s"]], ...]:
    """Of each regime: steps from one event to the next, and what an event looks like."""
    time = torch.arange(LONGEST, dtype=torch.float64)

    def pulse(height: float, width: float) -> Float64[Tensor, " s"]:
        return height * torch.exp(-((time - 3 * width) ** 2) / (2 * width**2))

    decay = 2.0 * torch.exp(-time / 5)
    return (14, pulse(1.0, 1.5)), (26, decay), (20, pulse(-1.5, 3.0))


@lru_cache(maxsize=4)
def _generated(parameters: EventsParameters) -> Series:
    random = generator(parameters.series_seed, "events")
    steps, forms = parameters.steps, shapes()
    values = torch.zeros(steps + LONGEST, dtype=torch.float64)

    def uniform() -> float:
        return float(torch.rand((), generator=random))

    fewest, most = EVENTS_A_REGIME
    regime, left, at = 0, fewest, 0.0
    while at < steps:
        gap, form = forms[regime]
        start = round(at)
        values[start : start + LONGEST] += form[: len(values) - start]
        left -= 1
        if left == 0:
            regime = (regime + (1 if uniform() < 0.5 else 2)) % len(forms)
            left = fewest + int(uniform() * (most - fewest + 1))
        at += gap * (1 + parameters.shift * (2 * uniform() - 1))
    noise = torch.randn(steps, generator=random, dtype=torch.float64)
    values = values[:steps] + parameters.noise * noise
    return Series(values, round(TEST_SHARE * steps), "the generated series")
