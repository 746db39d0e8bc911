"""What tasks share when they measure a network: no gradients, bounded memory, honest errors."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor, nn

from newton_core.tasks.base import Metric

_PIXELS_PER_CHUNK = 2**19  # 2 MB of images, 64 MB in the cnn's widest layer


@contextmanager
def inference(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; every submodule is back in its own mode afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def outputs(
    model: nn.Module, inputs: Callable[[slice], Tensor], samples: int, pixels: int
) -> Tensor:
    """The model's outputs on the CPU, computed a bounded number of pixels at a time.

    Args:
        model: is left as it was.
        inputs: gives the inputs of a slice of the samples.
        samples: how many there are.
        pixels: in each sample's inputs.
    """
    size = max(1, _PIXELS_PER_CHUNK // pixels)
    with inference(model):
        chunks = [
            model(inputs(slice(start, min(start + size, samples)))).cpu()
            for start in range(0, samples, size)
        ]
    return torch.cat(chunks)


def share(hits: Bool[Tensor, " N"]) -> Metric:
    """The share of hits and its binomial standard error, sqrt(p (1 - p) / N)."""
    p = hits.double().mean().item()
    return Metric(p, math.sqrt(p * (1 - p) / len(hits)))


def average(values: Float[Tensor, " N"]) -> Metric:
    """The mean and its standard error, which one value alone does not have (NaN)."""
    spread = values.std() if len(values) > 1 else torch.tensor(math.nan)
    return Metric(values.mean().item(), spread.item() / math.sqrt(len(values)))


def counted_as(metric: Metric, count: int, independent: float | None) -> Metric:
    """A metric of ``count`` images that say as much as ``independent`` ones; None: as they are."""
    if independent is None:
        return metric
    wider = math.sqrt((count - 1) / (independent - 1))
    return Metric(metric.value, metric.standard_error * wider)


def median(errors: Float[Tensor, " N"]) -> Metric:
    """The median and its standard error, from the order statistics one deviation beside it.

    The count below the true median is binomial: N / 2 with deviation sqrt(N) / 2.
    """
    ordered = errors.double().sort().values
    beside = math.sqrt(len(ordered)) / 2
    low = max(0, math.floor(len(ordered) / 2 - beside))
    high = min(len(ordered) - 1, math.ceil(len(ordered) / 2 + beside))
    half = (ordered[high] - ordered[low]) / 2
    return Metric(ordered.median().item(), half.item())


class Clusters:
    """Sets that share images, and so err together: 1,000 sets drawn from 16 images say hardly more
    than these images do.

    The covariance of every two sets is estimated by the product of their deviations, once for each
    image that they share (Fafchamps & Gubert 2007, for pairs), with the factor K / (K - 1) for K
    images.

    Args:
        images: (N, M) the images of each set, by index.
    """

    def __init__(self, images: Int[Tensor, "N M"]) -> None:
        count, self._shown = images.shape
        self._flat = images.flatten()
        self._images = int(self._flat.max()) + 1
        self._used = int((self._flat.bincount() > 0).sum())
        owners = torch.arange(count).repeat_interleave(self._shown)
        pairs, times = np.unique((owners * self._images + self._flat).numpy(), return_counts=True)
        self._owners, self._squares = pairs // self._images, times**2

    def average(self, values: Float64[Tensor, " N"]) -> Metric:
        """The mean of a value for each set, and its standard error.

        It is never below the error of independent values.
        """
        mean = values.mean().item()
        deviations = values - mean
        own = deviations.square()
        sums = torch.zeros(self._images, dtype=torch.float64)
        sums.index_add_(0, self._flat, deviations.repeat_interleave(self._shown))
        with_itself = (self._squares * own.numpy()[self._owners]).sum()
        between = sums.square().sum().item() - float(with_itself)
        between = between * self._used / max(1, self._used - 1)
        variance = (own.sum().item() + max(0.0, between)) / len(values) ** 2
        return Metric(mean, math.sqrt(variance))
