"""What a protocol is: rows of arms to run, and what the paper says of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Record = dict[str, Any]
"""JSON of a spec, or of a part of one."""

ScaleName = Literal["tiny", "small", "mnist", "paper"]
SCALES: Final[tuple[ScaleName, ...]] = ("tiny", "small", "mnist", "paper")

VANILLA: Final = "Vanilla"
HESSIAN: Final = "Hessian"
FISHER: Final = "Fisher"


@dataclass(frozen=True)
class Published:
    """A number of the paper: a mean over its ten seeds, and their standard deviation if known."""

    mean: float
    sd: float | None = None


PAPER_SEEDS: Final = 10


@dataclass(frozen=True)
class Row:
    """One row of a table: arms on the same seeds, the first of all is the baseline.

    Attributes:
        title: what the row stands for.
        specs: JSON of specs that differ in their arms alone: a run has at most six. Their arms
            stand side by side in the row.
        paper: the paper's numbers by the arm's label, in the metric's units; most are not known.
        metric: what is compared: one of the task's, or of :mod:`newton_core.evidence.measures`;
            empty is the task's primary one.
        note: what a reader must know beside the numbers.
        milliseconds: about what one update of one arm takes on one core, for estimates.
    """

    title: str
    specs: tuple[Record, ...]
    paper: Mapping[str, Published] = field(default_factory=dict)
    metric: str = ""
    note: str = ""
    milliseconds: float = 1.0


@dataclass(frozen=True)
class GradientRow:
    """A row without training: the largest gradient of one score that moves over a range.

    The batch's scores are drawn from N(0, spread), anew for every seed; the first score of the
    first set moves.

    Attributes:
        title: what the row stands for.
        loss: JSON of a sorting loss.
        n: numbers in a set.
        sets: sets in the batch, whose mean the curvature is.
        spread: standard deviation of the scores.
        reach: the score moves from ``-reach`` to ``reach``.
        points: values that it takes.
        tikhonov: strength of both curvatures.
        note: what a reader must know beside the numbers.
        milliseconds: about what one seed takes.
    """

    title: str
    loss: Record
    n: int
    sets: int
    spread: float
    reach: float
    points: int
    tikhonov: float
    note: str = ""
    milliseconds: float = 1000.0


@dataclass(frozen=True)
class Budget:
    """What each arm may try before it reports, the same for all.

    Attributes:
        points: settings that an arm is tried at.
        seeds: seeds that each is tried on, from 10,000 on.
        steps: updates of a try; None is as many as the row's own.
    """

    points: int
    seeds: int
    steps: int | None = None


@dataclass(frozen=True)
class Plan:
    """A protocol at one scale.

    Attributes:
        rows: what is run.
        seeds: report seeds, from 0 on.
        budget: for tuning; None where arms run as they are.
        note: what differs from the paper.
    """

    rows: tuple[Row, ...] | tuple[GradientRow, ...]
    seeds: int
    budget: Budget | None = None
    note: str = ""


@dataclass(frozen=True)
class Protocol:
    """A table or figure that ``newton-lab reproduce`` computes.

    Attributes:
        name: how it is called on the command line.
        title: what it shows.
        source: where it is in the paper, or that it is ours.
        plans: the plan of each scale that it has.
    """

    name: str
    title: str
    source: str
    plans: Mapping[ScaleName, Callable[[], Plan]]


def arm(label: str, **settings: object) -> Record:
    """JSON of an arm."""
    return {"label": label, **settings}


def published_arms(hessian: float, fisher: float, **settings: object) -> list[Record]:
    """The paper's three: vanilla, and both curvatures as they are (raw).

    Args:
        hessian: Tikhonov strength of the Hessian arm.
        fisher: that of the Fisher arm.
        settings: of all arms.
    """
    return [
        arm(VANILLA, **settings),
        arm(HESSIAN, curvature="hessian", tikhonov=hessian, **settings),
        arm(FISHER, curvature="fisher", tikhonov=fisher, **settings),
    ]


def spec(task: Record, loss: Record, arms: list[Record], steps: int, batch_size: int) -> Record:
    """JSON of a spec that evaluates at its end alone, because only that is compared."""
    return {
        "task": task,
        "loss": loss,
        "arms": arms,
        "steps": steps,
        "batch_size": batch_size,
        "log_every": steps,
        "evaluate_every": steps,
    }
