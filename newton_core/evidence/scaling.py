"""What curvature costs as networks, outputs and batches grow: a whole step beside the plain one.

The paper leaves open how its overhead grows. Here one size grows at a time around a middle point,
and a step is forward, loss, backward and Adam, as somebody writes it who takes the losses alone.
"""

import copy
import itertools
import math
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature import Curvature
from newton_core.evidence.computing import CellsStoppedError
from newton_core.evidence.measures import RELATIVE_SECONDS
from newton_core.evidence.results import RowResult, arm_results, metric_record
from newton_core.experiment.comparison import compare
from newton_core.experiment.events import ArmSummary, Summary
from newton_core.losses import build_loss
from newton_core.models.mlp import MlpParameters
from newton_core.newton import NewtonLoss
from newton_core.seeding import generator

LIMIT_BYTES = 8e9
"""What would need more memory is named and not run."""
CURVATURES: dict[str, Curvature] = {"Vanilla": "none", "Hessian": "hessian", "Fisher": "fisher"}
"""The arms, by what they are called."""
Axis = Literal["middle", "weights", "outputs", "batch"]

_SIDE = 8
"""The networks look at pictures of 8 x 8 pixels."""
_TIKHONOV = 1.0
_FLOAT = 4


@dataclass(frozen=True)
class MeasuredLoss:
    """A loss that is measured, and what its Hessian needs.

    Attributes:
        title: what people read.
        parameters: of the loss.
        target: (batch, outputs, generator) -> what it compares outputs with.
        cubes: peak memory of its Hessian step, in tensors (N, m, m, m) of single precision.
        squares: likewise in tensors (N, m, m). Both are the growth of a process's peak memory in
            one step, at m = 64 to 1,024.
    """

    title: str
    parameters: dict[str, Any]
    target: Callable[[int, int, torch.Generator], Tensor]
    cubes: float
    squares: float


def _permutations(batch: int, outputs: int, draw: torch.Generator) -> Tensor:
    return permutation_matrix(torch.rand(batch, outputs, generator=draw))


def _classes(batch: int, outputs: int, draw: torch.Generator) -> Tensor:
    return torch.randint(outputs, (batch,), generator=draw)


def _ranks(batch: int, outputs: int, draw: torch.Generator) -> Tensor:
    return torch.rand(batch, outputs, generator=draw).argsort(1).float()


LOSSES = (
    MeasuredLoss("Cross-entropy", {"name": "cross_entropy"}, _classes, 0.0, 3.1),
    MeasuredLoss("NeuralSort", {"name": "neuralsort"}, _permutations, 2.4, 16.0),
    MeasuredLoss(
        "Fenchel-Young ranking, 10 samples",
        {"name": "perturbed_fy", "oracle": "ranking", "sigma": 1.0, "samples": 10},
        _ranks, 0.0, 3.0,
    ),
)  # fmt: skip
"""A cheap Hessian in closed form, a dear one, and one that is estimated from samples."""


@dataclass(frozen=True)
class Point:
    """One size of everything.

    Attributes:
        loss: what is measured.
        axis: what was changed from the middle point.
        weights: of the network, nearly.
        outputs: m.
        batch: N.
    """

    loss: MeasuredLoss
    axis: Axis
    weights: int
    outputs: int
    batch: int

    @property
    def title(self) -> str:
        """E.g. "NeuralSort, 5 outputs"."""
        words = {
            "middle": "middle",
            "weights": f"{self.weights:,} weights",
            "outputs": f"{self.outputs:,} outputs",
            "batch": f"batch of {self.batch:,}",
        }
        return f"{self.loss.title}: {words[self.axis]}"

    @property
    def hidden(self) -> int:
        """Width h of two hidden layers, such that there are about so many weights."""
        linear = _SIDE**2 + self.outputs + 2
        return max(1, math.floor((math.sqrt(linear**2 + 4 * self.weights) - linear) / 2))

    @property
    def peak_bytes(self) -> float:
        """About the most memory that measuring needs, all arms' networks together."""
        # weights, gradients and Adam's two moments of each arm; activations and their gradients
        network = len(CURVATURES) * 4 * self.weights * _FLOAT
        activations = 8 * self.batch * (self.hidden + self.outputs) * _FLOAT
        squares = self.batch * self.outputs**2 * _FLOAT
        curvature = (self.loss.cubes * self.outputs + self.loss.squares) * squares
        return network + activations + curvature

    @property
    def record(self) -> dict[str, object]:
        """The sizes as JSON."""
        return {
            "loss": self.loss.parameters,
            "title": self.loss.title,
            "axis": self.axis,
            "weights": self.weights,
            "outputs": self.outputs,
            "batch": self.batch,
            "hidden": [self.hidden, self.hidden],
        }


@dataclass(frozen=True)
class Sizes:
    """What is measured: one size grows at a time, the others stay in the middle.

    Attributes:
        weights, outputs, batches: in rising order; the middle one is that of the middle point.
        middle: (weights, outputs, batch).
        repeats: how often each point starts anew, from other weights, inputs and targets.
        rounds: the fewest in which all arms take a step each, in every repeat.
        seconds: a point gets more rounds until it has taken about so long.
    """

    weights: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    outputs: tuple[int, ...] = (5, 16, 32, 128, 512, 1024)
    batches: tuple[int, ...] = (16, 64, 256, 1024, 4096)
    middle: tuple[int, int, int] = (1_000_000, 32, 64)
    repeats: int = 7
    rounds: int = 2
    seconds: float = 3.0

    def points(self) -> list[Point]:
        """Loss by loss: the middle point, then what differs from it in one size."""
        found = []
        for loss in LOSSES:
            middle = Point(loss, "middle", *self.middle)
            others = itertools.chain(
                (replace(middle, axis="weights", weights=size) for size in self.weights),
                (replace(middle, axis="outputs", outputs=size) for size in self.outputs),
                (replace(middle, axis="batch", batch=size) for size in self.batches),
            )
            own = [p for p in others if (p.weights, p.outputs, p.batch) != self.middle]
            found += [middle, *own]
        return found


