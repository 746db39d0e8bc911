"""A renderer as a loss: soft discs are drawn, and the picture is compared with the one seen."""

import functools
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.labels import Labels
from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.losses.simulator import SimulatorLoss
from newton_core.settings import setting
from newton_core.tensors import check_finite, check_floating, to_keep

CENTRE = 1e-3
"""Distance below which the way to a disc's centre is smoothed: it has a kink there."""


class SoftDiscParameters(LossParameters):
    """Half the squared difference between drawn discs and the picture that was seen."""

    title = "Picture of discs"
    name: Literal["soft_disc"] = "soft_disc"
    side: int = setting(
        16, "Side of the square picture.", title="Side of the picture", unit="pixels",
        ge=4, le=64,
    )  # fmt: skip
    sharpness: float = setting(
        16.0, "Steepness of a disc's edge, which goes from one tenth to nine tenths of white over"
        " 4.4 / sharpness. Sharp edges are felt only where they are.",
        title="Sharpness", unit="1 / half a side", scale="log", ge=0.5, le=500.0,
    )  # fmt: skip
    second_derivatives: Annotated[
        Literal["exact", "gauss_newton"], Labels(gauss_newton="Gauss-Newton: JᵀJ")
    ] = setting(
        "exact", "The Hessian: exact, or without the renderer's own curvature.",
        title="Hessian of the renderer",
    )  # fmt: skip


@dataclass(frozen=True)
class _Drawing:
    """What all derivatives of a drawing are made of, with P pixels.

    Attributes:
        light: (N, K, P) of each disc, in (0, 1).
        others_dark: (N, K, P) what the other discs leave dark.
        slope: (N, K, P) of the light in the signed distance to the edge.
        way: (N, K, P, 3) derivative of that distance in the disc's centre and radius.
        far: (N, K, P) smoothed distance to the disc's centre.
    """

    light: Tensor
    others_dark: Tensor
    slope: Tensor
    way: Tensor
    far: Tensor

    def picture(self) -> Float[Tensor, "N P"]:
        return 1 - (1 - self.light).prod(1)

    def jacobian(self) -> Float[Tensor, "N P m"]:
        per_disc = (self.others_dark * self.slope)[..., None] * self.way
        return per_disc.transpose(1, 2).flatten(2)


