"""The distributions whose CDF relaxes a comparator: how sure is it that b exceeds a?

All are symmetric about 0, so that 1 - F(v) = F(-v): the lower tail is the accurate one, and the
upper tail follows from it. Each distribution is five or six plain functions; :func:`cdf` and
:func:`log_cdf` make them differentiable twice without the 0 * inf that automatic differentiation
meets in their tails.

Where a CDF has a kink in its second derivative, the value there is that of sign(0) = 0.
"""

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from newton_core.tensors import Context, constant


class Distribution(ABC):
    """A symmetric distribution, elementwise on tensors of any shape."""

    sign: ClassVar[float] = 1.0
    divisor: ClassVar[float] = 1.0
    """F(v) = raw(sign v) / divisor: compiled passes multiply and divide themselves."""

    density_is_compiled: ClassVar[bool] = False
    """Whether the kernels of BCELoss have F' themselves."""

    @abstractmethod
    def cdf(self, v: Tensor) -> Tensor:
        """F(v)."""

    def raw(self, w: Tensor, out: Tensor) -> Callable[[], object]:
        """A call that fills ``out`` with raw(w), of what w then holds."""
        return lambda: out.copy_(self.cdf(w))

    @abstractmethod
    def density(self, v: Tensor) -> Tensor:
        """F'(v)."""

    @abstractmethod
    def density_slope(self, v: Tensor) -> Tensor:
        """F''(v)."""

    def log_cdf(self, v: Tensor) -> Tensor:
        """log F(v), from the accurate lower tail; for tails that do not underflow."""
        tail = self.cdf(-v.abs())
        return torch.where(v > 0, torch.log1p(-tail), tail.log())

    def log_slope(self, v: Tensor) -> Tensor:
        """(log F)'(v)."""
        return self.density(v) / self.cdf(v)

    def log_curvature(self, v: Tensor) -> Tensor:
        """(log F)''(v)."""
        f = self.cdf(v)
        return self.density_slope(v) / f - (self.density(v) / f).square()


class Logistic(Distribution):
    """F(v) = 1 / (1 + exp(-v))."""

    def cdf(self, v: Tensor) -> Tensor:
        """F(v)."""
        return v.sigmoid()

    def density(self, v: Tensor) -> Tensor:
        """F (1 - F), as torch differentiates its sigmoid."""
        f = v.sigmoid()
        return f * (1 - f)

    def density_slope(self, v: Tensor) -> Tensor:
        """F (1 - F) (1 - 2F)."""
        f = v.sigmoid()
        return f * (1 - f) * (1 - 2 * f)

    def log_cdf(self, v: Tensor) -> Tensor:
        """log F(v), also where F underflows."""
        return functional.logsigmoid(v)

    def log_slope(self, v: Tensor) -> Tensor:
        """1 - F = F(-v)."""
        return (-v).sigmoid()

    def log_curvature(self, v: Tensor) -> Tensor:
        """-F(v) F(-v)."""
        return -v.sigmoid() * (-v).sigmoid()


class Cauchy(Distribution):
    """F(v) = atan(v) / π + 1/2, with the lower tail as atan(1 / abs(v)) / π."""

    sign, divisor = -1.0, math.pi
    density_is_compiled = True

    def raw(self, w: Tensor, out: Tensor) -> Callable[[], object]:
        """See :class:`Distribution`: the angle of the point (w, 1)."""
        return functools.partial(torch.atan2, constant(1.0, w), w, out=out)

    def cdf(self, v: Tensor) -> Tensor:
        """F(v): the angle of the point (-v, 1) over π, which is the tail's form for v < 0."""
        return torch.atan2(constant(1.0, v), -v).div_(constant(math.pi, v))

    def density(self, v: Tensor) -> Tensor:
        """1 / (π (1 + v^2))."""
        return (v * v).add_(constant(1.0, v)).mul_(constant(math.pi, v)).reciprocal_()

    def density_slope(self, v: Tensor) -> Tensor:
        """-2 v / (π (1 + v^2)^2)."""
        square = (v * v).add_(constant(1.0, v))
        slope = torch.mul(v, constant(-2.0, v)).div_(square)
        return slope.div_(square * constant(math.pi, v))  # autograd needs the square as it is


