import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import Tensor
from torch.testing import assert_close

from newton_core import Derivatives, NewtonLoss, build_loss, newton_direction
from newton_core.losses import Trajectory, autodiff_derivatives
from tests.newton_core.losses.checks import LossCase, close, family_test


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y, target = torch.randn(2, samples, 7, 2, generator=generator, dtype=torch.float64)
    return y, target


def exact_drive(y: Tensor, target: Tensor | None) -> Tensor:
    """Accelerations are the second differences of the positions, from rest at the origin."""
    assert target is not None
    start = torch.zeros_like(target[:, :2])
    return torch.cat((start, target), dim=1).diff(dim=1).diff(dim=1) * (7 / 4.0) ** 2


def linear(**parameters: Any) -> LossCase:
    best = None if parameters else exact_drive
    return LossCase("trajectory", draw, best, parameters, positive_semidefinite=True)


def dragged(**parameters: Any) -> LossCase:
    return LossCase("trajectory", draw, None, {"drag": 0.6, **parameters}, huge=1.0)


test_family = family_test(
    [
        linear(),
        linear(way_points=3, effort=0.1),
        linear(way_points=2),
        dragged(),
        dragged(way_points=3, effort=0.1),
    ]
)


def loop(accelerations: np.ndarray, dt: float, drag: float) -> np.ndarray:
    """The simulation as one would write it by hand."""
    position, velocity, path = np.zeros(2), np.zeros(2), []
    for acceleration in accelerations:
        slowed = drag * np.linalg.norm(velocity) * velocity
        velocity = velocity + dt * (acceleration - slowed)
        position = position + dt * velocity
        path.append(position)
    return np.array(path)


@pytest.mark.parametrize("drag", [0.0, 0.8])
def test_drives_as_a_plain_loop_does(drag: float) -> None:
    y, _ = draw(4, torch.Generator().manual_seed(0))
    loss = Trajectory(drag=drag, duration=3.0)
    for driven, accelerations in zip(loss.simulate(y), y, strict=True):
        # speeds are smoothed by 0.001 at rest
        expected = torch.from_numpy(loop(accelerations.numpy(), 3.0 / 7, drag))
        assert_close(driven, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("drag", [0.0, 0.8])
def test_tends_to_the_continuous_path(drag: float) -> None:
    def push(t: float) -> np.ndarray:
        return np.array([math.sin(2 * t), math.cos(t)])

    def motion(t: float, state: np.ndarray) -> np.ndarray:
        velocity = state[2:]
        return np.concatenate((velocity, push(t) - drag * np.linalg.norm(velocity) * velocity))

    end = solve_ivp(motion, (0.0, 4.0), np.zeros(4), rtol=1e-8, atol=1e-10).y[:2, -1]
    off = []
    for steps in (200, 400):
        accelerations = torch.tensor(np.array([push(4.0 * t / steps) for t in range(steps)]))
        driven = Trajectory(drag=drag).simulate(accelerations[None])[0, -1]
        off.append(float((driven - torch.from_numpy(end)).norm()))
    assert off[1] < 0.03
    assert off[1] == pytest.approx(off[0] / 2, rel=0.1)  # the integrator is of first order


@pytest.mark.parametrize("parameters", [{}, {"way_points": 5, "effort": 0.01}, {"drag": 0.4}])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-9)])
def test_the_mean_path_of_the_step_is_the_general_one(
    parameters: dict[str, Any], dtype: torch.dtype, tolerance: float
) -> None:
    y, target = torch.randn(2, 16, 20, 2, generator=torch.Generator().manual_seed(1)).to(dtype)
    loss = build_loss("trajectory", **parameters)
    general = newton_direction(Unknown(loss), y.double(), target.double(), tikhonov=0.1)
    close(newton_direction(loss, y, target, tikhonov=0.1), general, tolerance)


class Unknown:
    """The same loss as a mere function: automatic differentiation and N Hessians."""

    def __init__(self, loss: torch.nn.Module) -> None:
        self.loss = loss

    def __call__(self, y: Tensor, target: Tensor) -> Any:
        return self.loss(y, target)