QUICK = Sizes(
    weights=(10_000,),
    outputs=(5, 1024),
    batches=(32,),
    middle=(20_000, 8, 16),
    repeats=2,
    seconds=0.0,
)
"""Seconds, to see that all of it runs."""


@dataclass
class Scaling:
    """Measures points one after the other, on the threads that torch has.

    Attributes:
        sizes: what to measure.
        device: where tensors live.
        stop: ends it between steps.
        left_out: points that need too much memory, once their turn has come.
    """

    sizes: Sizes
    device: str = "cpu"
    stop: threading.Event | None = None
    left_out: list[Point] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[Point, RowResult | None]]:
        """Every point with what was measured; None where it needs too much memory.

        Raises:
            CellsStoppedError: ``stop`` was set.
        """
        for point in self.sizes.points():
            if point.peak_bytes > LIMIT_BYTES:
                self.left_out.append(point)
                yield point, None
            else:
                yield point, self._row(point)

    def _row(self, point: Point) -> RowResult:
        began = time.monotonic()
        plain: list[float] = []
        rounds: list[int] = []
        summaries = []
        for repeat in range(self.sizes.repeats):
            taken = self._repeat(point, repeat)
            plain += taken["Vanilla"]
            rounds.append(len(taken["Vanilla"]))
            summaries.append(_summary(taken))
        return RowResult(
            title=point.title,
            metric=metric_record(RELATIVE_SECONDS),
            arms=arm_results(compare(summaries, RELATIVE_SECONDS), {}),
            seeds=list(range(self.sizes.repeats)),
            note=f"A plain step takes {1000 * statistics.median(plain):.3g} ms. Each repeat is the"
            f" median of {min(rounds):,} or more rounds; about {point.peak_bytes / 1e6:,.0f} MB.",
            specs=[{**point.record, "plain_seconds": statistics.median(plain)}],
            minutes=(time.monotonic() - began) / 60,
        )

    def _repeat(self, point: Point, repeat: int) -> dict[str, list[float]]:
        """Seconds of every arm's steps; the arms take turns, in random order."""
        steps = _steps(point, self.device, repeat)
        names, shuffled = list(steps), random.Random(repeat)
        taken: dict[str, list[float]] = {name: [] for name in names}
        for name in names:  # allocators and caches warm up
            steps[name]()
        ends = time.monotonic() + self.sizes.seconds / self.sizes.repeats
        while len(taken[names[0]]) < self.sizes.rounds or time.monotonic() < ends:
            if self.stop is not None and self.stop.is_set():
                raise CellsStoppedError(f"stopped at {point.title}")
            for name in shuffled.sample(names, len(names)):
                began = self._now()
                steps[name]()
                taken[name].append(self._now() - began)
        return taken

    def _now(self) -> float:
        """A clock that other programs do not drive: this thread's own, where the CPU computes."""
        if self.device == "cpu" and torch.get_num_threads() == 1:
            return time.thread_time()
        if torch.device(self.device).type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def _steps(point: Point, device: str, repeat: int) -> dict[str, Callable[[], None]]:
    """One training step of each arm, all from the same weights on the same batch."""
    draw = generator(repeat, "scale", point.title)
    inputs = torch.randn(point.batch, 1, _SIDE, _SIDE, generator=draw).to(device)
    target = point.loss.target(point.batch, point.outputs, draw).to(device)
    parameters = MlpParameters(hidden=(point.hidden, point.hidden))
    network = parameters.build(_SIDE, _SIDE, point.outputs).to(device)
    return {
        label: _step(point, curvature, copy.deepcopy(network), inputs, target)
        for label, curvature in CURVATURES.items()
    }


def _step(
    point: Point, curvature: Curvature, network: nn.Module, inputs: Tensor, target: Tensor
) -> Callable[[], None]:
    base = build_loss(**point.loss.parameters)
    newton = NewtonLoss(base, curvature=curvature, tikhonov=_TIKHONOV)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        y = network(inputs)
        value = base(y, target).mean() if curvature == "none" else newton(y, target)
        value.backward()
        optimizer.step()

    return step


def _summary(taken: dict[str, list[float]]) -> Summary:
    """A repeat: each arm's median ratio to the plain step of the same round."""
    plain = taken["Vanilla"]
    arms = [
        ArmSummary(
            label=label,
            status="completed",
            step=len(seconds),
            metrics={
                RELATIVE_SECONDS.name: statistics.median(
                    one / base for one, base in zip(seconds, plain, strict=True)
                )
            },
            seconds=sum(seconds),
        )
        for label, seconds in taken.items()
    ]
    return Summary(
        arms=arms,
        step=len(plain),
        seconds=sum(arm.seconds for arm in arms),
        primary_metric=RELATIVE_SECONDS.name,
    )


def left_out_words(points: Sequence[Point]) -> str:
    """What was not run and how much it needs, as a sentence; empty where all was."""
    if not points:
        return ""
    named = "; ".join(f"{p.title}, about {p.peak_bytes / 1e9:,.0f} GB" for p in points)
    return f"Not run, because more than {LIMIT_BYTES / 1e9:.0f} GB would be needed: {named}."
