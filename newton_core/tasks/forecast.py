"""Forecasting: a network reads a stretch of a series and says how it goes on."""

import math
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.algorithms.alignment import hard_alignments
from newton_core.data import AnySeries, DatasetError, EventsParameters
from newton_core.data.series import Series
from newton_core.losses.base import TargetKind
from newton_core.metrics import MetricDescription
from newton_core.models import AnyModel, MlpParameters, build_seeded
from newton_core.records import finite
from newton_core.seeding import generator
from newton_core.settings import setting
from newton_core.tasks.base import (
    Batch,
    Metric,
    SampleOutputs,
    Task,
    TaskParameters,
    json_record,
    register_task,
)
from newton_core.tasks.evaluation import average, inference

TEST_WINDOWS = 300
EXAMPLES = 4

DTW = MetricDescription(
    "dtw",
    "Aligned distance (DTW)",
    "standard deviations of the series, mean over test windows",
    "Root of the sum of squared differences between forecast and truth, after dynamic time warping"
    " has aligned them: an event that comes early or late costs little, one that is missing much.",
    better="lower",
    scale="log",
    bounds=(0.0, None),
    sampled=True,
    sentence="ends {value} from the truth, aligned",
)
MSE = MetricDescription(
    "mse",
    "Squared error",
    "variances of the series, mean over test windows",
    "Mean squared difference between forecast and truth, step by step, without any alignment.",
    better="lower",
    scale="log",
    bounds=(0.0, None),
    sampled=True,
    sentence="has a squared error of {value}",
)
TIME_DISTORTION = MetricDescription(
    "time_distortion",
    "Time distortion",
    "steps, mean over test windows",
    "How many steps a step of the forecast lies from the true one that it is aligned with, averaged"
    " along the alignment.",
    better="lower",
    bounds=(0.0, None),
    sampled=True,
    sentence="is {value} steps off in time",
)


class ForecastParameters(TaskParameters):
    """Forecast a series whose events shift in time."""

    title = "Forecast a series"
    name: Literal["forecast"] = "forecast"
    data: AnySeries = setting(EventsParameters(), "The series.", title="Data")
    history: int = setting(
        48, "Steps of the series that the network sees.", title="History", unit="steps",
        ge=1, le=1024,
    )  # fmt: skip
    horizon: int = setting(
        32, "Steps that the network says, from the next one on.", title="Horizon", unit="steps",
        ge=1, le=512,
    )  # fmt: skip
    model: AnyModel = setting(
        MlpParameters(hidden=(64, 64)),
        "The network, from the seen steps to those that follow.",
        title="Network",
    )

    def check_data(self) -> None:
        """See :class:`~newton_core.tasks.base.TaskParameters`; whether windows fit in, too."""
        super().check_data()
        if self.data.is_quick():
            standardised(self)

    def outputs_per_sample(self) -> SampleOutputs:
        """One value a step of the horizon."""
        return SampleOutputs(self.horizon, ("horizon",))


@json_record
class ForecastExample(TypedDict):
    """One test window: what is seen, how it goes on, and what the network says, a value a step.

    All in standard deviations from the mean of the training part. ``seen`` and ``wanted`` travel in
    an arm's first record alone. ``forecast``, ``alignment`` ([step of the forecast, step of the
    truth] along the best alignment) and ``distance`` are null where the forecast is not finite.
    """

    item: int
    seen: list[float] | None
    wanted: list[float] | None
    forecast: list[float] | None
    alignment: list[tuple[int, int]] | None
    distance: float | None