class Gaussian(Distribution):
    """F(v) = (1 + erf(v / √2)) / 2."""

    def cdf(self, v: Tensor) -> Tensor:
        """F(v)."""
        lower: Tensor = torch.special.ndtr(v)
        return lower

    def density(self, v: Tensor) -> Tensor:
        """exp(-v^2 / 2) / √(2π)."""
        return torch.exp(-v * v / 2) / math.sqrt(2 * math.pi)

    def density_slope(self, v: Tensor) -> Tensor:
        """-v F'(v)."""
        return -v * self.density(v)

    def log_cdf(self, v: Tensor) -> Tensor:
        """log F(v), also where F underflows."""
        log_lower: Tensor = torch.special.log_ndtr(v)
        return log_lower

    def log_slope(self, v: Tensor) -> Tensor:
        """F' / F: the inverse Mills ratio h, about -v far below 0."""
        scaled: Tensor = torch.special.erfcx(v / -math.sqrt(2))
        return math.sqrt(2 / math.pi) / scaled

    def log_curvature(self, v: Tensor) -> Tensor:
        """-h (h + v), which cancels far below 0; there its asymptotic series in 1 / v^2."""
        far = -8.0 if v.dtype == torch.float32 else -50.0
        h = self.log_slope(v)
        w = v.clamp(max=far).pow(-2)
        series = w * (1 - w * (6 - w * (50 - w * 518))) - 1
        return torch.where(v < far, series, -h * (h + v))


class Reciprocal(Distribution):
    """F(v) = v / (1 + 2 abs(v)) + 1/2 (Petersen et al. 2022)."""

    def cdf(self, v: Tensor) -> Tensor:
        """F(v), from the tail 1 / (2 + 4 abs(v))."""
        tail = 0.5 / (1 + 2 * v.abs())
        return torch.where(v > 0, 1 - tail, tail)

    def density(self, v: Tensor) -> Tensor:
        """1 / (1 + 2 abs(v))^2."""
        return (1 + 2 * v.abs()).pow(-2)

    def density_slope(self, v: Tensor) -> Tensor:
        """-4 sign(v) / (1 + 2 abs(v))^3."""
        return -4 * v.sign() * (1 + 2 * v.abs()).pow(-3)


class Optimal(Distribution):
    """The CDF of least error (Petersen et al. 2022): linear, then tails of 1 / (16 abs(v))."""

    def cdf(self, v: Tensor) -> Tensor:
        """v + 1/2 within 1/4 of 0, tails of 1 / (16 abs(v)) beyond."""
        tail = 1 / (16 * v.abs().clamp(min=0.25))
        return torch.where(v.abs() <= 0.25, v + 0.5, torch.where(v > 0, 1 - tail, tail))

    def density(self, v: Tensor) -> Tensor:
        """1 within 1/4 of 0, 1 / (4 v)^2 beyond."""
        return (4 * v.abs().clamp(min=0.25)).pow(-2)

    def density_slope(self, v: Tensor) -> Tensor:
        """0 within 1/4 of 0, -sign(v) / (8 abs(v)^3) beyond."""
        beyond = -v.sign() / 8 * v.abs().clamp(min=0.25).pow(-3)
        return torch.where(v.abs() <= 0.25, torch.zeros_like(v), beyond)


Elementwise = Callable[[Tensor], Tensor]


if TYPE_CHECKING:

    class _ElementwiseContext(Context):
        functions: tuple[Elementwise, ...]

else:
    _ElementwiseContext = Context


class _WithDerivatives(torch.autograd.Function):
    """A function whose first and second derivatives are given in closed form.

    ``functions`` are the function, its derivative and the second one, each without a graph; third
    derivatives are torch's of the last.
    """

    generate_vmap_rule = True
    differentiable_twice = True

    @staticmethod
    def forward(v: Tensor, functions: tuple[Elementwise, ...]) -> Tensor:
        return functions[0](v)

    @staticmethod
    def setup_context(
        ctx: _ElementwiseContext, inputs: tuple[Tensor, tuple[Elementwise, ...]], output: Tensor
    ) -> None:
        v, ctx.functions = inputs
        ctx.save_for_backward(v)

    @staticmethod
    def backward(ctx: _ElementwiseContext, *gradients: Tensor) -> tuple[Tensor, None]:
        (v,) = ctx.saved_tensors
        rest: tuple[Elementwise, ...] = ctx.functions[1:]
        slope = rest[0](v) if len(rest) == 1 else _differentiable(v, rest)
        return gradients[0] * slope, None


def _differentiable(v: Tensor, functions: tuple[Elementwise, ...]) -> Tensor:
    if not torch.is_grad_enabled():
        return functions[0](v)
    result: Tensor = _WithDerivatives.apply(v, functions)  # type: ignore[no-untyped-call] # torch's
    return result


def cdf(distribution: Distribution, v: Tensor) -> Tensor:
    """F(v), differentiable."""
    return _differentiable(v, (distribution.cdf, distribution.density, distribution.density_slope))


def log_cdf(distribution: Distribution, v: Tensor) -> Tensor:
    """log F(v), differentiable, with finite derivatives in both tails."""
    return _differentiable(
        v, (distribution.log_cdf, distribution.log_slope, distribution.log_curvature)
    )
