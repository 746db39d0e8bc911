"""The quadratic that a Newton loss fits to a loss at a point: its settings, and C as a matrix."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.hessian import Definiteness, HessianKind, apply_rule
from newton_core.curvature.step import NewtonStep
from newton_core.losses.base import Derivatives
from newton_core.settings import Settings, setting
from newton_core.tensors import to_float64


class NewtonSettings(Settings):
    """How a Newton step is taken: which curvature, and how it is damped."""

    curvature: Literal["hessian", "fisher"] = setting(
        "hessian", "Matrix of the quadratic: the Hessian of the loss or its empirical Fisher.",
        title="Curvature",
    )  # fmt: skip
    tikhonov: float = setting(
        0.1, "Strength of the damping added to the matrix's diagonal.",
        title="Tikhonov λ", scale="log", ge=1e-12, le=1e9,
    )  # fmt: skip
    hessian: HessianKind = setting(
        "batch_mean", "Whether the Hessian is averaged over the batch or kept per sample.",
        title="Hessian",
    )  # fmt: skip
    definiteness: Definiteness = setting(
        "raw", "What happens to negative eigenvalues of the Hessian.", title="Definiteness"
    )

    @property
    def step(self) -> NewtonStep:
        """The step that these settings describe."""
        return NewtonStep(self.curvature, self.tikhonov, self.hessian, self.definiteness)


def curvature_matrices(derivatives: Derivatives, step: NewtonStep) -> Float[Tensor, "N m m"]:
    """The matrix C of each sample in float64: after the definiteness rule, without tikhonov.

    All samples share one matrix (a view, repeated) unless the Hessian is kept per sample.
    """
    gradient = to_float64(derivatives.gradient)
    N, m = gradient.shape
    if step.curvature == "fisher":
        return (gradient.mT @ gradient / N).expand(N, m, m)
    if derivatives.hessian is None:
        raise ValueError("the Hessian's quadratic needs derivatives(y, target, hessian=True)")
    hessian = to_float64(derivatives.hessian)
    if step.hessian == "batch_mean":
        hessian = hessian.mean(0, keepdim=True)
    return apply_definiteness(hessian, step.definiteness).expand(N, m, m)


def apply_definiteness(
    matrices: Float[Tensor, "*B m m"], definiteness: Definiteness
) -> Float[Tensor, "*B m m"]:
    """Symmetric matrices with their negative eigenvalues kept (raw), set to 0 (clip), or made
    positive (saddle_free). A matrix with NaN or infinity becomes NaN throughout."""
    if definiteness == "raw":
        return matrices
    finite = torch.isfinite(matrices).all(-1).all(-1)[..., None, None]
    eigenvalues, vectors = torch.linalg.eigh(torch.where(finite, matrices, 0.0))
    kept = apply_rule(eigenvalues, definiteness)
    return torch.where(finite, (vectors * kept[..., None, :]) @ vectors.mT, torch.nan)
