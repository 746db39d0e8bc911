"""The task top_k: scikit-learn's top-k accuracy, and a spec that asks for too many guesses."""

import pytest
import torch
from sklearn.metrics import top_k_accuracy_score
from torch import Tensor, nn

from newton_core.tasks import TASKS, TopKTask, TopKTaskParameters


def task_of(k: int) -> TopKTask:
    return TopKTask(
        TopKTaskParameters(k=k), target_kind="class", seed=0, device=torch.device("cpu")
    )


class Fixed(nn.Module):
    """Outputs that do not look at the images."""

    def __init__(self, y: Tensor) -> None:
        super().__init__()
        self.y, self.seen = y, 0

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return self.y[self.seen - len(images) : self.seen]


@pytest.mark.parametrize("k", [1, 2, 9])
def test_metrics_are_scikit_learn_s(k: int) -> None:
    assert TASKS.get("top_k") is TopKTask
    task = task_of(k)
    labels = task._test_labels
    y = torch.randn(len(labels), 10, generator=torch.Generator().manual_seed(0))
    found = task.evaluate(Fixed(y))
    expected = top_k_accuracy_score(labels, y, k=k, labels=range(10))
    assert found["top_k_accuracy"].value == pytest.approx(expected)
    assert found["accuracy"].value == pytest.approx((y.argmax(1) == labels).double().mean().item())


def test_equal_or_missing_outputs_have_found_nothing() -> None:
    task = task_of(2)
    for value in (0.0, torch.nan):
        y = torch.full((len(task._test_labels), 10), value)
        assert task.evaluate(Fixed(y))["top_k_accuracy"].value == 0.0


def test_more_guesses_than_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="11 guesses are more than the 10 classes"):
        task_of(11)
