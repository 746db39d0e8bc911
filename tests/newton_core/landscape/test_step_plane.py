"""The plane of a gradient and its Newton step, against geometry and by-hand linear algebra."""

import math

import pytest
import torch
from torch import Tensor

from newton_core import build_loss, newton_direction, permutation_matrix
from newton_core.curvature import NewtonStep
from newton_core.landscape.step_plane import compare, step_plane

STRETCH = torch.diag(torch.tensor([100.0, 1.0, 4.0], dtype=torch.float64))


def bowl(y: Tensor, target: Tensor | None = None) -> Tensor:
    """1/2 y^T diag(100, 1, 4) y: its quadratic is itself."""
    return ((y @ STRETCH) * y).sum(1) / 2


def at(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_the_plane_holds_gradient_step_and_target_by_hand() -> None:
    y = at([0.1, 2.0, -1.0], [0.2, 1.0, 1.0])
    seen = step_plane(bowl, y, None, NewtonStep("hessian", tikhonov=0.5), sample=1)
    gradient = STRETCH @ y[1]
    direction = gradient / (STRETCH.diagonal() + 0.5)
    assert seen.step is not None
    assert seen.change is not None
    assert seen.matrix is not None
    torch.testing.assert_close(seen.basis @ seen.basis.mT, torch.eye(2, dtype=torch.float64))
    torch.testing.assert_close(seen.step @ seen.basis, -direction)
    torch.testing.assert_close(seen.basis[0], -gradient / gradient.norm())
    assert seen.step[1] > 0, "the step goes up in the picture"
    cosine = (gradient @ direction / gradient.norm() / direction.norm()).item()
    assert seen.change.degrees == pytest.approx(math.degrees(math.acos(cosine)))
    assert seen.change.ratio == pytest.approx((direction.norm() / gradient.norm()).item())
    torch.testing.assert_close(seen.matrix, seen.basis @ STRETCH @ seen.basis.mT)


def test_the_quadratic_of_a_quadratic_is_the_loss_and_its_lowest_place_is_the_target() -> None:
    y = at([0.1, 2.0, -1.0])
    seen = step_plane(bowl, y, None, NewtonStep("hessian", tikhonov=1e-9), points=61)
    for view in seen.views:
        assert view.quadratic is not None
        assert seen.step is not None
        torch.testing.assert_close(view.quadratic, view.loss, rtol=1e-6, atol=1e-6)
        row, column = divmod(int(view.quadratic.argmin()), len(view.a))
        spacing = (view.a[1] - view.a[0]).item()
        assert abs(view.a[column] - seen.step[0]) <= spacing
        assert abs(view.b[row] - seen.step[1]) <= spacing


def test_damping_that_drowns_the_curvature_only_rescales() -> None:
    y = at([0.1, 2.0, -1.0])
    seen = step_plane(bowl, y, None, NewtonStep("hessian", tikhonov=1e8), earlier=0.5)
    assert seen.change is not None
    assert seen.before is not None
    assert seen.earlier is not None
    assert seen.change.degrees < 1e-3
    assert seen.second == "steepest"
    assert seen.change.ratio == pytest.approx(1e-8, rel=1e-5)
    small, large = (
        newton_direction(bowl, y, tikhonov=tikhonov).flatten() for tikhonov in (0.5, 1e8)
    )
    assert seen.before == compare(small, large)
    assert 10 < seen.before.degrees < 90
    # Where the step is parallel, the second axis is C's steepest direction across it.
    across = torch.eye(3, dtype=torch.float64) - torch.outer(seen.basis[0], seen.basis[0])
    steepest = torch.linalg.eigvalsh(across @ STRETCH @ across).max()
    assert seen.matrix is not None
    assert seen.matrix[1, 1].item() == pytest.approx(steepest.item())


def test_lengths_are_kept_in_one_view_and_equal_in_the_other() -> None:
    y = at([0.01, 2.0, -1.0])
    seen = step_plane(bowl, y, None, NewtonStep("hessian", tikhonov=0.1))
    true, alike = seen.views
    assert seen.step is not None
    assert true.gradient[0].item() == pytest.approx(seen.gradient_norm)
    assert alike.gradient.norm().item() == pytest.approx(seen.step.norm().item())
    for view in seen.views:
        width, height = view.a[-1] - view.a[0], view.b[-1] - view.b[0]
        assert width.item() == pytest.approx(height.item()), "equal aspect"
        assert view.a[0] < min(0.0, seen.step[0])
        assert view.b[-1] > seen.step[1]


def test_a_gradient_far_longer_than_the_step_leaves_the_picture() -> None:
    y = at([3.0, 0.0, 0.1])
    seen = step_plane(bowl, y, None, NewtonStep("hessian", tikhonov=1e-3))
    assert seen.change is not None
    assert seen.change.ratio < 0.02
    true = seen.views[0]
    assert true.a[-1] < seen.gradient_norm
    assert true.a[-1] > 5 * 3.0


@pytest.mark.parametrize("curvature", ["hessian", "fisher"])
def test_a_whole_batch_is_compared_as_one_vector(curvature: str) -> None:
    generator = torch.Generator().manual_seed(3)
    y = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    target = permutation_matrix(torch.rand(12, 4, generator=generator)).double()
    loss = build_loss("neuralsort", temperature=0.5)
    step = NewtonStep("hessian" if curvature == "hessian" else "fisher", tikhonov=0.2)
    seen = step_plane(loss, y, target, step)
    gradient = loss.derivatives(y, target, hessian=False).gradient
    assert seen.sample == int(gradient.norm(dim=1).argmax())
    expected = compare(gradient, step.direction_at(loss, y, target))
    assert seen.batch_change is not None
    assert seen.batch_change.ratio == pytest.approx(expected.ratio)
    assert seen.batch_change.degrees == pytest.approx(expected.degrees)


def test_without_curvature_there_is_the_gradient_alone() -> None:
    seen = step_plane(bowl, at([0.1, 2.0, -1.0]), None, NewtonStep("none"))
    assert seen.step is None
    assert seen.change is None
    assert seen.matrix is None
    assert seen.problem is None
    assert all(view.quadratic is None for view in seen.views)


def test_a_singular_step_says_why_and_leaves_the_gradient() -> None:
    def linear(y: Tensor, target: Tensor | None = None) -> Tensor:
        return y.sum(1) - 0.05 * y.square().sum(1)

    seen = step_plane(linear, at([0.0, 0.0]), None, NewtonStep("hessian", tikhonov=0.1))
    assert seen.step is None
    assert seen.problem is not None
    assert "singular" in seen.problem


def test_costs_that_cannot_be_are_blank_and_fill_no_more_than_half() -> None:
    loss = build_loss("bellman_ford")
    costs = torch.full((2, 3, 3), 0.2)
    path = torch.zeros(2, 3, 3)
    for tile in range(3):
        path[:, tile, tile] = 1
    seen = step_plane(loss, costs, path, NewtonStep("none"))
    blank = torch.isnan(seen.views[0].loss).double().mean().item()
    assert 0 < blank < 0.6
    step = step_plane(loss, costs, path, NewtonStep("fisher", tikhonov=0.1))
    assert step.step is not None


def test_a_sampled_loss_has_the_same_noise_everywhere() -> None:
    noise = torch.Generator().manual_seed(0)  # under some, no sample's gradient is other than zero
    loss = build_loss("smoothed_loss", sigma=0.5, samples=3, generator=noise)
    costs = torch.rand(3, 3, 3, generator=torch.Generator().manual_seed(1)) + 0.5
    path = torch.zeros(3, 3, 3)
    for tile in range(3):
        path[:, tile, tile] = 1
    state = loss.generator.get_state()
    first = step_plane(loss, costs, path, NewtonStep("fisher"), sample=1)
    assert torch.equal(state, loss.generator.get_state())
    again = step_plane(loss, costs, path, NewtonStep("fisher"), sample=1)
    for one, other in zip(first.views, again.views, strict=True):
        torch.testing.assert_close(one.loss, other.loss, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (at([math.nan, 1.0, 1.0]), "outputs are not finite"),
        (at([0.0, 0.0, 0.0]), "gradient of sample 1 is zero"),
        (torch.ones(2, 1), "one output"),
    ],
)
def test_what_has_no_step_says_so(y: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step_plane(bowl, y, None, NewtonStep())


def test_a_sample_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no sample 4 in a batch of 1"):
        step_plane(bowl, at([1.0, 1.0, 1.0]), None, NewtonStep(), sample=4)
