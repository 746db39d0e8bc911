"""Notices: what keeps an arm from learning although nothing fails."""

from collections.abc import Iterator, Sequence

import torch

from newton_core.losses import Loss

MOSTLY = 0.5
"""A notice is due when at least this share of the last steps had no gradient."""
SWALLOWED = 0.25
"""A notice is due when eps takes at least this share of Adam's step, as a mean over weights."""


def vanished(recent_norms: Sequence[float], loss: Loss) -> str | None:
    """A sentence with the reason if no sample had a gradient in most of the last steps, or None.

    Args:
        recent_norms: the largest per-sample norm of each of the last steps.
        loss: the one that is trained.
    """
    zeros = sum(norm == 0 for norm in recent_norms)
    if not zeros or zeros < MOSTLY * len(recent_norms):
        return None
    return f"gradient zero in {zeros} of {len(recent_norms)} steps: {loss.why_flat()}"


def swallowed(optimizer: torch.optim.Optimizer) -> str | None:
    """A sentence if Adam's eps takes a large part of the step, or None, as always for SGD.

    Adam divides by sqrt(v) + eps. A gradient that a large damping has divided by lambda can be as
    small as eps: then the step shrinks with the gradient, which Adam is meant to prevent. Weights
    that never had a gradient do not count.
    """
    lost = list(_lost_to_eps(optimizer))
    if not lost:
        return None
    share = torch.cat(lost).mean().item()
    if not share >= SWALLOWED:
        return None
    return (
        f"Adam's eps takes {share:.0%} of the step: the gradient that arrives is as small as eps;"
        " use a smaller λ, a larger learning rate, or SGD"
    )


def _lost_to_eps(optimizer: torch.optim.Optimizer) -> Iterator[torch.Tensor]:
    """eps / (sqrt(v) + eps) of the weights of each parameter, v with its bias corrected."""
    for group in optimizer.param_groups:
        if "eps" not in group:
            continue
        for parameter in group["params"]:
            state = optimizer.state.get(parameter)
            if state:
                corrected = state["exp_avg_sq"] / (1 - group["betas"][1] ** float(state["step"]))
                scale = corrected.sqrt()
                yield group["eps"] / (scale[scale > 0] + group["eps"])
