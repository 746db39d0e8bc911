"""Seeing discs: a network looks at a noisy picture and says centres and radii."""

import math
from itertools import permutations
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.losses.base import Loss, TargetKind
from newton_core.losses.soft_disc import SoftDisc
from newton_core.metrics import MetricDescription, share_of_test
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
from newton_core.tasks.evaluation import inference, median, share
from newton_core.tasks.images import grey, png_data_url

TEST_PICTURES = 500
EXAMPLES = 8
CLOSE = 0.1
"""Distance of centre and radius, in halves of a side, below which a disc counts as found."""
CANDIDATES = 16
"""Places that are tried for a disc until it is clear of those before it."""

Disc = tuple[float, float, float]

FOUND = share_of_test(
    "discs_found",
    "Discs found",
    "test pictures",
    description="Share of test pictures of which every disc is found: centre and radius together"
    f" within {CLOSE} of half the picture's side, in the order of the discs that fits best.",
    sentence="finds the discs of {value} of the pictures",
)
ERROR = MetricDescription(
    "disc_error",
    "Disc error",
    "halves of the picture's side, median test picture",
    "Distance of the discs to the true ones, of centre and radius together, the mean over the discs"
    " of a picture in the order that fits best; the median over the test pictures.",
    better="lower",
    scale="log",
    bounds=(0.0, None),
    sampled=True,
    sentence="misses the discs of the median picture by {value}",
)


class DiscsTaskParameters(TaskParameters):
    """See discs in a noisy picture."""

    title = "See discs"
    name: Literal["discs"] = "discs"
    discs: int = setting(1, "Discs in each picture.", title="Discs", ge=1, le=3)
    smallest: float = setting(
        0.2, "Least radius of a disc.", title="Least radius", unit="halves of the picture's side",
        gt=0.0, le=1.0,
    )  # fmt: skip
    largest: float = setting(
        0.5, "Greatest radius of a disc.", title="Greatest radius",
        unit="halves of the picture's side", gt=0.0, le=10.0,
    )  # fmt: skip
    noise: float = setting(
        0.1, "Standard deviation of the noise on what is seen, where white is 1.",
        title="Noise", ge=0.0, le=1.0,
    )  # fmt: skip
    model: AnyModel = setting(
        MlpParameters(hidden=(64, 64)),
        "The network, from what is seen to centre and radius of each disc.",
        title="Network",
    )

    @model_validator(mode="after")
    def _fits_in_the_picture(self) -> "DiscsTaskParameters":
        if self.largest >= 1:
            raise ValueError(
                f"a disc of radius {self.largest:g} reaches outside the picture, whose border is 1"
                " from its centre: choose a greatest radius below 1"
            )
        if self.smallest > self.largest:
            raise ValueError(
                f"the least radius {self.smallest:g} is above the greatest, {self.largest:g}"
            )
        return self

    def outputs_per_sample(self) -> SampleOutputs:
        """Centre and radius of each disc."""
        return SampleOutputs(3 * self.discs, ("discs",))


@json_record
class DiscsExample(TypedDict):
    """One test picture: what is seen, the true discs and those that the network says, [x, y, r].

    ``seen``, a PNG in a ``data:`` URL, and ``wanted`` travel in an arm's first record alone.
    ``drawn`` is null where it is not finite, and so is ``error``, the mean distance of its discs
    to the true ones in the order that fits best. ``found``: each of them is close.
    """

    item: int
    seen: str | None
    wanted: list[Disc] | None
    drawn: list[Disc] | None
    error: float | None
    found: bool


