import math

import pytest
import torch
from torch import nn

from newton_core.records import finite
from newton_core.tasks.evaluation import Clusters, inference, outputs, share


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)
        self.dropout = nn.Dropout(0.5)
        self.seen: list[tuple[int, bool, bool]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append((len(x), self.training, torch.is_grad_enabled()))
        return self.dropout(self.linear(x))


def test_inference_restores_each_modules_mode() -> None:
    model = _Network().train()
    model.dropout.eval()
    with inference(model):
        assert not model.training
        assert not torch.is_grad_enabled()
    assert model.training
    assert model.linear.training
    assert not model.dropout.training
    assert torch.is_grad_enabled()


def test_inference_restores_after_an_error() -> None:
    model = _Network().train()
    with pytest.raises(RuntimeError, match="boom"), inference(model):
        raise RuntimeError("boom")
    assert model.training


def test_outputs_in_chunks_equal_the_whole() -> None:
    model = _Network()
    inputs = torch.randn(10, 4)
    found = outputs(model, lambda part: inputs[part], samples=10, pixels=2**17)
    assert [size for size, _, _ in model.seen] == [4, 4, 2]
    assert not any(training or grad for _, training, grad in model.seen)
    torch.testing.assert_close(found, model.eval()(inputs).detach())
    assert not found.requires_grad


def test_a_sample_larger_than_a_chunk_goes_alone() -> None:
    model = _Network()
    inputs = torch.randn(3, 4)
    outputs(model, lambda part: inputs[part], samples=3, pixels=2**25)
    assert [size for size, _, _ in model.seen] == [1, 1, 1]


def test_share_is_binomial() -> None:
    metric = share(torch.tensor([True, False, False, True, True]))
    assert metric.value == pytest.approx(0.6)
    assert metric.standard_error == pytest.approx(math.sqrt(0.6 * 0.4 / 5))


@pytest.mark.parametrize(
    ("value", "expected"), [(1.5, 1.5), (math.nan, None), (math.inf, None), (-math.inf, None)]
)
def test_finite(value: float, expected: float | None) -> None:
    assert finite(value) == expected


def test_values_that_share_no_image_are_independent() -> None:
    values = torch.tensor([1.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    found, hits = Clusters(torch.arange(8).view(4, 2)).average(values), share(values.bool())
    assert (found.value, found.standard_error) == pytest.approx((0.75, hits.standard_error))


@pytest.mark.parametrize(("count", "shown", "slack"), [(40, 5, 0.15), (360, 5, 0.15)])
def test_sets_of_few_images_are_as_uncertain_as_new_images_would_show(count, shown, slack):
    """Over 100 draws of the images, nine in ten of which are told right, 1,000 sets each."""
    source = torch.Generator().manual_seed(1)
    found = []
    for _ in range(100):
        good = torch.rand(count, generator=source) < 0.9
        sets = torch.randint(count, (1000, shown), generator=source)
        found.append(Clusters(sets).average(good[sets].all(dim=1).double()))
    spread = torch.tensor([metric.value for metric in found]).std().item()
    said = torch.tensor([metric.standard_error for metric in found]).mean().item()
    assert said == pytest.approx(spread, rel=slack)
    independent = [share(torch.rand(1000) < metric.value).standard_error for metric in found]
    assert said > 3 * sum(independent) / len(independent)


def test_more_sets_of_the_same_images_say_no_more() -> None:
    source = torch.Generator().manual_seed(2)
    good = torch.rand(16, generator=source) < 0.8
    errors = []
    for sets in (1_000, 10_000):
        images = torch.rand(sets, 16, generator=source).argsort(dim=1)[:, :3]
        errors.append(Clusters(images).average(good[images].all(dim=1).double()).standard_error)
    assert errors[1] == pytest.approx(errors[0], rel=0.1)
