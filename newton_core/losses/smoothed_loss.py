"""Stochastic smoothing of the loss: how many tiles the path gets wrong, averaged over noise."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.gaussian_smoothing import smoothed_gradient, smoothed_hessian
from newton_core.algorithms.perturbed_paths import PerturbedPaths
from newton_core.losses.base import register_loss
from newton_core.losses.perturbed_path_loss import (
    Estimate,
    PerturbedPathLoss,
    PerturbedPathParameters,
)


class SmoothedLossParameters(PerturbedPathParameters):
    """Parameters of the smoothed loss."""

    title = "Stochastic smoothing of the loss"
    name: Literal["smoothed_loss"] = "smoothed_loss"


@register_loss
class SmoothedLoss(PerturbedPathLoss[SmoothedLossParameters]):
    """Expected number of tiles in which the perturbed path and the true path w* differ.

    With d(y) = sum |A(y) - w*|, the tiles in which the cheapest path A(y) differs, and S standard
    normal samples eps_s::

        value     mean_s d(y + sigma eps_s)                              (N,), in tiles
        gradient  mean_s (d_s - b) eps_s / sigma                         (N, m)
        Hessian   mean_s (d_s - b) (eps_s eps_s^T - I) / sigma^2         (N, m, m)

    The baseline b = d(y), the unperturbed count, changes no expectation and cuts the variance.
    All three are unbiased for E d(y + sigma eps) and its derivatives, whatever d is: nothing of
    the algorithm is differentiated. The Hessian is indefinite, and from few samples mostly noise:
    its rank is S, its entries' deviation grows as 1/sigma^2.

    Source: Petersen et al., "Newton Losses" (2024), stochastic smoothing of the loss; the
    estimators are those of Abernethy, Lee and Tewari (2016) for Gaussian smoothing.
    """

    Parameters = SmoothedLossParameters

    def estimate(
        self,
        costs: Float[Tensor, "N m"],
        target: Float[Tensor, "N m"],
        samples: PerturbedPaths,
        *,
        hessian: bool,
    ) -> Estimate:
        """Value, gradient and Hessian from the same samples, as in the class's description."""
        assert samples.centre is not None
        sigma, noise = self.settings.sigma, samples.noise
        wrong = (samples.paths - target[:, None]).abs().sum(dim=2)
        baseline = (samples.centre - target).abs().sum(dim=1)
        excess = wrong - baseline[:, None]
        return Estimate(
            wrong.mean(dim=1),
            smoothed_gradient(excess, noise, sigma),
            smoothed_hessian(excess, noise, sigma) if hessian else None,
        )
