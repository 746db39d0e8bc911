"""Jigsaw puzzles: a network scores each tile at each place, and transport assembles the picture."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int, UInt8
from pydantic import model_validator
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.algorithms.oracles import Assignment
from newton_core.data import (
    AnyImages,
    DatasetError,
    ImageDataset,
    LabelledImages,
    PhotosParameters,
)
from newton_core.losses.base import TargetKind
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.models import AnyModel, ItemScorer, MlpParameters, build_seeded
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
from newton_core.tasks.evaluation import counted_as, outputs, share
from newton_core.tasks.images import png_data_url

MOST_TEST_PUZZLES = 500
EXAMPLES = 6

TILES = share_of_test(
    "tiles_in_place",
    "Tiles in place",
    "tiles of the test puzzles",
    description="Share of places that show what belongs there once each tile is at a place of its"
    " own, so that the sum of scores is greatest. Tiles that look alike may stand for each other.",
    sentence="puts {value} of the tiles in their place",
)
WHOLE = share_of_test(
    "whole_puzzle",
    "Whole puzzles",
    "test puzzles",
    description="Share of test puzzles of which every tile is in its place.",
    sentence="solves {value} of the puzzles",
)


class JigsawParameters(TaskParameters):
    """Assemble pictures from their tiles."""

    title = "Assemble jigsaw puzzles"
    name: Literal["jigsaw"] = "jigsaw"
    across: int = setting(
        3, "Tiles along a side of the puzzle; what does not divide is cut off all round.",
        title="Tiles along a side", unit="tiles", ge=2, le=6,
    )  # fmt: skip
    data: AnyImages = setting(PhotosParameters(), "The pictures.", title="Data")
    model: AnyModel = setting(
        MlpParameters(),
        "The network, from a single tile to its score at each place.",
        title="Network",
    )

    @model_validator(mode="after")
    def _has_tiles(self) -> "JigsawParameters":
        size = self.data.chosen_size()
        if size is not None and min(size) < self.across:
            raise ValueError(
                f"a picture of {size[0]} x {size[1]} pixels has no {self.across} tiles along a"
                " side: choose fewer, or larger pictures"
            )
        return self

    def outputs_per_sample(self) -> SampleOutputs:
        """A score for each tile at each place."""
        return SampleOutputs(self.across**4, ("across",))


@json_record
class JigsawExample(TypedDict):
    """One test puzzle and where the network puts its tiles.

    Tiles are named by the place where they belong; places count from 0, row by row. ``placed[k]``
    is where tile k is put, null where a score is not finite. ``right`` says of each place whether
    it shows what belongs there. ``image``, a PNG of the whole picture in a ``data:`` URL, travels
    in an arm's first record alone.
    """

    puzzle: int
    image: str | None
    across: int
    placed: list[int] | None
    right: list[bool]


@dataclass(frozen=True)
class _Puzzles:
    """Puzzles that metrics are measured on.

    Attributes:
        tiles: (N, n, a, b) in their true order.
        order: (N, n) in which they come.
        independent: see :class:`~newton_core.data.LabelledImages`.
    """

    tiles: UInt8[Tensor, "N n a b"]
    order: Int[Tensor, "N n"]
    independent: float | None


@register_task
class JigsawTask(Task[JigsawParameters]):
    """Shuffled tiles in, their places out; the network sees each tile by itself.

    The grey values of a puzzle's tiles are shifted and scaled so that the whole puzzle has mean 0
    and deviation 1. The outputs y (N, n, n) are scores of tiles (rows) at places (columns), and the
    target marks the true places. Some tiles look alike, such as the black corners of digits: then
    several orders are right, of which the target is one, and the metrics accept all. The test
    puzzles are the same for every seed. Where the pictures overlap, the standard errors count the
    independent pictures that would say as much.
    """

    Parameters: ClassVar[type[TaskParameters]] = JigsawParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (TILES, WHOLE)
    primary_metric: ClassVar[str] = TILES.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"assignment"})

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        self._use(self.parameters.data.load())

    def _use(self, dataset: ImageDataset) -> None:
        self._dataset = dataset
        self._train = self._cut(dataset.train.pixels)
        self._test = self._fixed(dataset.test, "test")
        self._validation = None
        if dataset.validation is not None:
            self._validation = self._fixed(dataset.validation, "validation")

    def _cut(self, pictures: UInt8[Tensor, "M h w"]) -> UInt8[Tensor, "M n a b"]:
        """The tiles of pictures, in their true order."""
        across = self.parameters.across
        height, width = pictures.shape[1] // across, pictures.shape[2] // across
        if height == 0 or width == 0:
            raise DatasetError(
                f"pictures of {pictures.shape[1]} x {pictures.shape[2]} pixels have no {across}"
                " tiles along a side: choose fewer, or larger pictures"
            )
        top = (pictures.shape[1] - across * height) // 2
        left = (pictures.shape[2] - across * width) // 2
        whole = pictures[:, top : top + across * height, left : left + across * width]
        tiles = whole.reshape(-1, across, height, across, width).transpose(2, 3)
        return tiles.reshape(-1, across * across, height, width).to(self.device)

    def _fixed(self, pictures: LabelledImages, part: str) -> _Puzzles:
        """Puzzles of a part that metrics are measured on."""
        tiles = self._cut(pictures.pixels[:MOST_TEST_PUZZLES])
        random = generator(0, "jigsaw", part, self.parameters.across)
        order = _orders(len(tiles), tiles.shape[1], random).to(self.device)
        return _Puzzles(tiles, order, pictures.independent)

    def hold_out(self, share: float) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        dataset = self._dataset.with_validation(share)
        if dataset is not self._dataset:
            self._use(dataset)

    def warnings(self) -> tuple[str, ...]:
        """See :class:`~newton_core.tasks.base.Task`."""
        return self._dataset.warnings

    def build_model(self) -> nn.Module:
        """A network (N, n, 1, a, b) -> (N, n, n) that scores each tile by itself."""
        _, n, height, width = self._train.shape
        network = build_seeded(self.parameters.model, (height, width), n, self.seed)
        return ItemScorer(network, places=n).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` puzzles: tiles (size, n, 1, a, b) and their true places (size, n, n)."""
        random = generator(self.seed, "batch", step)
        chosen = torch.randint(len(self._train), (size,), generator=random).to(self.device)
        tiles = self._train[chosen]
        order = _orders(size, tiles.shape[1], random).to(self.device)
        target = nn.functional.one_hot(order, tiles.shape[1]).float()
        return Batch(inputs=_inputs(tiles, order), target=target)

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """``tiles_in_place`` and ``whole_puzzle``; a puzzle with scores not finite is missed."""
        return _measure(model, self._test)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on at most as many validation puzzles."""
        return {} if self._validation is None else _measure(model, self._validation)

    def examples(self, model: nn.Module, *, images: bool) -> list[JigsawExample]:
        """The first six test puzzles."""
        tiles, order = self._test.tiles[:EXAMPLES], self._test.order[:EXAMPLES]
        placed, right = _assemble(model, tiles, order)
        across = self.parameters.across
        return [
            JigsawExample(
                puzzle=i,
                image=png_data_url(_whole(tiles[i], across), self._dataset.white)
                if images
                else None,
                across=across,
                placed=None if placed[i, 0] < 0 else placed[i].tolist(),
                right=right[i].tolist(),
            )
            for i in range(len(tiles))
        ]


def _orders(count: int, n: int, random: torch.Generator) -> Int[Tensor, "N n"]:
    """Which tile comes at each position, in random order."""
    return torch.rand(count, n, generator=random).argsort(dim=1)


def _inputs(
    tiles: UInt8[Tensor, "N n a b"], order: Int[Tensor, "N n"]
) -> Float[Tensor, "N n 1 a b"]:
    """The tiles in that order, each puzzle with mean 0 and deviation 1."""
    shuffled = tiles[torch.arange(len(tiles), device=tiles.device)[:, None], order].float()
    centred = shuffled - shuffled.mean((1, 2, 3), keepdim=True)
    deviation = centred.square().mean((1, 2, 3), keepdim=True).sqrt()
    return (centred / deviation.clamp(min=1e-6))[:, :, None]  # a blank puzzle stays 0


def _whole(tiles: UInt8[Tensor, "n a b"], across: int) -> UInt8[Tensor, "h w"]:
    """The picture of tiles in their true order."""
    rows = tiles.view(across, across, *tiles.shape[1:]).transpose(1, 2)
    return rows.reshape(across * tiles.shape[1], across * tiles.shape[2])


def _assemble(
    model: nn.Module, tiles: UInt8[Tensor, "N n a b"], order: Int[Tensor, "N n"]
) -> tuple[Int[Tensor, "N n"], Bool[Tensor, "N n"]]:
    """Where each tile is put (-1: a score is not finite), and which places show what they should.

    On the CPU.
    """
    scores = outputs(
        model,
        lambda part: _inputs(tiles[part], order[part]),
        samples=len(tiles),
        pixels=tiles[0].numel(),
    ).double()
    finite = scores.isfinite().all(2).all(1)
    scores = torch.where(finite[:, None, None], scores, 0.0)
    at = Assignment().solve(-scores).argmax(2)  # the place of the tile at each position
    tiles, order = tiles.cpu(), order.cpu()
    placed = torch.empty_like(at).scatter_(1, order, at)
    shown = torch.empty_like(placed).scatter_(
        1, placed, torch.arange(at.shape[1]).expand_as(placed)
    )
    rows = torch.arange(len(tiles))[:, None]
    right = (tiles[rows, shown] == tiles).flatten(2).all(2) & finite[:, None]
    return torch.where(finite[:, None], placed, -1), right


def _measure(model: nn.Module, puzzles: _Puzzles) -> dict[str, Metric]:
    _, right = _assemble(model, puzzles.tiles, puzzles.order)
    per_puzzle, count = right.double().mean(1), len(right)
    error = per_puzzle.std().item() / math.sqrt(count) if count > 1 else 0.0
    found = {
        TILES.name: Metric(per_puzzle.mean().item(), error),
        WHOLE.name: share(right.all(1)),
    }
    return {name: counted_as(one, count, puzzles.independent) for name, one in found.items()}
