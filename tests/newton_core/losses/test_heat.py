import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss, newton_direction
from newton_core.curvature import hessian_direction
from newton_core.losses import Heat, autodiff_derivatives
from newton_core.losses.heat import blur, spread
from tests.newton_core.losses.checks import LossCase, close, family_test


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y, target = torch.randn(2, samples, 3, 4, generator=generator, dtype=torch.float64)
    return y, target


test_family = family_test([LossCase("heat", draw, positive_semidefinite=True)])


def laplacian(height: int, width: int) -> Tensor:
    """Of the grid's graph: neighbours share heat, none leaves."""
    L = torch.zeros(height * width, height * width, dtype=torch.float64)
    for row in range(height):
        for column in range(width):
            here = row * width + column
            for down, right in ((1, 0), (0, 1)):
                if row + down < height and column + right < width:
                    there = (row + down) * width + column + right
                    L[[here, there], [here, there]] += 1
                    L[[here, there], [there, here]] -= 1
    return L


def test_spreads_as_the_matrix_exponential_of_the_grid() -> None:
    y, _ = draw(5, torch.Generator().manual_seed(0))
    B = torch.from_numpy(expm(-0.7 * laplacian(3, 4).numpy()))
    assert_close(Heat(time=0.7).simulate(y).flatten(1), y.flatten(1) @ B)
    hessian = build_loss("heat", time=0.7).mean_hessian(y, y)
    assert_close(hessian, B @ B)


def test_spreads_as_the_heat_equation_does() -> None:
    y, _ = draw(1, torch.Generator().manual_seed(0))
    L = laplacian(3, 4).numpy()
    end = solve_ivp(lambda _, u: -L @ u, (0.0, 1.0), y[0].flatten().numpy(), rtol=1e-9, atol=1e-12)
    assert_close(Heat().simulate(y)[0].flatten(), torch.from_numpy(end.y[:, -1]), atol=1e-7, rtol=0)


def test_no_heat_leaves() -> None:
    y, _ = draw(5, torch.Generator().manual_seed(0))
    assert_close(Heat(time=3.0).simulate(y).sum((1, 2)), y.sum((1, 2)))


def test_the_step_is_that_of_the_general_hessian() -> None:
    y, target = torch.randn(2, 9, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    loss = build_loss("heat")
    dense = autodiff_derivatives(loss, y, target)
    assert dense.hessian is not None
    for tikhonov in (1e-3, 0.1):
        close(
            newton_direction(loss, y, target, tikhonov=tikhonov).flatten(1),
            hessian_direction(dense.gradient, dense.hessian, tikhonov),
            1e-6,
        )


def test_the_condition_of_digits_is_five_million() -> None:
    y = torch.zeros(1, 8, 8, dtype=torch.float64)
    hessian = build_loss("heat").mean_hessian(y, y)
    assert hessian is not None
    assert torch.linalg.cond(hessian).item() == pytest.approx(5e6, rel=0.1)
    assert dict(Heat.conditions())[8] == pytest.approx(torch.linalg.cond(hessian).item(), rel=1e-6)


def test_a_step_on_large_pictures_forms_no_matrix_of_their_pixels() -> None:
    """256 x 256 pixels: a Hessian would take 34 GB."""
    y, target = torch.rand(2, 4, 256, 256)
    step = newton_direction(build_loss("heat"), y, target, tikhonov=0.01)
    assert torch.isfinite(step).all()


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("y", "target", "words"),
    [
        (torch.zeros(2, 5), torch.zeros(2, 5), r"shape \(N, h, w\), got \(2, 5\)"),
        (torch.zeros(2, 0, 3), torch.zeros(2, 0, 3), r"got \(2, 0, 3\)"),
        (torch.zeros(2, 3, 3), torch.zeros(2, 3, 4), r"\(2, 3, 3\); got \(2, 3, 4\)"),
        (torch.zeros(2, 3, 3), None, "got none"),
    ],
)
def test_says_which_shapes_would_be_right(y: Tensor, target: Tensor | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_loss("heat")(y, target)


def test_a_first_use_in_inference_mode_leaves_training_alone() -> None:
    y, target = torch.rand(2, 2, 5, 7)
    expected = build_loss("heat").derivatives(y, target)
    for kept in (blur, spread):
        kept.cache_clear()
    loss = build_loss("heat")
    with torch.inference_mode():
        loss(y, target)
        newton_direction(loss, y.clone(), target.clone())
    y.requires_grad_(True)
    loss(y, target).sum().backward()
    assert y.grad is not None
    close(y.grad.flatten(1), expected.gradient, 1e-6)
