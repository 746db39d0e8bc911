"""Landscapes of outputs: the loss itself, and surrogates that touch it where they should."""

from typing import Any

import pytest
import torch
from torch import Tensor

from newton_core import build_loss, newton_target
from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature.surrogate import NewtonSettings
from newton_core.landscape import Grid, OutputLandscape, OutputPlane, output_landscape
from newton_core.landscape.outputs import orthonormal
from newton_core.records import to_json

HESSIAN = NewtonSettings(tikhonov=0.05)
PER_SAMPLE = NewtonSettings(tikhonov=0.05, hessian="per_sample")
FISHER = NewtonSettings(tikhonov=0.05, curvature="fisher")


def ranking(N: int = 4, n: int = 5) -> tuple[Any, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    y = 2 * torch.randn(N, n, generator=generator, dtype=torch.float64)
    target = permutation_matrix(torch.randn(N, n, generator=generator)).double()
    return build_loss("neuralsort", temperature=1.0), y, target


def bowl(y: Tensor, target: Tensor) -> Tensor:
    """A quadratic with a full Hessian, the same at every point."""
    A = torch.tensor([[3.0, 1.0, 0.0], [1.0, -2.0, 0.5], [0.0, 0.5, 1.0]], dtype=y.dtype)
    d = y - target
    return torch.einsum("ni,ij,nj->n", d, A, d) / 2


@pytest.mark.parametrize("sample", [None, 2])
@pytest.mark.parametrize("kind", ["coordinates", "newton", "eigenvectors"])
def test_the_landscape_is_the_loss(sample: int | None, kind: Any) -> None:
    loss, y, target = ranking()
    plane = OutputPlane(kind=kind, first=3, second=1)
    cut = output_landscape(
        loss, y, target, sample=sample, plane=plane, grid=Grid(points=11, span=2.0),
        surrogates=[HESSIAN],
    )  # fmt: skip
    rows = slice(None) if sample is None else slice(sample, sample + 1)
    for j, i in [(0, 0), (3, 9), (10, 4), (7, 7)]:
        moved = y[rows] + cut.a[i] * cut.basis[0] + cut.b[j] * cut.basis[1]
        expected = loss(moved, target[rows]).mean()
        torch.testing.assert_close(cut.loss[j, i], expected)
    assert cut.loss[5, 5].item() == loss(y[rows], target[rows]).mean().item()
    torch.testing.assert_close(cut.basis @ cut.basis.T, torch.eye(2, dtype=torch.float64))


def second_differences(cut: OutputLandscape, values: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient (2,) and Hessian (2, 2) of a layer at its centre, by central differences."""
    h = (cut.a[1] - cut.a[0]).item()
    c = len(cut.a) // 2
    block = values[c - 1 : c + 2, c - 1 : c + 2]
    gradient = torch.stack(
        [(block[1, 2] - block[1, 0]) / (2 * h), (block[2, 1] - block[0, 1]) / (2 * h)]
    )
    aa = (block[1, 2] - 2 * block[1, 1] + block[1, 0]) / h**2
    bb = (block[2, 1] - 2 * block[1, 1] + block[0, 1]) / h**2
    ab = (block[2, 2] - block[2, 0] - block[0, 2] + block[0, 0]) / (4 * h**2)
    return gradient, torch.stack([torch.stack([aa, ab]), torch.stack([ab, bb])])


@pytest.mark.parametrize(
    ("sample", "settings"), [(None, HESSIAN), (None, PER_SAMPLE), (1, PER_SAMPLE)]
)
def test_the_hessian_surrogate_has_the_loss_s_value_gradient_and_second_derivatives(
    sample: int | None, settings: NewtonSettings
) -> None:
    loss, y, target = ranking()
    cut = output_landscape(
        loss, y, target, sample=sample, grid=Grid(points=5, span=1e-3), surrogates=[settings]
    )
    layer = cut.surrogates[0].values
    assert layer[2, 2] == cut.loss[2, 2]
    true_gradient, true_hessian = second_differences(cut, cut.loss)
    gradient, hessian = second_differences(cut, layer)
    torch.testing.assert_close(gradient, true_gradient, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(hessian, true_hessian, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(hessian, cut.surrogates[0].matrix, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(gradient, cut.gradient.components, rtol=1e-4, atol=1e-7)


def test_the_fisher_surrogate_touches_with_the_same_gradient_and_its_own_curvature() -> None:
    loss, y, target = ranking()
    cut = output_landscape(loss, y, target, grid=Grid(points=5, span=1e-3), surrogates=[FISHER])
    layer = cut.surrogates[0]
    assert layer.values[2, 2] == cut.loss[2, 2]
    gradient, hessian = second_differences(cut, layer.values)
    torch.testing.assert_close(gradient, cut.gradient.components, rtol=1e-4, atol=1e-7)
    G = loss.derivatives(y, target, hessian=False).gradient
    fisher = cut.basis @ (G.T @ G / len(G)) @ cut.basis.T
    torch.testing.assert_close(hessian, fisher, rtol=1e-3, atol=1e-5)
    assert layer.eigenvalues.min() >= 0


@pytest.mark.parametrize("sample", [None, 0])
@pytest.mark.parametrize("plane", [OutputPlane(), OutputPlane(kind="newton")])
def test_on_a_quadratic_the_surrogate_is_the_loss_everywhere(
    sample: int | None, plane: OutputPlane
) -> None:
    y = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    cut = output_landscape(
        bowl, y, torch.zeros_like(y), sample=sample, plane=plane,
        grid=Grid(points=21, span=10.0), surrogates=[HESSIAN],
    )  # fmt: skip
    torch.testing.assert_close(cut.surrogates[0].values, cut.loss, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("settings", [HESSIAN, PER_SAMPLE, FISHER], ids=str)
def test_z_star_is_the_stationary_point_of_the_damped_surrogate(settings: NewtonSettings) -> None:
    loss, y, target = ranking(N=6, n=3)
    cut = output_landscape(
        loss, y, target, sample=2, plane=OutputPlane(kind="newton"), surrogates=[settings],
        grid=Grid(points=41, span=4.0), damped=True,
    )  # fmt: skip
    layer = cut.surrogates[0]
    assert layer.target is not None
    assert layer.direction is not None
    assert layer.direction.outside < 1e-7, "the plane was made to hold it"
    z = newton_target(
        loss, y, target, curvature=settings.curvature, tikhonov=0.05, hessian=settings.hessian
    )
    torch.testing.assert_close(layer.target @ cut.basis, (z - y)[2])
    # In n = 3 outputs with a shift that changes nothing, the plane holds all of the quadratic's
    # gradient, so that its stationary point on the plane is z* itself.
    damped = layer.matrix + settings.tikhonov * torch.eye(2, dtype=torch.float64)
    torch.testing.assert_close(damped @ layer.target, -cut.gradient.components)


def test_the_least_value_of_a_definite_damped_surrogate_is_at_z_star() -> None:
    loss, y, target = ranking(N=6, n=3)
    settings = NewtonSettings(tikhonov=0.1, definiteness="saddle_free")
    cut = output_landscape(
        loss, y, target, sample=0, plane=OutputPlane(kind="newton"), surrogates=[settings],
        grid=Grid(points=101, span=3.0), damped=True,
    )  # fmt: skip
    layer = cut.surrogates[0]
    assert layer.target is not None
    j, i = divmod(int(layer.values.argmin()), 101)
    assert abs(cut.a[i] - layer.target[0]) <= 0.031
    assert abs(cut.b[j] - layer.target[1]) <= 0.031


@pytest.mark.parametrize("rule", ["raw", "clip", "saddle_free"])
def test_the_cross_is_the_eigenbasis_of_the_curvature_on_the_plane(rule: Any) -> None:
    y = torch.ones(1, 3, dtype=torch.float64)
    settings = NewtonSettings(definiteness=rule)
    layer = output_landscape(bowl, y, 0 * y, surrogates=[settings]).surrogates[0]
    for value, axis in zip(layer.eigenvalues, layer.eigenvectors, strict=True):
        torch.testing.assert_close(layer.matrix @ axis, value * axis)
    assert (layer.eigenvalues.min() < -1e-9) == (rule == "raw")


def test_arrows_say_how_much_of_them_leaves_the_plane() -> None:
    y = torch.tensor([[3.0, 4.0, 12.0]], dtype=torch.float64)
    cut = output_landscape(lambda y, t: y.square().sum(1) / 2, y, None, surrogates=[])
    assert cut.gradient.components.tolist() == [3.0, 4.0]
    assert cut.gradient.length == 13.0
    assert cut.gradient.outside == pytest.approx(12 / 13)


@pytest.mark.parametrize("settings", [HESSIAN, FISHER], ids=str)
@pytest.mark.parametrize("sample", [None, 1])
def test_a_fitting_range_is_round_and_holds_every_z_star(
    settings: NewtonSettings, sample: int | None
) -> None:
    loss, y, target = ranking()
    stiff = settings.model_copy(update={"tikhonov": 100.0})
    cut = output_landscape(
        loss, y, target, sample=sample, plane=OutputPlane(kind="newton"),
        surrogates=[settings, stiff], fit=True,
    )  # fmt: skip
    lengths = [layer.direction.length for layer in cut.surrogates if layer.direction is not None]
    assert len(lengths) == 2
    span = cut.a[-1].item()
    assert max(lengths) < span < 3.1 * max(lengths)
    assert f"{span:.0e}"[0] in "125"
    assert span == pytest.approx(float(f"{span:.0e}"))


def test_without_a_direction_a_fitting_range_is_the_grid_s_own() -> None:
    y = torch.ones(1, 2, dtype=torch.float64)
    flat = output_landscape(bowl_of_nothing, y, None, grid=Grid(points=5, span=7.0), fit=True)
    assert flat.a[-1].item() == 7.0


def bowl_of_nothing(y: Tensor, target: Tensor | None) -> Tensor:
    """No gradient anywhere."""
    return (0 * y).sum(1)


def test_shift_invariance_shows_in_the_slice() -> None:
    loss, y, target = ranking()
    moved = output_landscape(loss, y + 7.0, target, surrogates=[HESSIAN])
    cut = output_landscape(loss, y, target, surrogates=[HESSIAN])
    torch.testing.assert_close(moved.loss, cut.loss)
    torch.testing.assert_close(moved.surrogates[0].values, cut.surrogates[0].values)
    along = torch.stack([torch.ones(5), torch.tensor([1.0, -1.0, 0.0, 0.0, 0.0])]).double()
    flat = output_landscape(loss, y, target, plane=along, surrogates=[])
    torch.testing.assert_close(flat.loss, flat.loss[:, :1].expand_as(flat.loss))


def test_outputs_of_any_shape() -> None:
    y = torch.rand(2, 3, 4, dtype=torch.float64)
    plane = OutputPlane(first=11, second=0)
    cut = output_landscape(
        lambda y, t: (y**3).flatten(1).sum(1), y, None, sample=1, plane=plane,
        grid=Grid(points=3), surrogates=[HESSIAN],
    )  # fmt: skip
    moved = y[1].clone()
    moved[2, 3] += 1
    moved[0, 0] -= 1
    torch.testing.assert_close(cut.loss[0, 2], (moved**3).sum())


def test_a_singular_system_has_no_direction_and_says_why() -> None:
    y = torch.ones(1, 2, dtype=torch.float64)
    settings = NewtonSettings(tikhonov=1.0)
    cut = output_landscape(lambda y, t: -y.square().sum(1) / 2, y, None, surrogates=[settings])
    layer = cut.surrogates[0]
    assert layer.direction is None
    assert layer.target is None
    assert layer.problem is not None
    assert "singular" in layer.problem
    assert torch.isfinite(layer.values).all()


def test_a_loss_that_is_not_finite_is_drawn_as_far_as_it_goes() -> None:
    y = torch.ones(1, 2)
    cut = output_landscape(
        lambda y, t: y.log().sum(1), y, None, grid=Grid(points=5, span=2.0), surrogates=[FISHER]
    )
    assert torch.isfinite(cut.loss).any()
    assert not torch.isfinite(cut.loss).all()
    record = to_json(cut)
    assert record["loss"][0][0] is None
    assert record["surrogates"][0]["settings"]["curvature"] == "fisher"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sample": 4}, "no sample 4 in a batch of 4"),
        ({"plane": OutputPlane(first=1, second=1)}, "from 0 to 4"),
        ({"plane": OutputPlane(first=0, second=5)}, "from 0 to 4"),
        ({"plane": OutputPlane(kind="newton"), "surrogates": []}, "needs a surrogate"),
        ({"plane": torch.ones(2, 5)}, "parallel"),
        ({"plane": torch.zeros(2, 5)}, "parallel, zero"),
    ],
)
def test_planes_that_are_none_are_refused(arguments: dict[str, Any], words: str) -> None:
    loss, y, target = ranking()
    with pytest.raises(ValueError, match=words):
        output_landscape(loss, y, target, **arguments)


def test_orthonormal_keeps_the_plane_and_the_first_way() -> None:
    directions = torch.tensor([[2.0, 0.0, 0.0], [5.0, 3.0, 4.0]], dtype=torch.float64)
    expected = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], dtype=torch.float64)
    torch.testing.assert_close(orthonormal(directions), expected)
