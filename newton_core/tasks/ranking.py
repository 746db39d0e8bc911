"""Ranking supervision: n images in, one score each out, and only their order is known."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from typing_extensions import TypedDict

from newton_core.algorithms import permutation_matrix
from newton_core.data import (
    AnyNumbers,
    DatasetError,
    DigitsParameters,
    ImageDataset,
    LabelledImages,
    NumberPool,
    NumberSets,
)
from newton_core.losses.base import TargetKind
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.models import AnyModel, ItemScorer, MlpParameters, build_seeded
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
from newton_core.tasks.evaluation import Clusters, outputs
from newton_core.tasks.images import png_data_url

EXAMPLE_SETS = 3

EXACT_MATCH = share_of_test(
    "exact_match",
    "Exact match",
    "test sets ranked right",
    description="Share of test sets in which every item has its right place.",
    sentence="ranks {value} of the sets right",
)
ELEMENTWISE = share_of_test(
    "elementwise",
    "Elementwise",
    "items in their right place",
    description="Share of single items that have their right place.",
    sentence="puts {value} of the items in their place",
)


class RankingParameters(TaskParameters):
    """Rank images by the numbers that they show."""

    title = "Rank images by their numbers"
    name: Literal["ranking"] = "ranking"
    n: int = setting(
        5, "How many images are ranked against each other.", title="Numbers in a ranking",
        ge=2, le=32,
    )  # fmt: skip
    data: AnyNumbers = setting(
        DigitsParameters(), "The images and the values to rank them by.", title="Data"
    )
    model: AnyModel = setting(
        MlpParameters(), "The network that gives each image its score.", title="Network"
    )
    test_sets: int = setting(
        1000, "Sets of images that metrics are measured on; the same for every seed.",
        title="Test sets", unit="sets", scale="log", ge=2, le=20_000,
    )  # fmt: skip

    def outputs_per_sample(self) -> SampleOutputs:
        """A score for each image."""
        return SampleOutputs(self.n, ("n",))


@json_record
class RankingExample(TypedDict):
    """One image of a test set and what the network makes of it.

    Ranks count from 0, the smallest value first. ``score`` is null if it is not finite.
    """

    set: int
    item: int
    image: str | None
    value: int | float
    score: float | None
    rank: int
    true_rank: int
    correct: bool


def ranks(values: Float[Tensor, "N n"] | Int[Tensor, "N n"]) -> Int[Tensor, "N n"]:
    """The rank of each item in its row, from 0 for the smallest.

    Equal values rank in the order of their positions, NaN after everything else. Positions carry
    no information (sets are drawn in random order), so that scores that are all equal or all NaN
    score as guessing does.
    """
    return values.argsort(dim=1, stable=True).argsort(dim=1)


@dataclass(frozen=True)
class FixedSets:
    """The sets of a part of the data that metrics are measured on, the same for every seed.

    Attributes:
        pool: the images that they are drawn from.
        sets: the sets.
        ranks: (N, n) of their items.
        clusters: the sets by the images that they share.
    """

    pool: NumberPool
    sets: NumberSets
    ranks: Int[Tensor, "N n"]
    clusters: Clusters

    @classmethod
    def draw(cls, pool: NumberPool, part: str, count: int, n: int) -> "FixedSets":
        """``count`` sets of n images."""
        sets = pool.draw(generator(0, "ranking", part, n), count, n)
        return cls(pool, sets, ranks(sets.ids), Clusters(sets.tiles.flatten(1)))


def ranking_metrics(correct: Bool[Tensor, "N n"], clusters: Clusters) -> dict[str, Metric]:
    """``exact_match`` and ``elementwise`` with standard errors, from which items rank right.

    ``exact_match`` is the share of sets whose ranks are all right, ``elementwise`` the mean over
    sets of the share of items at the right rank.
    """
    return {
        "exact_match": clusters.average(correct.all(dim=1).double()),
        "elementwise": clusters.average(correct.double().mean(dim=1)),
    }


@register_task
class RankingTask(Task[RankingParameters]):
    """Sets of n images with distinct values; the target is the permutation that sorts them.

    The test sets are a pure function of the data and n; the batch of step k is one of the seed
    and k, so that a run resumes anywhere without the state of a generator.
    """

    Parameters: ClassVar[type[TaskParameters]] = RankingParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (EXACT_MATCH, ELEMENTWISE)
    primary_metric: ClassVar[str] = EXACT_MATCH.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"permutation"})

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        self._use(self.parameters.data.load())

    def _use(self, dataset: ImageDataset) -> None:
        self._dataset = dataset
        self._white = dataset.white
        self._train = self._pool(dataset.train, "training")
        self._test = self._fixed(dataset.test, "test")
        self._validation = None
        if dataset.validation is not None:
            self._validation = self._fixed(dataset.validation, "validation")

    def _pool(self, images: LabelledImages, part: str) -> NumberPool:
        pool = NumberPool(self._dataset, images, self.parameters.data.parts(), self.device)
        n = self.parameters.n
        if pool.size < n:
            raise DatasetError(
                f"a ranking of {n} needs {n} different values in the {part} part, found"
                f" {pool.size}: rank fewer numbers, or use data with more values"
            )
        return pool

    def _fixed(self, images: LabelledImages, part: str) -> FixedSets:
        p = self.parameters
        return FixedSets.draw(self._pool(images, part), part, p.test_sets, p.n)

    def hold_out(self, share: float) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        dataset = self._dataset.with_validation(share)
        if dataset is not self._dataset:
            self._use(dataset)

    def warnings(self) -> tuple[str, ...]:
        """See :class:`~newton_core.tasks.base.Task`."""
        return self._dataset.warnings

    def build_model(self) -> nn.Module:
        """A network (N, n, 1, h, w) -> (N, n) that scores each image by itself."""
        network = build_seeded(self.parameters.model, self._train.image_size, 1, self.seed)
        return ItemScorer(network).to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` sets of images (size, n, 1, h, w) and their permutations (size, n, n)."""
        sets = self._sets(step, size)
        target = permutation_matrix(sets.ids).to(self.device)
        return Batch(inputs=self._train.images(sets), target=target)

    def _sets(self, step: int, size: int) -> NumberSets:
        return self._train.draw(generator(self.seed, "batch", step), size, self.parameters.n)

    def sample(self, step: int, size: int, index: int) -> dict[str, object]:
        """``values``: what the n images of a set are worth, in the order of the outputs."""
        values = self._train.values(self._sets(step, size)[index : index + 1])
        return {"values": [_plain(value) for value in values[0].tolist()]}

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """``exact_match`` and ``elementwise`` on the test sets."""
        return self._measure(model, self._test)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on as many sets of the validation part."""
        return {} if self._validation is None else self._measure(model, self._validation)

    def _measure(self, model: nn.Module, fixed: FixedSets) -> dict[str, Metric]:
        correct = ranks(self._scores(model, fixed.pool, fixed.sets)) == fixed.ranks
        return ranking_metrics(correct, fixed.clusters)

    def examples(self, model: nn.Module, *, images: bool) -> list[RankingExample]:
        """The items of the first three test sets, each a :class:`RankingExample`."""
        pool, sets = self._test.pool, self._test.sets[:EXAMPLE_SETS]
        scores = self._scores(model, pool, sets)
        predicted, true = ranks(scores).tolist(), self._test.ranks[:EXAMPLE_SETS].tolist()
        values, pixels = pool.values(sets), pool.pixels(sets)
        return [
            RankingExample(
                set=i,
                item=j,
                image=png_data_url(pixels[i, j], self._white) if images else None,
                value=_plain(values[i, j].item()),
                score=finite(score),
                rank=predicted[i][j],
                true_rank=true[i][j],
                correct=predicted[i][j] == true[i][j],
            )
            for i, row in enumerate(scores.tolist())
            for j, score in enumerate(row)
        ]

    def _scores(self, model: nn.Module, pool: NumberPool, sets: NumberSets) -> Float[Tensor, "N n"]:
        """The model's scores on the CPU, a bounded number of pixels at a time."""
        height, width = pool.image_size
        return outputs(
            model,
            lambda part: pool.images(sets[part]),
            samples=len(sets),
            pixels=self.parameters.n * height * width,
        )


def _plain(value: float) -> int | float:
    """Whole numbers without a decimal point, as long as they are exact."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
