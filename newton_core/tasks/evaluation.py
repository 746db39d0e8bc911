"""What tasks share when they measure a network: no gradients, bounded memory, honest errors."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from newton_core.tasks.base import Metric

_PIXELS_PER_CHUNK = 2**19  # 2 MB of images, 64 MB in the cnn's widest layer


@contextmanager
def inference(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; the training mode of every submodule comes back."""
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
