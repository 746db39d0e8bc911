"""Classification of single images; that of digits is the well-behaved control."""

from abc import abstractmethod
from typing import ClassVar, Generic, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from typing_extensions import TypedDict, TypeVar

from newton_core.data import AnyImages, DigitImagesParameters, ImageDataset
from newton_core.losses import Loss, TopKCrossEntropy
from newton_core.losses.base import LossParameters, TargetKind
from newton_core.losses.top_k_cross_entropy import TopKCrossEntropyParameters
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.models import AnyModel, MlpParameters, build_seeded
from newton_core.records import finite
from newton_core.seeding import generator
from newton_core.settings import setting
from newton_core.tasks.base import Batch, Metric, Task, TaskParameters, json_record, register_task
from newton_core.tasks.evaluation import outputs, share
from newton_core.tasks.images import png_data_url

EXAMPLES = 12

ACCURACY = share_of_test(
    "accuracy",
    "Accuracy",
    "test samples classified right",
    description="Share of test samples whose class is predicted right.",
    sentence="classifies {value} of the images right",
)


class ImageClassParameters(TaskParameters):
    """The images and the network on them."""

    data: AnyImages = setting(
        DigitImagesParameters(), "The images and their classes.", title="Data"
    )
    model: AnyModel = setting(
        MlpParameters(), "The network, with one output per class.", title="Network"
    )
    test_images: int = setting(
        2000, "Test images that the accuracy is measured on, at most what the data have; the same"
        " for every seed.",
        title="Test images", unit="images", scale="log", ge=2, le=10_000,
    )  # fmt: skip

    def check_loss(self, loss: LossParameters) -> None:
        """See :class:`~newton_core.tasks.base.TaskParameters`; own images are counted later."""
        classes = self.data.known_classes()
        if classes is not None and isinstance(loss, TopKCrossEntropyParameters):
            loss.check_classes(classes)


class ClassificationParameters(ImageClassParameters):
    """Recognise single images."""

    title = "Recognise images"
    name: Literal["classification"] = "classification"


@json_record
class ClassificationExample(TypedDict):
    """One test image and what the network makes of it.

    ``label`` and ``predicted`` are classes: their names, if the data set has some, or indices.
    ``probability`` is the softmax of the predicted class: null where it is not finite, and for
    losses on values, whose outputs are no logits of a softmax.
    """

    item: int
    image: str | None
    label: int | str
    predicted: int | str
    probability: float | None
    correct: bool


P_co = TypeVar("P_co", bound=ImageClassParameters, covariant=True, default=ImageClassParameters)


class ImageClassTask(Task[P_co], Generic[P_co]):
    """Single images with a class each; what is measured of the outputs is the subclass's.

    The batch of step k is drawn with replacement, as a pure function of the seed and k.
    """

    primary_metric: ClassVar[str] = ACCURACY.name

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        self._use(self.parameters.data.load())

    def _use(self, dataset: ImageDataset) -> None:
        device = self.device
        self._dataset = dataset
        self._white, self._classes, self._names = dataset.white, dataset.classes, dataset.names
        self._images = dataset.normalise(dataset.train.pixels).unsqueeze(1).to(device)
        self._labels = dataset.train.labels.to(device)
        # Shuffled, because neighbours in a file may share a writer or a difficulty.
        order = torch.randperm(len(dataset.test), generator=generator(0, "classification", "test"))
        chosen = order[: self.parameters.test_images]
        self._test_pixels = dataset.test.pixels[chosen]
        self._test_labels = dataset.test.labels[chosen]
        self._test_images = dataset.normalise(self._test_pixels).unsqueeze(1).to(device)
        self._validation = None
        if dataset.validation is not None:
            images = dataset.normalise(dataset.validation.pixels[: self.parameters.test_images])
            labels = dataset.validation.labels[: self.parameters.test_images]
            self._validation = images.unsqueeze(1).to(device), labels

    def hold_out(self, share: float) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        dataset = self._dataset.with_validation(share)
        if dataset is not self._dataset:
            self._use(dataset)

    def warnings(self) -> tuple[str, ...]:
        """See :class:`~newton_core.tasks.base.Task`."""
        return self._dataset.warnings

    def use_loss(self, loss: Loss) -> None:
        """Looks whether a loss on the top k has as many classes.

        Raises:
            ValueError: the loss asks for more of the top than there are classes.
        """
        if isinstance(loss, TopKCrossEntropy):
            loss.settings.check_classes(self._classes)

    def build_model(self) -> nn.Module:
        """A network (N, 1, h, w) -> (N, classes)."""
        height, width = self._images.shape[-2:]
        model = build_seeded(self.parameters.model, (height, width), self._classes, self.seed)
        return model.to(self.device)

    def batch(self, step: int, size: int) -> Batch:
        """``size`` images (size, 1, h, w) and their classes (size,) or one-hot (size, classes)."""
        chosen = torch.randint(
            len(self._labels), (size,), generator=generator(self.seed, "batch", step)
        ).to(self.device)
        labels = self._labels[chosen]
        one_hot = self.target_kind == "value"
        target = nn.functional.one_hot(labels, self._classes).float() if one_hot else labels
        return Batch(inputs=self._images[chosen], target=target)

    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """The metrics on the test images."""
        return self._measure(model, self._test_images, self._test_labels)

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """The same on at most as many validation images."""
        return {} if self._validation is None else self._measure(model, *self._validation)

    def _measure(self, model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Metric]:
        return self._judge(self._outputs(model, images), labels)

    @abstractmethod
    def _judge(self, y: Float[Tensor, "N classes"], labels: Int[Tensor, " N"]) -> dict[str, Metric]:
        """The metrics of outputs for images of these classes."""

    def examples(self, model: nn.Module, *, images: bool) -> list[ClassificationExample]:
        """The first twelve test images, each a :class:`ClassificationExample`."""
        y = self._outputs(model, self._test_images[:EXAMPLES])
        predicted = y.argmax(dim=1).tolist()
        probabilities = y.softmax(dim=1).tolist()
        logits = self.target_kind == "class"
        return [
            ClassificationExample(
                item=i,
                image=png_data_url(self._test_pixels[i], self._white) if images else None,
                label=self._named(label),
                predicted=self._named(guess),
                probability=finite(probabilities[i][guess]) if logits else None,
                correct=guess == label,
            )
            for i, (label, guess) in enumerate(
                zip(self._test_labels.tolist(), predicted, strict=False)
            )
        ]

    def _named(self, label: int) -> int | str:
        return label if self._names is None else self._names[label]

    def _outputs(self, model: nn.Module, images: Tensor) -> Float[Tensor, "N classes"]:
        """The model's outputs for images (N, 1, h, w), on the CPU."""
        pixels = images[0].numel()
        return outputs(model, lambda part: images[part], samples=len(images), pixels=pixels)


@register_task
class ClassificationTask(ImageClassTask[ClassificationParameters]):
    """The target is the class of an image, or its one-hot vector for losses on values."""

    Parameters: ClassVar[type[TaskParameters]] = ClassificationParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (ACCURACY,)
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"class", "value"})

    def _judge(self, y: Float[Tensor, "N classes"], labels: Int[Tensor, " N"]) -> dict[str, Metric]:
        """``accuracy``: the share of images whose class has the largest output."""
        return {"accuracy": share(y.argmax(dim=1) == labels)}
