"""The mean loss of many sets of outputs at once, with the same noise for each of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import LossFunction
from newton_core.losses.plain import as_loss


@contextmanager
def kept_noise(loss: LossFunction) -> Iterator[torch.Generator | None]:
    """Gives the loss's generator (None if it has none) and restores its state afterwards."""
    source = as_loss(loss).random_source
    if source is None:
        yield None
        return
    state = source.get_state()
    try:
        yield source
    finally:
        source.set_state(state)


def mean_losses(
    loss: LossFunction, outputs: Float[Tensor, "P N *S"], target: Tensor | None
) -> Float[Tensor, " P"]:
    """The batch mean of the loss for each of P sets of outputs, all with the same target.

    A sampled loss draws the same noise for every set: new noise would make its landscape rough.
    NaN for sets at which the loss is not defined.
    """
    P, N = outputs.shape[:2]
    defined = as_loss(loss).defined_at(outputs.flatten(0, 1)).view(P, N).all(1)
    if not bool(defined.all()):
        means = outputs.new_full((P,), torch.nan)
        if bool(defined.any()):
            means[defined] = mean_losses(loss, outputs[defined], target).to(means)
        return means
    with kept_noise(loss) as source:
        if source is not None:
            state = source.get_state()
            samples = []
            for one in outputs:
                source.set_state(state)
                samples.append(loss(one, target).mean())
            return torch.stack(samples)
        if target is not None:
            target = target.repeat(P, *[1] * (target.dim() - 1))
        return loss(outputs.flatten(0, 1), target).view(P, N).mean(1)
