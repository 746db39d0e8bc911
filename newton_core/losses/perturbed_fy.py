"""Fenchel-Young loss of the perturbed optimizer: how far the true path is from the cheapest."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.perturbed_paths import PerturbedPaths
from newton_core.algorithms.product_hessian import ProductHessian
from newton_core.losses.base import register_loss
from newton_core.losses.perturbed_path_loss import (
    Estimate,
    PerturbedPathLoss,
    PerturbedPathParameters,
)


class PerturbedFyParameters(PerturbedPathParameters):
    """Parameters of the perturbed Fenchel-Young loss."""

    title = "Perturbed optimizer, Fenchel-Young"
    name: Literal["perturbed_fy"] = "perturbed_fy"


@register_loss
class PerturbedFy(PerturbedPathLoss[PerturbedFyParameters]):
    """Cost of the true path w* above the expected cost of the cheapest perturbed path.

    With the cheapest path A(y) = argmin_w <y, w> and S standard normal samples eps_s::

        value     <y, w*> - mean_s <y + sigma eps_s, A_s>                (N,), in units of cost
        gradient  w* - mean_s A_s                                        (N, m)
        Hessian   -sym(mean_s (A_s - A(y)) eps_s^T) / sigma              (N, m, m)

    where A_s = A(y + sigma eps_s). Up to a constant of w* this is a Fenchel-Young loss, at least 0
    in expectation and convex in y, so its Hessian is positive semidefinite; an estimate of it from
    few samples is not. With the noise fixed, the gradient is exactly the derivative of the value.
    Where noise drives costs below zero they are clamped inside A and all of this holds only nearly:
    keep sigma well below the costs. The empirical Fisher says little here, since the loss is
    defined through its gradient: a prediction that is right has a gradient of pure noise.

    Source: Berthet et al., "Learning with Differentiable Perturbed Optimizers" (2020), with costs
    that are minimised; Newton Losses (2024) for its use here.
    """

    Parameters = PerturbedFyParameters
    up_to_constant = True

    def needs_centre(self, *, hessian: bool) -> bool:
        """Only the Hessian has a baseline."""
        return hessian

    def estimate(
        self,
        costs: Float[Tensor, "N m"],
        target: Float[Tensor, "N m"],
        samples: PerturbedPaths,
        *,
        hessian: bool,
    ) -> Estimate:
        """Value, gradient and Hessian from the same samples, as in the class's description."""
        sigma, S = self.settings.sigma, samples.noise.shape[1]
        paths, noise = samples.paths, samples.noise
        cheapest = ((costs[:, None] + sigma * noise) * paths).sum(dim=2).mean(dim=1)
        value = (costs * target).sum(dim=1) - cheapest
        gradient = target - paths.mean(dim=1)
        if not hessian:
            return Estimate(value, gradient)
        assert samples.centre is not None
        changes = (paths - samples.centre[:, None]) / (-2 * S * sigma)
        factors = ProductHessian(changes, noise, plus_transpose=True)
        return Estimate(value, gradient, factors)