@register_task
class ForecastTask(Task[ForecastParameters]):
    """Windows of one series in, the steps that follow out.

    The series is standardised by its training part. A training window begins anywhere in that part;
    test windows follow one another without an overlap of what is forecast, at most 300 of them. A
    validation part is the last of the training part. The test part's first windows see the end of
    the part before it, as a forecaster would.
    """

    Parameters: ClassVar[type[TaskParameters]] = ForecastParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (DTW, MSE, TIME_DISTORTION)
    primary_metric: ClassVar[str] = DTW.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"series"})

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        series = standardised(self.parameters)
        self._name, total = series.name, len(series.values)
        self._train_end = total - series.test_steps
        self._values = series.values.float().to(self.device)
        self._test = self._starts(self._train_end, total)
        self._validation: Int[Tensor, " N"] | None = None
        shown = min(EXAMPLES, len(self._test))
        self._shown = self._test[torch.linspace(0, len(self._test) - 1, shown).long()]

    def _starts(self, first: int, end: int) -> Int[Tensor, " N"]:
        """Where windows begin whose horizons follow one another from ``first`` to ``end``."""
        p = self.parameters
        count = min(TEST_WINDOWS, (end - first) // p.horizon)
        return first - p.history + p.horizon * torch.arange(count)

    def hold_out(self, share: float) -> None:
        """Keeps the last share of the training part, at least one window's horizon.

        Raises:
            DatasetError: no whole window is left to train on.
        """
        if share <= 0:
            return
        p, end = self.parameters, self._train_end
        begin = end - max(round(share * end), p.horizon)
        _check_steps(p, self._name, "training", begin, p.history + p.horizon)
        self._validation, self._train_end = self._starts(begin, end), begin

    def build_model(self) -> nn.Module:
        """A network (N, 1, 1, history) -> (N, horizon)."""
        p = self.parameters
        return build_seeded(p.model, (1, p.history), p.horizon, self.seed).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` windows: (size, 1, 1, history), and (size, horizon) as the target."""
        p = self.parameters
        places = self._train_end - p.history - p.horizon + 1
        random = generator(self.seed, "batch", step)
        seen, following = self._windows(torch.randint(places, (size,), generator=random))
        return Batch(inputs=seen[:, None, None], target=following)

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """``dtw``, ``mse`` and ``time_distortion``; infinite where a forecast is not finite."""
        return self._measure(model, self._test)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on the validation part."""
        return {} if self._validation is None else self._measure(model, self._validation)

    def _measure(self, model: nn.Module, starts: Int[Tensor, " N"]) -> dict[str, Metric]:
        forecast, true = self._forecast(model, starts)
        known = torch.isfinite(forecast).all(1)
        costs, paths = hard_alignments(torch.where(known[:, None], forecast, 0.0), true)
        apart = torch.tensor([abs(path[:, 0] - path[:, 1]).mean() for path in paths])
        squared = (forecast - true).square().mean(1)
        return {
            metric.name: average(torch.where(known, values.double(), math.inf))
            for metric, values in zip(self.metrics, (costs.sqrt(), squared, apart), strict=True)
        }

    def examples(self, model: nn.Module, *, images: bool) -> list[ForecastExample]:
        """Four test windows, spread evenly over the test part."""
        seen, _ = self._windows(self._shown)
        forecast, true = self._forecast(model, self._shown)
        known = torch.isfinite(forecast).all(1)
        costs, paths = hard_alignments(torch.where(known[:, None], forecast, 0.0), true)
        return [
            ForecastExample(
                item=i,
                seen=_rounded(seen[i]) if images else None,
                wanted=_rounded(true[i]) if images else None,
                forecast=_rounded(forecast[i]) if known[i] else None,
                alignment=[(int(a), int(b)) for a, b in paths[i]] if known[i] else None,
                distance=finite(float(costs[i].sqrt())) if known[i] else None,
            )
            for i in range(len(self._shown))
        ]

    def _windows(
        self, starts: Int[Tensor, " N"]
    ) -> tuple[Float[Tensor, "N h"], Float[Tensor, "N k"]]:
        """What is seen and what follows."""
        p = self.parameters
        steps = torch.arange(p.history + p.horizon)
        places = (starts[:, None] + steps).to(self.device)
        whole = self._values[places]
        return whole[:, : p.history], whole[:, p.history :]

    def _forecast(
        self, model: nn.Module, starts: Int[Tensor, " N"]
    ) -> tuple[Float[Tensor, "N k"], Float[Tensor, "N k"]]:
        """What the network says and the truth, on the CPU."""
        seen, true = self._windows(starts)
        with inference(model):
            said: Tensor = model(seen[:, None, None])
        return said.cpu(), true.cpu()


def standardised(parameters: ForecastParameters) -> Series:
    """The series, in standard deviations from the mean of its training part.

    Raises:
        DatasetError: it is missing or damaged, too short for a window, or its training part has no
            spread.
    """
    series = parameters.data.load()
    end = len(series.values) - series.test_steps
    _check_steps(parameters, series.name, "training", end, parameters.history + parameters.horizon)
    _check_steps(parameters, series.name, "test", series.test_steps, parameters.horizon)
    training = series.values[:end]
    spread = float(training.std(correction=0))
    if not math.isfinite(spread):
        raise DatasetError(
            f"{series.name}: values up to {float(training.abs().max()):.3g} are too large to be"
            " squared: give the series in larger units"
        )
    if spread == 0:
        raise DatasetError(
            f"{series.name}: the training part, its first {end:,} steps, is constant: there is"
            " nothing to learn from it"
        )
    return replace(series, values=(series.values - training.mean()) / spread)


def _check_steps(p: ForecastParameters, name: str, part: str, found: int, needed: int) -> None:
    if found < needed:
        raise DatasetError(
            f"{name}: the {part} part has {found:,} steps, too few for a history of {p.history} and"
            f" a horizon of {p.horizon}: it needs at least {needed:,}"
        )


def _rounded(series: Float[Tensor, " T"]) -> list[float]:
    """Three decimals are enough for a picture."""
    return [round(value, 3) for value in series.tolist()]
