"""Descents of a loss by several methods, with the local quadratic at every step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor

from newton_core.curvature import CurvatureError
from newton_core.curvature.surrogate import NewtonSettings, curvature_matrices
from newton_core.losses.base import Derivatives, LossFunction
from newton_core.losses.plain import derivatives_of
from newton_core.settings import setting
from newton_core.tensors import to_float64

Method = Literal["gradient_descent", "momentum", "adam", "newton"]
_ADAM_BETAS = (0.9, 0.999)
_ADAM_EPS = 1e-8


class DescentSettings(NewtonSettings):
    """A method of descent and its settings; those of the Newton step only matter to "newton"."""

    label: str = setting("", "Name of the walk; empty means named after its method.", max_length=40)
    method: Method = setting("gradient_descent", "How a step is chosen.", title="Method")
    lr: float = setting(
        1.0, "Learning rate: the step is this times the direction.",
        title="Learning rate", scale="log", ge=1e-8, le=1e6,
    )  # fmt: skip
    momentum: float = setting(
        0.9, "Share of its last step that momentum keeps.", title="Momentum", ge=0.0, lt=1.0
    )  # fmt: skip

    @model_validator(mode="after")
    def _name(self) -> "DescentSettings":
        if not self.label:
            object.__setattr__(self, "label", self._default_label())
        return self

    def _default_label(self) -> str:
        if self.method != "newton":
            return {
                "gradient_descent": "Gradient descent",
                "momentum": "Momentum",
                "adam": "Adam",
            }[self.method]
        if self.curvature == "fisher":
            return "Fisher"
        return {"raw": "Newton", "clip": "Newton, clipped", "saddle_free": "Newton, saddle-free"}[
            self.definiteness
        ]


@dataclass(frozen=True)
class Descent:
    """K steps of one method from each of N starts.

    A start whose descent meets NaN or infinity stops there: ``ended`` says at which step, and
    every later entry is NaN.

    Attributes:
        settings: of the method.
        positions: (K + 1, N, m) in the dtype of the start; the first is the start.
        values: (K + 1, N) the loss at each position.
        gradients: (K + 1, N, m).
        curvatures: (K + 1, N, m, m) float64: C of the local quadratic
            value + gradient.d + 1/2 d^T C d. For "newton" it is the matrix of the Newton step
            (after the definiteness rule, without tikhonov), for the others the point's own Hessian.
        predicted: (K, N) decrease that the quadratic promised for each step.
        actual: (K, N) decrease of the loss.
        trust: (K, N) actual over predicted: 1 where the quadratic is exact; NaN for a step of 0.
        ended: (N,) the first step that was not taken because something was not finite, or K.
        problem: why the first start to stop did so; None if no start stopped.
    """

    settings: DescentSettings
    positions: Tensor
    values: Tensor
    gradients: Tensor
    curvatures: Tensor
    predicted: Tensor
    actual: Tensor
    trust: Tensor
    ended: Tensor
    problem: str | None


def descend(
    loss: LossFunction,
    start: Float[Tensor, "N m"],
    methods: Sequence[DescentSettings],
    *,
    steps: int,
    target: Tensor | None = None,
) -> list[Descent]:
    """Descends the loss with each method from the same N starts.

    The N starts are one batch, as in training: the empirical Fisher and the batch-mean Hessian
    are averages over them. Each method has its own batch. A batch of one start has the curvature
    of that point alone; its Fisher g g^T has rank one, and
    (g g^T + tikhonov I)^-1 g = g / (|g|^2 + tikhonov): the step keeps the gradient's direction but
    is short where gradients explode and long where they vanish.

    Args:
        loss: callable (y, target) -> (N,), twice differentiable.
        start: points to start from.
        methods: the methods to compare, at least one.
        steps: number of steps K, at least 1.
        target: what the loss compares the points with, one entry per start.

    Raises:
        ValueError: there is no method or no step.
    """
    if steps < 1 or not methods:
        raise ValueError("a descent needs at least one method and one step")
    running = [_RunningDescent(settings, start, steps) for settings in methods]
    repeated = None if target is None else target.repeat(len(methods), *[1] * (target.dim() - 1))
    for step in range(steps + 1):
        # The points of all methods go to the loss together: one call per step is fastest.
        points = torch.cat([one.position for one in running])
        derivatives = derivatives_of(loss, points, repeated)
        for i, one in enumerate(running):
            rows = slice(i * len(start), (i + 1) * len(start))
            one.visit(derivatives.rows(rows), step, last=step == steps)
    return [one.result() for one in running]


class _RunningDescent:
    """The state of one method's descent between two steps."""

    def __init__(self, settings: DescentSettings, start: Tensor, steps: int) -> None:
        self.settings = settings
        self.position = start.detach().clone()
        self.alive = torch.ones(len(start), dtype=torch.bool, device=start.device)
        self.ended = torch.full((len(start),), steps, device=start.device)
        self.problem: str | None = None
        self.first_moment = torch.zeros_like(self.position)
        self.second_moment = torch.zeros_like(self.position)
        self.visited: list[tuple[Tensor, Derivatives, Tensor]] = []
        self.predicted: list[Tensor] = []

    def visit(self, here: Derivatives, step: int, *, last: bool) -> None:
        """Records the derivatives at the current position, then steps unless it is the last."""
        finite = torch.isfinite(here.value) & torch.isfinite(here.gradient).all(1)
        self._stop_where(~finite, step, "the loss or its gradient is not finite")
        matrices = self._matrices(here)
        self.visited.append((self.position, here, matrices))
        if last:
            return
        taken = self._step(here, step)
        self._stop_where(~torch.isfinite(taken).all(1), step, "the step is not finite")
        d = to_float64(taken)
        slope = (to_float64(here.gradient) * d).sum(1)
        bend = torch.einsum("ni,nij,nj->n", d, matrices, d)
        self.predicted.append(-(slope + bend / 2))
        self.position = self.position + taken

    def _stop_where(self, where: Tensor, step: int, problem: str) -> None:
        where = where & self.alive
        if where.any():
            self.problem = self.problem or f"step {step + 1}: {problem}"
            self.ended[where] = step
            self.alive = self.alive & ~where

    def _matrices(self, here: Derivatives) -> Tensor:
        """C of the local quadratic at each start; NaN for starts that have stopped."""
        assert here.hessian is not None
        matrices = torch.full_like(to_float64(here.hessian), torch.nan)
        if self.alive.any():
            living = here.rows(self.alive)
            if self.settings.method == "newton":
                matrices[self.alive] = curvature_matrices(living, self.settings.step)
            else:
                matrices[self.alive] = to_float64(here.hessian)[self.alive]
        return matrices

    def _step(self, here: Derivatives, step: int) -> Tensor:
        """The step of each start, NaN for starts that have stopped."""
        settings = self.settings
        gradient = here.gradient.to(self.position.dtype).view_as(self.position)
        if settings.method == "gradient_descent":
            direction = gradient
        elif settings.method == "momentum":
            self.first_moment = direction = settings.momentum * self.first_moment + gradient
        elif settings.method == "adam":
            direction = self._adam(gradient, step)
        else:
            direction = self._newton(here, step)
        return torch.where(self.alive[:, None], -settings.lr * direction, torch.nan)

    def _adam(self, gradient: Tensor, step: int) -> Tensor:
        decay_first, decay_second = _ADAM_BETAS
        self.first_moment = torch.lerp(gradient, self.first_moment, decay_first)
        self.second_moment = torch.lerp(gradient.square(), self.second_moment, decay_second)
        mean = self.first_moment / (1 - decay_first ** (step + 1))
        square = self.second_moment / (1 - decay_second ** (step + 1))
        return mean / (square.sqrt() + _ADAM_EPS)

    def _newton(self, here: Derivatives, step: int) -> Tensor:
        direction = torch.full_like(self.position, torch.nan)
        if self.alive.any():
            try:
                direction[self.alive] = self.settings.step.direction(here.rows(self.alive))
            except CurvatureError as error:
                self._stop_where(self.alive, step, str(error))
        return direction

    def result(self) -> Descent:
        """The descent as it was recorded."""
        positions, derivatives, matrices = zip(*self.visited, strict=True)
        values = torch.stack([d.value for d in derivatives])
        predicted = torch.stack(self.predicted)
        actual = -to_float64(values).diff(dim=0)
        return Descent(
            settings=self.settings,
            positions=torch.stack(positions),
            values=values,
            gradients=torch.stack([d.gradient for d in derivatives]),
            curvatures=torch.stack(matrices),
            predicted=predicted,
            actual=actual,
            trust=torch.where(predicted == 0, torch.nan, actual / predicted),
            ended=self.ended,
            problem=self.problem,
        )
