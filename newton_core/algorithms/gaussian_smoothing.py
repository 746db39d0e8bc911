"""Derivatives of a function smoothed by Gaussian noise, computed from its values alone."""

from jaxtyping import Float
from torch import Tensor

from newton_core.algorithms.product_hessian import ProductHessian


def smoothed_gradient(
    values: Float[Tensor, "N S"], noise: Float[Tensor, "N S m"], sigma: float
) -> Float[Tensor, "N m"]:
    """Estimate mean_s f_s eps_s / sigma of the gradient of E f(y + sigma eps) in y.

    It is unbiased for any function f, differentiable or not (Abernethy, Lee and Tewari 2016). A
    baseline that does not depend on the noise should be subtracted from the values: it keeps the
    expectation and reduces the variance.
    """
    return (values[:, None] @ noise)[:, 0] / (values.shape[1] * sigma)


def smoothed_hessian(
    values: Float[Tensor, "N S"], noise: Float[Tensor, "N S m"], sigma: float
) -> ProductHessian:
    """Estimate mean_s f_s (eps_s eps_s^T - I) / sigma^2 of the Hessian of E f(y + sigma eps) in y.

    It is unbiased, like :func:`smoothed_gradient`. From few samples it is indefinite and mostly
    noise.
    """
    weights = values / (values.shape[1] * sigma**2)
    return ProductHessian(noise, weights[:, :, None] * noise, weights.sum(dim=1))