@register_task
class DiscsTask(Task[DiscsTaskParameters]):
    """Noisy pictures in, discs out; the run's loss draws them and compares the pictures.

    True discs lie inside the picture and, where there is room, clear of one another. What is seen
    is drawn by the loss, with noise that depends on the seed and the step alone. The true discs
    enter the metrics, never the loss: as the picture does not say which disc is the first, the
    metrics take the order of the true discs that fits best.
    """

    Parameters: ClassVar[type[TaskParameters]] = DiscsTaskParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (FOUND, ERROR)
    primary_metric: ClassVar[str] = FOUND.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"drawing"})
    _renderer: SoftDisc | None = None
    _holds_out = False

    def hold_out(self, share: float) -> None:
        """Draws a validation part if one is wanted; training draws new discs, and loses none."""
        self._holds_out = share > 0

    def use_loss(self, loss: Loss) -> None:
        """Keeps the renderer, which draws what is seen.

        Raises:
            ValueError: the loss draws no discs.
        """
        if not isinstance(loss, SoftDisc):
            raise ValueError(
                f"the task discs needs a loss that draws them, soft_disc; got {type(loss).__name__}"
            )
        self._renderer = loss

    def build_model(self) -> nn.Module:
        """A network (N, 1, h, h) -> (N, K, 3)."""
        p, side = self.parameters, self._drawing.settings.side
        network = build_seeded(p.model, (side, side), 3 * p.discs, self.seed)
        return nn.Sequential(network, nn.Unflatten(1, (p.discs, 3))).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` pictures as they are seen: (size, 1, h, h), and (size, h, h) as the target."""
        _, seen = self._draw(size, generator(self.seed, "batch", step))
        return Batch(inputs=seen[:, None], target=seen)

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """``discs_found`` and ``disc_error``; discs that are not finite are missed, endlessly."""
        return self._measure(model, "test")

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on as many validation pictures."""
        return self._measure(model, "validation") if self._holds_out else {}

    def _measure(self, model: nn.Module, part: str) -> dict[str, Metric]:
        discs, seen = self._draw(TEST_PICTURES, generator(0, "discs", part))
        missed = distances(self._look(model, seen), discs)
        return {
            FOUND.name: share((missed < CLOSE).all(1)),
            ERROR.name: median(missed.mean(1)),
        }

    def examples(self, model: nn.Module, *, images: bool) -> list[DiscsExample]:
        """The first eight test pictures."""
        discs, seen = self._draw(TEST_PICTURES, generator(0, "discs", "test"))
        discs, seen = discs[:EXAMPLES], seen[:EXAMPLES]
        drawn = self._look(model, seen)
        missed = distances(drawn, discs)
        errors = missed.mean(1).tolist()
        return [
            DiscsExample(
                item=i,
                seen=png_data_url(grey(seen[i])) if images else None,
                wanted=_rounded(discs[i]) if images else None,
                drawn=_rounded(drawn[i]) if math.isfinite(errors[i]) else None,
                error=finite(errors[i]),
                found=bool((missed[i] < CLOSE).all()),
            )
            for i in range(EXAMPLES)
        ]

    @property
    def _drawing(self) -> SoftDisc:
        if self._renderer is None:
            raise RuntimeError("the discs task needs its renderer: call use_loss(loss) first")
        return self._renderer

    def _draw(
        self, count: int, random: torch.Generator
    ) -> tuple[Float[Tensor, "N K 3"], Float[Tensor, "N h h"]]:
        """True discs, and what is seen of them."""
        p = self.parameters
        discs = scattered(count, p.discs, p.smallest, p.largest, random).to(self.device)
        picture = self._drawing.simulate(discs)
        noise = torch.randn(picture.shape, generator=random).to(picture)
        return discs, picture + p.noise * noise

    def _look(self, model: nn.Module, seen: Float[Tensor, "N h h"]) -> Float[Tensor, "N K 3"]:
        with inference(model):
            found: Tensor = model(seen[:, None])
        return found


def scattered(
    count: int, each: int, smallest: float, largest: float, random: torch.Generator
) -> Float[Tensor, "N K 3"]:
    """Discs inside the picture: of several places for each the one most clear of those before."""
    radius = smallest + (largest - smallest) * torch.rand(count, each, generator=random)
    places = 2 * torch.rand(count, each, CANDIDATES, 2, generator=random) - 1
    places = places * (1 - radius)[:, :, None, None]
    centres = places[:, :1, 0]
    for k in range(1, each):
        apart = torch.linalg.vector_norm(places[:, k, :, None] - centres[:, None], dim=-1)
        clear = (apart - radius[:, None, :k] - radius[:, k, None, None]).amin(2)
        best = clear.clamp(max=0).argmax(1)
        chosen = places[:, k].gather(1, best[:, None, None].expand(-1, 1, 2))
        centres = torch.cat((centres, chosen), dim=1)
    return torch.cat((centres, radius[:, :, None]), dim=2)


def distances(found: Float[Tensor, "N K 3"], true: Float[Tensor, "N K 3"]) -> Float[Tensor, "N K"]:
    """Of each true disc, to the found one in the order of the least sum; infinite if not finite.

    A distance is sqrt(dx^2 + dy^2 + dr^2). On the CPU.
    """
    apart = torch.linalg.vector_norm(found[:, :, None] - true[:, None], dim=3).cpu()
    orders = torch.tensor(list(permutations(range(true.shape[1]))))
    matched = apart[:, orders, torch.arange(true.shape[1])]  # (N, orders, K)
    matched = torch.where(torch.isfinite(matched), matched, math.inf)
    best = matched.sum(2).argmin(1)
    return matched[torch.arange(len(best)), best]


def _rounded(discs: Float[Tensor, "K 3"]) -> list[Disc]:
    """Three decimals are enough for a picture."""
    return [(round(x, 3), round(y, 3), round(r, 3)) for x, y, r in discs.tolist()]
