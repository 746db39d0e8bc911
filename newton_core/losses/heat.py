"""Inverse diffusion: the picture before heat spread is judged by what it looks like afterwards."""

import functools
import math
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import LossParameters, TargetKind, register_loss
from newton_core.losses.constant_hessian import ConstantHessian
from newton_core.losses.simulator import SimulatorLoss
from newton_core.settings import setting
from newton_core.tensors import check_finite, check_floating, to_keep


class HeatParameters(LossParameters):
    """Half the squared distance between a picture after diffusion and the one that was seen."""

    title = "Diffusion of heat"
    name: Literal["heat"] = "heat"
    time: float = setting(
        1.0, "How long heat spreads from each pixel to its neighbours; its width in pixels grows"
        " with the square root of twice the time.",
        title="Time of diffusion", scale="log", ge=1e-3, le=100.0,
    )  # fmt: skip


@register_loss
class Heat(SimulatorLoss[HeatParameters]):
    """1/2 ||B y - target||^2 with B = exp(-time L) and L the Laplacian of the pixel grid.

    No heat leaves through the border. L has the cosines of the discrete cosine transform as its
    eigenvectors along rows and columns, so that B and the Hessian B^T B = B^2 are two small
    products each, at any size. Damping is Tikhonov's own: details of the picture whose heat has
    spread below sqrt(tikhonov) are left alone. Linear; positive definite, of a condition up to
    exp(16 time).

    Shapes: y (N, h, w) heat; target (N, h, w) what was seen, blurred.
    """

    Parameters = HeatParameters
    target_kind: ClassVar[TargetKind] = "picture"
    linear = True

    @classmethod
    def conditions(cls) -> list[tuple[int, float]]:
        """By the side of a square picture."""
        found = []
        for side in (2, 4, 8, 16, 32, 64):
            kept = spread(side, 1.0, torch.device("cpu"))[1]
            found.append((side, float((kept.max() / kept.min()) ** 4)))
        return found

    def simulate(self, y: Float[Tensor, "N h w"]) -> Float[Tensor, "N h w"]:
        """The picture after the diffusion.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: y is not (N, h, w) with at least one pixel.
        """
        if y.ndim != 3 or y.shape[1:].numel() == 0:
            raise ValueError(f"pictures have shape (N, h, w), got {tuple(y.shape)}")
        check_floating(y, "pictures")
        rows, columns = (self._blur(size, y) for size in y.shape[1:])
        return rows @ y @ columns

    def residual(self, y: Float[Tensor, "N h w"], target: Tensor | None) -> Float[Tensor, "N r"]:
        """The difference to the picture that was seen."""
        state = self.simulate(y)
        if target is None or target.shape != y.shape:
            given = "none" if target is None else f"{tuple(target.shape)}"
            raise ValueError(
                f"the picture that was seen has the shape of y, {tuple(y.shape)}; got {given}"
            )
        check_finite(target, "the picture that was seen")
        return (state - target.to(state)).flatten(1)

    def constant_hessian(self, y: Float[Tensor, "N h w"], target: Tensor | None) -> ConstantHessian:
        """B^2 by the grid's cosines: nothing larger than the sides squared."""
        (U, kept), (V, kept_across) = (
            spread(size, self.settings.time, y.device) for size in y.shape[1:]
        )
        eigenvalues = (kept[:, None] * kept_across).square()
        return ConstantHessian(y.shape[1:], (U, V), eigenvalues)

    def _blur(self, size: int, y: Tensor) -> Float[Tensor, "s s"]:
        return blur(size, self.settings.time, y.device, y.dtype)


@functools.lru_cache(maxsize=32)
def spread(
    size: int, time: float, device: torch.device
) -> tuple[Float[Tensor, "s s"], Float[Tensor, " s"]]:
    """Eigenvectors of diffusion along a line of pixels, and what is left of each: float64.

    The Laplacian of a path with free ends has the eigenvectors cos(pi k (i + 1/2) / size) and the
    eigenvalues 2 - 2 cos(pi k / size).
    """
    with to_keep():
        number = torch.arange(size, dtype=torch.float64)
        vectors = torch.cos(math.pi / size * (number[:, None] + 0.5) * number)
        vectors /= torch.linalg.vector_norm(vectors, dim=0)
        kept = torch.exp(-time * (2 - 2 * torch.cos(math.pi * number / size)))
        return vectors.to(device), kept.to(device)


@functools.lru_cache(maxsize=32)
def blur(size: int, time: float, device: torch.device, dtype: torch.dtype) -> Float[Tensor, "s s"]:
    """The matrix that spreads heat along a line of pixels; symmetric."""
    vectors, kept = spread(size, time, device)
    with to_keep():
        return ((vectors * kept) @ vectors.mT).to(dtype)
