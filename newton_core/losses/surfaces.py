"""Two-dimensional test surfaces: the simplest place to see what curvature does to a step.

Each is one loss per point (x, y), without a target, with closed-form gradient and Hessian. Its
docstring, which the page shows, begins with its formula as
``newton_core.algorithms.expressions`` reads it, up to the colon. The code calls x and y u and v,
because y is the batch of points there, as in every loss.
"""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind, register_loss
from newton_core.tensors import coordinates

Points = Float[Tensor, "N 2"]
Heights = Float[Tensor, " N"]
Interval = tuple[float, float]


class Surface(Loss):
    """Base of the surfaces: y (N, 2) holds points, value (N,) their heights.

    Attributes:
        domain: the ranges of the two coordinates that are customarily shown.
        minima: where the height is least; empty if it falls without end.
    """

    target_kind: ClassVar[TargetKind] = "none"
    domain: ClassVar[tuple[Interval, Interval]]
    minima: ClassVar[tuple[tuple[float, float], ...]]

    def forward(self, y: Points, target: Tensor | None = None) -> Heights:
        """The height at each point."""
        return self._height(*coordinates(y))

    def derivatives(
        self, y: Points, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Closed forms, exact up to rounding."""
        u, v = coordinates(y.detach())
        value, gradient = self._height(u, v), torch.stack(self._slope(u, v), dim=1)
        if not hessian:
            return Derivatives(value, gradient)
        uu, uv, vv = self._bend(u, v)
        return Derivatives(value, gradient, torch.stack((uu, uv, uv, vv), dim=1).view(-1, 2, 2))

    def _height(self, u: Heights, v: Heights) -> Heights:
        raise NotImplementedError

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        """The derivatives with respect to u and v."""
        raise NotImplementedError

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        """The second derivatives: u twice, mixed, v twice."""
        raise NotImplementedError


class RosenbrockParameters(LossParameters):
    """A curved valley: easy to enter, slow to follow."""

    name: Literal["rosenbrock"] = "rosenbrock"


@register_loss
class Rosenbrock(Surface):
    """(1 - x)**2 + 100*(y - x**2)**2: Rosenbrock 1960, indefinite above the valley."""

    Parameters = RosenbrockParameters
    domain = ((-2.0, 2.0), (-1.0, 3.0))
    minima = ((1.0, 1.0),)

    def _height(self, u: Heights, v: Heights) -> Heights:
        return (1 - u).square() + 100 * (v - u.square()).square()

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        off = v - u.square()
        return -2 * (1 - u) - 400 * u * off, 200 * off

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        return 2 + 1200 * u.square() - 400 * v, -400 * u, torch.full_like(u, 200.0)


class HimmelblauParameters(LossParameters):
    """Four equally deep minima."""

    name: Literal["himmelblau"] = "himmelblau"


@register_loss
class Himmelblau(Surface):
    """(x**2 + y - 11)**2 + (x + y**2 - 7)**2: Himmelblau 1972, indefinite between its minima."""

    Parameters = HimmelblauParameters
    domain = ((-5.0, 5.0), (-5.0, 5.0))
    minima = (
        (3.0, 2.0),
        (-2.8051180869527448, 3.1313125182505730),
        (-3.7793102533777469, -3.2831859912861694),
        (3.5844283403304917, -1.8481265269644035),
    )

    def _height(self, u: Heights, v: Heights) -> Heights:
        return (u.square() + v - 11).square() + (u + v.square() - 7).square()

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        a, b = u.square() + v - 11, u + v.square() - 7
        return 4 * u * a + 2 * b, 2 * a + 4 * v * b

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        a, b = u.square() + v - 11, u + v.square() - 7
        return 4 * a + 8 * u.square() + 2, 4 * (u + v), 4 * b + 8 * v.square() + 2


class BealeParameters(LossParameters):
    """A flat plain between steep corners."""

    name: Literal["beale"] = "beale"


@register_loss
class Beale(Surface):
    """(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2:
    Beale 1958, indefinite.
    """

    Parameters = BealeParameters
    domain = ((-4.5, 4.5), (-4.5, 4.5))
    minima = ((3.0, 0.5),)
    offsets: ClassVar[tuple[tuple[int, float], ...]] = ((1, 1.5), (2, 2.25), (3, 2.625))

    def _height(self, u: Heights, v: Heights) -> Heights:
        total = torch.zeros_like(u)
        for i, offset in self.offsets:
            total = total + (offset - u + u * v**i).square()
        return total

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        along_u, along_v = torch.zeros_like(u), torch.zeros_like(v)
        for i, offset in self.offsets:
            residual = offset - u + u * v**i
            along_u = along_u + 2 * residual * (v**i - 1)
            along_v = along_v + 2 * residual * u * i * v ** (i - 1)
        return along_u, along_v

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        uu, uv, vv = torch.zeros_like(u), torch.zeros_like(u), torch.zeros_like(u)
        for i, offset in self.offsets:
            residual = offset - u + u * v**i
            by_u, by_v, mixed = v**i - 1, u * i * v ** (i - 1), i * v ** (i - 1)
            uu = uu + 2 * by_u.square()
            uv = uv + 2 * (by_u * by_v + residual * mixed)
            vv = vv + 2 * by_v.square()
            if i > 1:
                vv = vv + 2 * residual * u * i * (i - 1) * v ** (i - 2)
        return uu, uv, vv


class SaddleParameters(LossParameters):
    """The plain saddle: a Newton step walks up to it, gradient descent away from it."""

    name: Literal["saddle"] = "saddle"


@register_loss
class Saddle(Surface):
    """x**2 - y**2: one positive and one negative eigenvalue everywhere, unbounded below."""

    Parameters = SaddleParameters
    domain = ((-2.0, 2.0), (-2.0, 2.0))
    minima = ()

    def _height(self, u: Heights, v: Heights) -> Heights:
        return u.square() - v.square()

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        return 2 * u, -2 * v

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        return torch.full_like(u, 2.0), torch.zeros_like(u), torch.full_like(u, -2.0)


class MonkeySaddleParameters(LossParameters):
    """A saddle with three ways down, flat in its centre."""

    title = "Monkey saddle"
    name: Literal["monkey_saddle"] = "monkey_saddle"


@register_loss
class MonkeySaddle(Surface):
    """x**3 - 3*x*y**2: its Hessian is indefinite but in the centre, where it vanishes."""

    Parameters = MonkeySaddleParameters
    domain = ((-2.0, 2.0), (-2.0, 2.0))
    minima = ()

    def _height(self, u: Heights, v: Heights) -> Heights:
        return u * (u.square() - 3 * v.square())

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        return 3 * (u.square() - v.square()), -6 * u * v

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        return 6 * u, -6 * v, -6 * u


class RastriginParameters(LossParameters):
    """A bowl covered with bumps: many local minima."""

    name: Literal["rastrigin"] = "rastrigin"


@register_loss
class Rastrigin(Surface):
    """20 + x**2 + y**2 - 10*(cos(2*pi*x) + cos(2*pi*y)):
    Rastrigin 1974, indefinite on the bumps.
    """

    Parameters = RastriginParameters
    domain = ((-5.12, 5.12), (-5.12, 5.12))
    minima = ((0.0, 0.0),)

    def _height(self, u: Heights, v: Heights) -> Heights:
        return self._profile(u) + self._profile(v)

    @staticmethod
    def _profile(x: Heights) -> Heights:
        # 10 - 10 cos(2 pi x) is 20 sin^2(pi x), which does not cancel in the centre
        return x.square() + 20 * torch.sin(torch.pi * x).square()

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        tau = 2 * torch.pi
        return 2 * u + 10 * tau * torch.sin(tau * u), 2 * v + 10 * tau * torch.sin(tau * v)

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        tau = 2 * torch.pi
        uu = 2 + 10 * tau**2 * torch.cos(tau * u)
        return uu, torch.zeros_like(u), 2 + 10 * tau**2 * torch.cos(tau * v)


class StyblinskiTangParameters(LossParameters):
    """Four basins of different depth."""

    title = "Styblinski-Tang"
    name: Literal["styblinski_tang"] = "styblinski_tang"


@register_loss
class StyblinskiTang(Surface):
    """(x**4 - 16*x**2 + 5*x + y**4 - 16*y**2 + 5*y)/2: Styblinski, Tang 1990, indefinite inside."""

    Parameters = StyblinskiTangParameters
    domain = ((-5.0, 5.0), (-5.0, 5.0))
    minima = ((-2.9035340277711771, -2.9035340277711771),)

    def _height(self, u: Heights, v: Heights) -> Heights:
        return self._profile(u) + self._profile(v)

    @staticmethod
    def _profile(x: Heights) -> Heights:
        return (x**4 - 16 * x.square() + 5 * x) / 2

    def _slope(self, u: Heights, v: Heights) -> tuple[Heights, Heights]:
        return 2 * u**3 - 16 * u + 2.5, 2 * v**3 - 16 * v + 2.5

    def _bend(self, u: Heights, v: Heights) -> tuple[Heights, Heights, Heights]:
        return 6 * u.square() - 16, torch.zeros_like(u), 6 * v.square() - 16
