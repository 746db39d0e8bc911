"""Recognition with k guesses: the right class is to be among the k highest scores."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from jaxtyping import Float, Int
from pydantic import ValidationInfo, model_validator
from torch import Tensor

from newton_core.losses.base import TargetKind
from newton_core.metrics import MetricDescription, share_of_test
from newton_core.settings import setting
from newton_core.tasks.base import Metric, TaskParameters, register_task
from newton_core.tasks.classification import ACCURACY, ImageClassParameters, ImageClassTask
from newton_core.tasks.evaluation import share

if TYPE_CHECKING:
    Info = ValidationInfo
else:
    Info = Any  # a protocol that no one can check at run time

TOP_K_ACCURACY = share_of_test(
    "top_k_accuracy",
    "Top-k accuracy",
    "test samples with their class among the top k",
    description="Share of test samples whose class is among the k with the largest outputs.",
    sentence="has the right class among its guesses for {value} of the images",
)


class TopKTaskParameters(ImageClassParameters):
    """Recognise single images with k guesses."""

    title = "Recognise images with k guesses"
    name: Literal["top_k"] = "top_k"
    k: int = setting(
        2, "How many guesses count: the classes with the largest outputs.", title="Guesses",
        ge=1, le=1000,
    )  # fmt: skip

    @model_validator(mode="after")
    def _has_classes(self, info: Info) -> "TopKTaskParameters":
        classes = self.data.known_classes()
        if classes is not None and info.context is None:  # stored specs stay open, as they are
            self.check_classes(classes)
        return self

    def check_classes(self, classes: int) -> None:
        """Refuses more guesses than classes.

        Raises:
            ValueError: k is larger than the number of classes.
        """
        if self.k > classes:
            raise ValueError(
                f"{self.k} guesses are more than the {classes} classes of the data: lower k"
            )


@register_task
class TopKTask(ImageClassTask[TopKTaskParameters]):
    """The target is the class of an image; the metrics are the top-k and the top-1 accuracy.

    Where several classes share the k-th largest output, none of them counts for it: a network that
    gives all classes the same has found nothing.
    """

    Parameters: ClassVar[type[TaskParameters]] = TopKTaskParameters
    metrics: ClassVar[tuple[MetricDescription, ...]] = (TOP_K_ACCURACY, ACCURACY)
    primary_metric: ClassVar[str] = TOP_K_ACCURACY.name
    target_kinds: ClassVar[frozenset[TargetKind]] = frozenset({"class"})

    def prepare(self) -> None:
        """See :class:`~newton_core.tasks.base.Task`."""
        super().prepare()
        self.parameters.check_classes(self._classes)

    def _judge(self, y: Float[Tensor, "N classes"], labels: Int[Tensor, " N"]) -> dict[str, Metric]:
        """``top_k_accuracy`` and ``accuracy``."""
        own = y.gather(1, labels.unsqueeze(1))
        # As many as these have at least its output; NaN has no place at all.
        place = (~(y < own)).sum(dim=1)
        return {
            "top_k_accuracy": share(place <= self.parameters.k),
            "accuracy": share(y.argmax(dim=1) == labels),
        }