@register_loss
class SoftDisc(SimulatorLoss[SoftDiscParameters]):
    """1/2 ||p(y) - target||^2 of a picture p of K soft discs, each a centre and a radius.

    The picture reaches from -1 to 1, x to the right and y downwards. At a pixel of distance d_k to
    the centre of disc k the disc has the light

        a_k = sigmoid(sharpness (radius_k - d_k)),     p = 1 - prod_k (1 - a_k),

    so that the order of the discs does not matter, and two on one place are no brighter than
    white. A disc of a radius below zero is hardly drawn. The gradient lives at edges: it vanishes
    where no edge of a disc is near what it should cover, and grows with the sharpness. The exact
    Hessian J^T J + sum_k r_k d^2 p_k is closed-form and often indefinite; J^T J (Gauss-Newton) is
    positive semidefinite.

    Shapes: y (N, K, 3) with x, y and radius of each disc; target (N, side, side), white is 1.
    """

    Parameters = SoftDiscParameters
    target_kind: ClassVar[TargetKind] = "drawing"
    # Outputs are few: the Hessians of all samples cost less than to draw once more for their mean.
    mean_hessian = Loss.mean_hessian

    @property
    def exact(self) -> bool:
        """Unless Gauss-Newton is asked for."""
        return self.settings.second_derivatives == "exact"

    def why_flat(self) -> str:
        """No edge is near."""
        return (
            "every disc has vanished or lies outside the picture, where no pixel changes with it;"
            " a lower sharpness lets it be felt from farther away"
        )

    def simulate(self, y: Float[Tensor, "N K 3"]) -> Float[Tensor, "N h h"]:
        """The picture of the discs.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: y is not (N, K, 3) with at least one disc.
        """
        light, _, _ = self._light(y)
        return (1 - (1 - light).prod(1)).view(len(y), self.settings.side, self.settings.side)

    def residual(self, y: Float[Tensor, "N K 3"], target: Tensor | None) -> Float[Tensor, "N r"]:
        """The difference to the picture that was seen, pixel by pixel.

        Raises:
            ValueError: the picture that was seen has another shape, or values that are not finite.
        """
        picture = self.simulate(y)
        return picture.flatten(1) - self._seen(target, picture)

    def derivatives(
        self, y: Float[Tensor, "N K 3"], target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """All in closed form, from one drawing."""
        drawing = self._draw(y)
        residual, J = self._compare(drawing, target), drawing.jacobian()
        gradient = (residual[:, None] @ J)[:, 0]
        second = None
        if hessian:
            second = J.mT @ J
            if self.exact:
                second = second + self._bend(drawing, residual)
        return Derivatives(residual.square().sum(1) / 2, gradient, second)

    def jacobian(self, y: Float[Tensor, "N K 3"], target: Tensor | None) -> Float[Tensor, "N r m"]:
        """Of each pixel in centres and radii."""
        return self._draw(y).jacobian()

    def second_order(
        self, y: Float[Tensor, "N K 3"], target: Tensor | None, residual: Float[Tensor, "N r"]
    ) -> Float[Tensor, "N m m"]:
        """Of each disc by itself where its edge bends, and of two discs where both have an edge."""
        return self._bend(self._draw(y), residual)

    def _bend(self, drawing: _Drawing, residual: Float[Tensor, "N P"]) -> Float[Tensor, "N m m"]:
        sharpness, way, far = self.settings.sharpness, drawing.way, drawing.far
        N, K, _ = far.shape
        weight = residual[:, None] * drawing.others_dark * drawing.slope
        curved = weight * sharpness * (1 - 2 * drawing.light)
        own = (curved[..., None] * way).mT @ way
        # the second derivative of the distance in the centre is (I - u u^T) / d
        per_distance = weight / far
        towards = way[..., :2]
        own[..., :2, :2] += (per_distance[..., None] * towards).mT @ towards
        own.diagonal(dim1=-2, dim2=-1)[..., :2] -= per_distance.sum(2, keepdim=True)
        second = torch.zeros(N, K, 3, K, 3, dtype=far.dtype, device=far.device)
        second.diagonal(dim1=1, dim2=3).copy_(own.movedim(1, -1))
        for k in range(K):
            for j in range(k):
                kept = [1 - drawing.light[:, i] for i in range(K) if i not in (j, k)]
                both = -residual * drawing.slope[:, j] * drawing.slope[:, k]
                for dark in kept:
                    both = both * dark
                cross = (both[..., None] * way[:, k]).mT @ way[:, j]
                second[:, k, :, j] = cross
                second[:, j, :, k] = cross.mT
        return second.view(N, 3 * K, 3 * K)

    def _draw(self, y: Tensor) -> _Drawing:
        """Detached."""
        with torch.no_grad():
            light, offset, far = self._light(y)
            dark = 1 - light
            K = light.shape[1]
            others = [torch.cat((dark[:, :k], dark[:, k + 1 :]), dim=1).prod(1) for k in range(K)]
            slope = self.settings.sharpness * light * dark
            way = torch.cat((offset / far[..., None], torch.ones_like(far)[..., None]), dim=-1)
            return _Drawing(light, torch.stack(others, dim=1), slope, way, far)

    def _light(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Each disc's light (N, K, P), the way to each pixel (N, K, P, 2) and its length."""
        if y.ndim != 3 or y.shape[1] == 0 or y.shape[2] != 3:
            raise ValueError(
                "discs have shape (N, K, 3), with x, y and radius of K >= 1 discs, got"
                f" {tuple(y.shape)}"
            )
        check_floating(y, "discs")
        offset = pixels(self.settings.side, y.device, y.dtype) - y[:, :, None, :2]
        far = (offset.square().sum(-1) + CENTRE**2).sqrt()
        return torch.sigmoid(self.settings.sharpness * (y[:, :, None, 2] - far)), offset, far

    def _compare(self, drawing: _Drawing, target: Tensor | None) -> Float[Tensor, "N P"]:
        picture = drawing.picture()
        seen = self._seen(target, picture.view(-1, self.settings.side, self.settings.side))
        return picture - seen

    def _seen(self, target: Tensor | None, picture: Float[Tensor, "N h h"]) -> Tensor:
        """The pixels that the picture is compared with, (N, P)."""
        if target is None or target.shape != picture.shape:
            given = "none" if target is None else f"{tuple(target.shape)}"
            raise ValueError(
                f"the picture that was seen has the shape {tuple(picture.shape)}, a side of"
                f" {self.settings.side} pixels; got {given}"
            )
        check_finite(target, "the picture that was seen")
        return target.to(picture).flatten(1)


@functools.lru_cache(maxsize=8)
def pixels(side: int, device: torch.device, dtype: torch.dtype) -> Float[Tensor, "P 2"]:
    """x and y of each pixel's centre, row by row, in a picture that reaches from -1 to 1."""
    with to_keep():
        at = (2 * torch.arange(side, dtype=torch.float64) + 1) / side - 1
        rows, columns = torch.meshgrid(at, at, indexing="ij")
        return torch.stack((columns.flatten(), rows.flatten()), dim=1).to(device, dtype)