def test_gauss_newton_leaves_out_what_vanishes_on_the_wanted_path() -> None:
    exact = build_loss("trajectory", drag=0.6)
    gauss_newton = build_loss("trajectory", drag=0.6, second_derivatives="gauss_newton")
    y, target = draw(5, torch.Generator().manual_seed(0))
    away = hessian_of(gauss_newton.derivatives(y, target))
    assert (torch.linalg.eigvalsh(away) > 0).all()
    assert not torch.allclose(away, hessian_of(exact.derivatives(y, target)), rtol=1e-2)
    arrived = exact.simulate(y) if isinstance(exact, Trajectory) else target
    assert_close(
        hessian_of(gauss_newton.derivatives(y, arrived)),
        hessian_of(exact.derivatives(y, arrived)),
    )


def hessian_of(derivatives: Derivatives) -> Tensor:
    assert derivatives.hessian is not None
    return derivatives.hessian


def test_drag_can_bend_a_path_into_negative_curvature() -> None:
    y, target = draw(20, torch.Generator().manual_seed(0))
    hessian = autodiff_derivatives(build_loss("trajectory", drag=2.0), y, 3 * target).hessian
    assert hessian is not None
    assert (torch.linalg.eigvalsh(hessian)[:, 0] < -1e-3).any()


def test_the_condition_grows_with_the_fourth_power_of_the_steps() -> None:
    def condition(steps: int) -> float:
        y = torch.zeros(1, steps, 2, dtype=torch.float64)
        eigenvalues = build_loss("trajectory").mean_hessian(y, y)
        assert eigenvalues is not None
        return float(torch.linalg.cond(eigenvalues))

    assert condition(64) == pytest.approx(1.33 * 64.5**4, rel=0.01)
    assert condition(64) / condition(32) == pytest.approx(16, rel=0.06)


def test_a_newton_step_without_damping_lands_on_the_path() -> None:
    y, target = draw(3, torch.Generator().manual_seed(0))
    step = newton_direction(build_loss("trajectory"), y, target, tikhonov=1e-12)
    close(Trajectory().simulate(y - step), target, 1e-8)


def test_way_points_leave_the_path_between_them_free() -> None:
    loss = build_loss("trajectory", way_points=3)
    y = torch.zeros(1, 9, 2)
    at, between = torch.zeros(2, 1, 9, 2)
    at[0, [2, 5, 8]] = 1.0
    between[0, [0, 1, 3, 4, 6, 7]] = 1.0
    assert loss(y, at).item() == 3.0
    assert loss(y, between).item() == 0.0


def test_training_through_it_needs_no_hessian_per_sample() -> None:
    """4,096 samples of 256 outputs: their Hessians would take 2 GB, in float64."""
    y, target = torch.randn(2, 4096, 128, 2)
    y.requires_grad_(True)
    NewtonLoss(build_loss("trajectory"), tikhonov=0.1)(y, target).backward()
    assert y.grad is not None


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("y", "target", "words"),
    [
        (torch.zeros(2, 5), torch.zeros(2, 5), r"shape \(N, T, 2\) with T >= 1 steps"),
        (torch.zeros(2, 0, 2), torch.zeros(2, 0, 2), r"T >= 1 steps, got \(2, 0, 2\)"),
        (torch.zeros(2, 5, 3), torch.zeros(2, 5, 3), r"shape \(N, T, 2\)"),
        (torch.zeros(2, 5, 2), torch.zeros(2, 6, 2), r"\(2, 5, 2\); got \(2, 6, 2\)"),
        (torch.zeros(2, 5, 2), None, "got none"),
    ],
)
def test_says_which_shapes_would_be_right(y: Tensor, target: Tensor | None, words: str) -> None:
    loss = build_loss("trajectory")
    for ask in (loss, loss.derivatives):
        with pytest.raises(ValueError, match=words):
            ask(y, target)


def test_refuses_more_way_points_than_steps() -> None:
    with pytest.raises(ValueError, match="6 way-points need a path of at least 6 steps, it has 5"):
        build_loss("trajectory", way_points=6)(torch.zeros(1, 5, 2), torch.zeros(1, 5, 2))
