"""Accelerations drive a point mass: the path that they lead to is compared with the wanted one."""

import functools
import math
from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from newton_core.labels import Labels
from newton_core.losses.base import LossParameters, TargetKind, register_loss
from newton_core.losses.constant_hessian import ConstantHessian
from newton_core.losses.simulator import SimulatorLoss
from newton_core.settings import setting
from newton_core.tensors import check_finite, check_floating, to_float64, to_keep

REST = 1e-3
"""Speed below which drag is smoothed: |v| itself has no second derivative at rest."""


class TrajectoryParameters(LossParameters):
    """Half the squared distance between a point mass's path and the wanted one."""

    title = "Trajectory of a point mass"
    name: Literal["trajectory"] = "trajectory"
    duration: float = setting(
        4.0, "Time that the whole path takes, however many steps it is cut into.",
        title="Duration", unit="seconds", scale="log", ge=0.1, le=100.0,
    )  # fmt: skip
    way_points: int = setting(
        0, "Steps at which the paths are compared, evenly spaced, the last included; 0: all.",
        title="Way-points compared", ge=0, le=64,
    )  # fmt: skip
    effort: float = setting(
        0.0, "Weight of half the squared accelerations, added to the squared distances: among"
        " many paths through the way-points it asks for the calmest.",
        title="Effort", ge=0.0, le=1e3,
    )  # fmt: skip
    drag: float = setting(
        0.0, "Deceleration by the air at speed 1, growing with the square of the speed; above 0"
        " the simulator is nonlinear.",
        title="Drag", unit="1 / length", ge=0.0, le=10.0,
    )  # fmt: skip
    second_derivatives: Annotated[
        Literal["exact", "gauss_newton"], Labels(gauss_newton="Gauss-Newton: JᵀJ")
    ] = setting(
        "exact", "The Hessian under drag: exact, or without the simulator's own curvature. Without"
        " drag both are the same.",
        title="Hessian of the simulator",
    )  # fmt: skip

    def check_steps(self, steps: int) -> None:
        """Refuses a path of fewer steps than way-points.

        Raises:
            ValueError: it has fewer.
        """
        if (count := self.way_points) > steps:
            raise ValueError(
                f"{count} way-points need a path of at least {count} steps, it has {steps}"
            )


