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


def clustered(values: Float64[Tensor, " N"], images: Int[Tensor, "N M"]) -> Metric:
    """The mean of N values and its standard error, where values share the images they are of.

    Sets that share an image err together, so that 1,000 sets drawn from 16 images say hardly more
    than these images do. The covariance of every two sets is estimated by the product of their
    deviations, once for each image that they share (Fafchamps & Gubert 2007, for pairs), with
    the factor K / (K - 1) for K images. It is never below the error of independent values.

    Args:
        values: one for each set.
        images: (N, M) the images of each set, by index.
    """
    count, shown = images.shape
    mean = values.mean().item()
    deviations = values - mean
    own = deviations.square()
    flat = images.flatten()
    sums = torch.zeros(int(flat.max()) + 1, dtype=torch.float64)
    sums.index_add_(0, flat, deviations.repeat_interleave(shown))
    places = torch.arange(count).repeat_interleave(shown) * len(sums) + flat
    pairs, times = np.unique(places.numpy(), return_counts=True)
    with_itself = (times**2 * own.numpy()[pairs // len(sums)]).sum()
    size = int((flat.bincount() > 0).sum())
    between = (sums.square().sum().item() - float(with_itself)) * size / max(1, size - 1)
    variance = (own.sum().item() + max(0.0, between)) / count**2
    return Metric(mean, math.sqrt(variance))
