"""What is measured: every metric describes itself, for tables, charts and sentences alike."""

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class MetricDescription:
    """A metric as people read it; whoever shows its values reads all of this here.

    Attributes:
        name: in events, with ``_se`` after it for its standard error.
        title: on axes and in tables.
        unit: unit and meaning in words; of a share, what it is a share of.
        description: one sentence that explains it.
        kind: a share lies in [0, 1] and is shown in per cent, a number as it is.
        better: which way is better; None where neither is.
        scale: of its axis, at first.
        bounds: values that the metric cannot pass, in its own units; None where there is none.
        decimals: digits after the point (of a share, in per cent); None: three significant digits.
        sampled: whether it is a mean over a test set, with a standard error.
        sentence: what an arm with ``{value}`` does, as the rest of a sentence about it.
    """

    name: str
    title: str
    unit: str
    description: str
    kind: Literal["share", "number"] = "number"
    better: Literal["higher", "lower"] | None = None
    scale: Literal["linear", "log"] = "linear"
    bounds: tuple[float | None, float | None] = (None, None)
    decimals: int | None = None
    sampled: bool = False
    sentence: str = "reaches {title} {value}"

    @property
    def worst(self) -> float | None:
        """The worst value that it can take; None where it has no bound, or no better side."""
        low, high = self.bounds
        return {"higher": low, "lower": high, None: None}[self.better]

    def reaches(self, value: float, target: float) -> bool:
        """Whether ``value`` is as good as ``target``; as high, where no side is better."""
        return value <= target if self.better == "lower" else value >= target


VALIDATION = "validation_"
"""Before the name of a metric that is measured on the validation part."""


def on_validation(metric: MetricDescription) -> MetricDescription:
    """The description of a metric as it is measured on the validation part."""
    return replace(
        metric,
        name=f"{VALIDATION}{metric.name}",
        title=f"{metric.title}, validation",
        description=f"{metric.description} On data kept aside to stop and to choose settings by.",
    )


def share_of_test(
    name: str, title: str, unit: str, *, description: str, sentence: str
) -> MetricDescription:
    """A share of a test set: in per cent, with a standard error, and the higher the better."""
    return MetricDescription(
        name,
        title,
        unit,
        description,
        kind="share",
        better="higher",
        bounds=(0.0, 1.0),
        decimals=1,
        sampled=True,
        sentence=sentence,
    )


LOSS = MetricDescription(
    "loss",
    "Loss",
    "the run's own, batch mean",
    "The run's loss, evaluated for every arm: what all of them are compared by.",
    better="lower",
    scale="log",
)
OWN_LOSS = MetricDescription(
    "own_loss",
    "Arm's loss",
    "each arm's own, batch mean",
    "The loss that the arm itself trains; differs from the run's if overridden.",
    better="lower",
    scale="log",
)
NEWTON_LOSS = MetricDescription(
    "newton_loss",
    "Newton loss",
    "half squared distance to z*, batch mean",
    "1/2 of the mean squared distance between outputs and their Newton target z*.",
    better="lower",
    scale="log",
)
OUTPUT_GRADIENT_NORM = MetricDescription(
    "output_gradient_norm",
    "Output gradient",
    "norm, mean over samples",
    "Norm of the loss's gradient with respect to the network's outputs.",
    scale="log",
)
LARGEST_GRADIENT_NORM = MetricDescription(
    "largest_gradient_norm",
    "Largest gradient",
    "norm, largest sample of the batch",
    "Norm of the output gradient of the batch's most extreme sample.",
    scale="log",
)
DIRECTION_NORM = MetricDescription(
    "direction_norm",
    "Direction",
    "norm, mean over samples",
    "Norm of what is sent back into the network in place of the gradient.",
    scale="log",
)
PARAMETER_GRADIENT_NORM = MetricDescription(
    "parameter_gradient_norm",
    "Parameter gradient",
    "norm, all weights",
    "Norm of the gradient that the optimizer sees.",
    scale="log",
)
COSINE = MetricDescription(
    "cosine",
    "Gradient against direction",
    "cosine, 1 is parallel",
    "Cosine between the gradient and the Newton direction sent back in its place.",
    bounds=(-1.0, 1.0),
    decimals=3,
)
TURN = MetricDescription(
    "turn",
    "Turn of the gradient",
    "degrees, 0 is parallel",
    "Angle over the whole batch between the gradient and the direction sent back in its place.",
    bounds=(0.0, 180.0),
    decimals=1,
)
TIKHONOV = MetricDescription(
    "tikhonov",
    "Tikhonov λ",
    "damping in use",
    "What the step's damping is now: as it was set, or as the arm's rule has found it.",
    scale="log",
)
SECONDS = MetricDescription(
    "seconds",
    "Seconds",
    "seconds of the arm's own compute",
    "Time that the arm has computed up to this step.",
    better="lower",
    bounds=(0.0, None),
)

STEP_METRICS = (
    LOSS,
    OWN_LOSS,
    NEWTON_LOSS,
    OUTPUT_GRADIENT_NORM,
    LARGEST_GRADIENT_NORM,
    DIRECTION_NORM,
    PARAMETER_GRADIENT_NORM,
    COSINE,
    TURN,
    TIKHONOV,
    SECONDS,
)
"""What is measured at every logged step; null where it is not finite or there is no curvature."""

METRIC_NAMES = tuple(metric.name for metric in STEP_METRICS)

VANISHING = 1e-6
"""Norm of a sample's output gradient below which nothing is learned from it."""
EXPLODING = 10.0
"""Norm above which one sample outweighs a batch: a mean cross-entropy's own is of order 1."""
SPIKE_FACTOR = 10.0
"""A batch is a spike if its largest gradient is this many times the running median of them."""

VANISHING_SHARE = MetricDescription(
    "vanishing",
    "Vanishing gradients",
    "the batch",
    "Share of samples whose output gradient is smaller than the threshold.",
    kind="share",
    better="lower",
    bounds=(0.0, 1.0),
    decimals=1,
)
EXPLODING_SHARE = MetricDescription(
    "exploding",
    "Exploding gradients",
    "the batch",
    "Share of samples whose output gradient is larger than the threshold, or is not finite.",
    kind="share",
    better="lower",
    bounds=(0.0, 1.0),
    decimals=1,
)