@register_loss
class Trajectory(SimulatorLoss[TrajectoryParameters]):
    """1/2 sum_t ||x_t - target_t||^2 + effort/2 sum_t ||a_t||^2 of a path x driven by y = a.

    The point mass starts at rest at the origin. With dt = duration / T and step by step

        v_t = v_{t-1} + dt (a_t - drag |v_{t-1}| v_{t-1}),    x_t = x_{t-1} + dt v_t.

    Without drag x = J a with J_ts = dt^2 (t - s + 1) for s <= t, and the Hessian is J^T J (beside
    the effort), one constant matrix whose condition grows like 1.3 T^4: the gradient J^T r hardly
    sees the last accelerations and feels the first ones all along the path. With drag the
    Hessian depends on the path and may be indefinite; J^T J (Gauss-Newton) never is.

    Shapes: y (N, T, 2) accelerations; target (N, T, 2) wanted positions, the path after each step.
    """

    Parameters = TrajectoryParameters
    target_kind: ClassVar[TargetKind] = "trajectory"

    @property
    def linear(self) -> bool:
        """Without drag."""
        return self.settings.drag == 0

    @property
    def exact(self) -> bool:
        """With drag, unless Gauss-Newton is asked for."""
        return not self.linear and self.settings.second_derivatives == "exact"

    @classmethod
    def conditions(cls) -> list[tuple[int, float]]:
        """By the number of steps, without drag and effort."""
        found = []
        for steps in (2, 4, 8, 16, 32, 64, 128, 256):
            squares = cls().constant_hessian(torch.zeros(1, steps, 2), None).eigenvalues
            found.append((steps, float(squares.max() / squares.min())))
        return found

    def simulate(self, y: Float[Tensor, "N T 2"]) -> Float[Tensor, "N T 2"]:
        """The position after each step.

        Raises:
            TypeError: y is not a floating-point tensor.
            ValueError: y is not (N, T, 2) with at least one step.
        """
        dt = self._step(y)
        if self.linear:
            return y.cumsum(1).cumsum(1) * dt**2
        return torch.stack(self._velocities(y), dim=1).cumsum(1) * dt

    def residual(self, y: Float[Tensor, "N T 2"], target: Tensor | None) -> Float[Tensor, "N r"]:
        """Distances at the compared steps, then the accelerations times sqrt(effort), if any."""
        state = self.simulate(y)
        if target is None or target.shape != y.shape:
            given = "none" if target is None else f"{tuple(target.shape)}"
            raise ValueError(
                f"the wanted path has a position for each acceleration, {tuple(y.shape)};"
                f" got {given}"
            )
        check_finite(target, "the wanted path")
        distance = (state - target.to(state)).index_select(1, self._places(y)).flatten(1)
        if self.settings.effort == 0:
            return distance
        return torch.cat((distance, math.sqrt(self.settings.effort) * y.flatten(1)), dim=1)

    def compared(self, steps: int) -> list[int]:
        """Indices of the steps at which the paths are compared.

        Raises:
            ValueError: there are more way-points than steps.
        """
        self.settings.check_steps(steps)
        count = self.settings.way_points or steps
        return [steps * k // count - 1 for k in range(1, count + 1)]

    def constant_hessian(self, y: Float[Tensor, "N T 2"], target: Tensor | None) -> ConstantHessian:
        """The same matrix (T, T) for both coordinates, by its eigenvectors along time."""
        steps = y.shape[1]
        time = torch.arange(steps, dtype=torch.float64, device=y.device)
        A = (time[:, None] - time + 1).clamp(min=0) * self._step(y) ** 2
        A = A[self.compared(steps)]
        # the singular values keep the digits that A^T A would lose at the small end
        _, sizes, V = torch.linalg.svd(A, full_matrices=True)
        squares = torch.zeros(steps, dtype=A.dtype, device=A.device)
        squares[: len(sizes)] = sizes.square()
        return ConstantHessian(y.shape[1:], (V.mT, None), (squares + self.settings.effort)[:, None])

    def jacobian(self, y: Float[Tensor, "N T 2"], target: Tensor | None) -> Float[Tensor, "N r m"]:
        """Forward through time, once for all accelerations."""
        y = y.detach()
        return self._rows(y, self._sensitivities(y, self._velocities(y)))

    def second_order(
        self, y: Float[Tensor, "N T 2"], target: Tensor | None, residual: Float[Tensor, "N r"]
    ) -> Float[Tensor, "N m m"]:
        """sum_t V_t^T M_t V_t with V_t = dv_t / da: only the drag bends the path."""
        y = y.detach()
        velocities = self._velocities(y)
        V = self._sensitivities(y, velocities)
        bent = self._bends(y, velocities, residual) @ V
        return V.flatten(1, 2).mT @ bent.flatten(1, 2)

    def mean_hessian(
        self, y: Float[Tensor, "N T 2"], target: Tensor | None = None
    ) -> Float[Tensor, "m m"] | None:
        """See :class:`~newton_core.losses.base.Loss`; one pass through time, two products."""
        if self.linear:
            return super().mean_hessian(y, target)
        y = y.detach()
        residual, velocities = self.residual(y, target), self._velocities(y)
        V = self._sensitivities(y, velocities)
        bent = self._bends(y, velocities, residual) @ V
        J = to_float64(self._rows(y, V).flatten(0, 1))
        second = V.flatten(0, 2).mT @ bent.flatten(0, 2)  # in y's dtype: it only adds to J^T J
        return (J.mT @ J + to_float64(second)) / len(y)

    def _rows(
        self, y: Float[Tensor, "N T 2"], V: Float[Tensor, "N T 2 m"]
    ) -> Float[Tensor, "N r m"]:
        """The derivative of the residual, from that of the velocities."""
        N, T, _ = y.shape
        positions = V.cumsum(1) * self._step(y)
        rows = positions.index_select(1, self._places(y)).flatten(1, 2)
        if self.settings.effort == 0:
            return rows
        effort = math.sqrt(self.settings.effort) * torch.eye(2 * T, dtype=V.dtype, device=V.device)
        return torch.cat((rows, effort.expand(N, -1, -1)), dim=1)

    def _bends(
        self,
        y: Float[Tensor, "N T 2"],
        velocities: list[Float[Tensor, "N 2"]],
        residual: Float[Tensor, "N r"],
    ) -> Float[Tensor, "N T 2 2"]:
        """M_t = -dt drag times the second derivative of <p_{t+1}, |v| v> at v_t, 0 at the end.

        p_t is the derivative of <residual, path> in v_t, found backward through time.
        """
        dt, (N, T, _) = self._step(y), y.shape
        compared = self._places(y)
        pull = torch.zeros_like(y)  # the derivative of <residual, path> in each position
        pull.index_copy_(1, compared, residual[:, : 2 * len(compared)].view(N, len(compared), 2))
        pull = pull.flip(1).cumsum(1).flip(1) * dt
        v = torch.stack(velocities, dim=1)
        slopes = self._drag_slope(v.flatten(0, 1)).view(N, T, 2, 2)
        following = [torch.zeros_like(y[:, 0])]  # p_{t+1}, from the end
        for t in range(T - 1, 0, -1):
            state = following[-1]
            slowed = (slopes[:, t] @ state[:, :, None])[:, :, 0]
            following.append(state - dt * slowed + pull[:, t])
        co_states = torch.stack(following[::-1], dim=1).flatten(0, 1)
        bends = _second_derivative(v.flatten(0, 1), co_states).view(N, T, 2, 2)
        return -dt * self.settings.drag * bends

    def _places(self, y: Float[Tensor, "N T 2"]) -> Int[Tensor, " k"]:
        """:meth:`compared` on y's device."""
        return _indices(tuple(self.compared(y.shape[1])), y.device)

    def _step(self, y: Tensor) -> float:
        """Seconds from one step to the next."""
        if y.ndim != 3 or y.shape[1] == 0 or y.shape[2] != 2:
            raise ValueError(
                f"accelerations have shape (N, T, 2) with T >= 1 steps, got {tuple(y.shape)}"
            )
        check_floating(y, "accelerations")
        return self.settings.duration / y.shape[1]

    def _velocities(self, y: Float[Tensor, "N T 2"]) -> list[Float[Tensor, "N 2"]]:
        """v_1 to v_T, under drag."""
        dt, v, seen = self._step(y), torch.zeros_like(y[:, 0]), []
        for acceleration in y.unbind(1):
            v = v + dt * (acceleration - self.settings.drag * _speed(v) * v)
            seen.append(v)
        return seen

    def _sensitivities(
        self, y: Float[Tensor, "N T 2"], velocities: list[Float[Tensor, "N 2"]]
    ) -> Float[Tensor, "N T 2 m"]:
        """dv_1 / da to dv_T / da."""
        dt, (N, T, _) = self._step(y), y.shape
        before = torch.stack([torch.zeros_like(y[:, 0]), *velocities[:-1]], dim=1)
        slopes = self._drag_slope(before.flatten(0, 1)).view(N, T, 2, 2)
        S = torch.zeros(N, T, 2, 2 * T, dtype=y.dtype, device=y.device)
        for t in range(T):
            if t > 0:  # no velocity feels a later acceleration
                past = S[:, t - 1, :, : 2 * t]
                S[:, t, :, : 2 * t] = past - dt * (slopes[:, t] @ past)
            S[:, t, 0, 2 * t] += dt
            S[:, t, 1, 2 * t + 1] += dt
        return S

    def _drag_slope(self, v: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2 2"]:
        """The derivative of drag |v| v in v."""
        speed = _speed(v)[:, :, None]
        identity = torch.eye(2, dtype=v.dtype, device=v.device)
        return self.settings.drag * (speed * identity + v[:, :, None] * v[:, None] / speed)


@functools.lru_cache(maxsize=32)
def _indices(places: tuple[int, ...], device: torch.device) -> Int[Tensor, " k"]:
    """Made once: the host waits for a copy to a GPU."""
    with to_keep():
        return torch.tensor(places, device=device)


def _speed(v: Float[Tensor, "N 2"]) -> Float[Tensor, "N 1"]:
    """|v|, smoothed at rest."""
    return (v.square().sum(1, keepdim=True) + REST**2).sqrt()


def _second_derivative(v: Float[Tensor, "N 2"], p: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2 2"]:
    """The Hessian of <p, |v| v> in v."""
    s = _speed(v)[:, :, None]
    column, row = v[:, :, None], v[:, None]
    product = (p * v).sum(1)[:, None, None]
    identity = torch.eye(2, dtype=v.dtype, device=v.device)
    cross = p[:, :, None] * row + column * p[:, None]
    return cross / s + product * (identity / s - column * row / s**3)
