"""What holds for all three losses on perturbed paths."""

import copy

import pytest
import torch
from pydantic import ValidationError

from newton_core import NewtonLoss, OpaqueLossError
from newton_core.curvature import fisher_direction
from newton_core.landscape.grid import Grid
from newton_core.landscape.outputs import OutputPlane, output_landscape
from newton_core.losses import autodiff_derivatives, build_loss
from newton_core.losses.base import LOSSES
from tests.newton_core.losses.path_cases import draw_grids, seeded_loss

pytestmark = pytest.mark.parametrize(
    "name", ["smoothed_loss", "smoothed_algorithm", "perturbed_fy"]
)


def grids(samples=5, size=(4, 5)):
    return draw_grids(*size)(samples, torch.Generator().manual_seed(0))


def test_forward_passes_the_estimated_gradient_back(name):
    y, target = grids()
    y.requires_grad_(True)
    value = seeded_loss(name)(y, target)
    weights = torch.arange(1.0, 6.0).double()
    (value * weights).sum().backward()
    expected = seeded_loss(name).derivatives(y, target, hessian=False)
    assert torch.equal(value.detach(), expected.value)
    torch.testing.assert_close(y.grad.flatten(1), expected.gradient * weights[:, None])


def test_forward_cannot_be_differentiated_twice(name):
    y, target = grids()
    y.requires_grad_(True)
    (gradient,) = torch.autograd.grad(build_loss(name)(y, target).sum(), y, create_graph=True)
    with pytest.raises(RuntimeError, match=r"twice.* from derivatives\(y, target\)"):
        gradient.sum().backward()
    with pytest.raises(OpaqueLossError, match="cannot be differentiated twice"):
        autodiff_derivatives(build_loss(name), y, target)


def test_noise_comes_from_the_generator_alone(name):
    y, target = grids()
    loss = build_loss(name, generator=torch.Generator().manual_seed(5))
    torch.manual_seed(0)
    first, second = loss(y, target), loss(y, target)
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    loss.generator.manual_seed(5)
    assert torch.equal(loss(y, target), first)
    twin = copy.deepcopy(loss)
    assert torch.equal(twin(y, target), loss(y, target))


def test_the_global_seed_fixes_the_noise(name):
    """And without a seed, ten losses have ten kinds of noise."""
    y, target = grids()

    def values():
        torch.manual_seed(3)
        return [build_loss(name)(y, target) for _ in range(10)]

    first, again = values(), values()
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({tuple(value.tolist()) for value in first}) == 10
    torch.manual_seed(4)
    assert not torch.equal(build_loss(name)(y, target), first[0])


def test_ranks_draw_different_noise(name, monkeypatch):
    y, target = grids()
    values = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        torch.manual_seed(3)
        values.append(build_loss(name)(y, target))
    assert not torch.equal(*values)


def test_the_state_holds_the_generator(name, tmp_path):
    y, target = grids()
    loss = NewtonLoss(build_loss(name), curvature="fisher")
    loss(y, target)
    torch.save(loss.state_dict(), tmp_path / "state.pt")
    expected = loss(y, target)
    other = NewtonLoss(build_loss(name), curvature="fisher")
    assert not torch.equal(other(y, target), expected)
    other.load_state_dict(torch.load(tmp_path / "state.pt"))
    assert torch.equal(other(y, target), expected)


def test_a_hessian_does_not_change_the_samples(name):
    y, target = grids()
    loss = seeded_loss(name)
    plain = loss.derivatives(y, target, hessian=False)
    loss.generator.manual_seed(0)
    full = loss.derivatives(y, target)
    assert plain.hessian is None
    assert torch.equal(plain.value, full.value)
    torch.testing.assert_close(plain.gradient, full.gradient)


def test_the_mean_hessian_comes_from_the_same_samples(name):
    y, target = grids()
    loss = seeded_loss(name)
    full = loss.derivatives(y.double(), target)
    loss.generator.manual_seed(0)
    mean = loss.mean_derivatives(y.double(), target)
    assert torch.equal(mean.value, full.value)
    assert torch.equal(mean.gradient, full.gradient)
    torch.testing.assert_close(mean.hessian, full.hessian.mean(0).expand_as(full.hessian))
    assert mean.hessian.stride(0) == 0


def test_the_generator_is_no_part_of_the_schema(name):
    loss_class = LOSSES.get(name)
    assert "generator" not in loss_class.Parameters.model_json_schema()["properties"]
    with pytest.raises(ValidationError):
        loss_class.Parameters.model_validate({"name": name, "generator": None})


def test_costs_below_the_noise_are_clamped(name):
    y, target = grids()
    derivatives = build_loss(name, sigma=10.0).derivatives(y * 1e-3, target)
    for tensor in (derivatives.value, derivatives.gradient, derivatives.hessian):
        assert torch.isfinite(tensor).all()


def test_batches_of_70_maps_use_the_small_fisher_system(name):
    """144 outputs, 70 samples: the direction equals that of the full 144 x 144 matrix."""
    y, target = grids(70, (12, 12))
    gradient = seeded_loss(name).derivatives(y, target, hessian=False).gradient
    direction = fisher_direction(gradient, 0.1)
    fisher = gradient.mT @ gradient / 70 + 0.1 * torch.eye(144).double()
    torch.testing.assert_close(direction, torch.linalg.solve(fisher, gradient.mT).mT)
    y.requires_grad_(True)
    NewtonLoss(seeded_loss(name), curvature="fisher", tikhonov=0.1)(y, target).backward()
    torch.testing.assert_close(y.grad.flatten(1), direction / 70)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_costs_without_a_cheapest_path(name, bad):
    y, target = grids()
    y[3, 2, 1] = bad
    with pytest.raises(ValueError, match=r"sample 3 .*row 2, column 1"):
        build_loss(name)(y, target)


@pytest.mark.parametrize(
    ("shape", "target", "message"),
    [
        ((5, 20), torch.ones(5, 20), r"shape \(N, h, w\), got \(5, 20\)"),
        ((5, 4, 5), None, "needed as the target, got None"),
        ((5, 4, 5), torch.ones(5, 5, 4), r"\(5, 4, 5\), got \(5, 5, 4\)"),
    ],
)
def test_refuses_what_is_no_batch_of_grids(name, shape, target, message):
    with pytest.raises(ValueError, match=message):
        build_loss(name)(torch.ones(shape), target)


def test_slices_leave_out_where_costs_are_not_positive(name):
    """A slice that reaches below zero has no values there, and the loss's own elsewhere."""
    y, target = grids(2)
    loss = build_loss(name)
    state = loss.generator.get_state()
    drawn = output_landscape(
        loss,
        y,
        target,
        sample=0,
        plane=OutputPlane(first=6, second=7),
        grid=Grid(points=5, span=2 * y[0, 1, 1].item()),
    )
    assert torch.equal(loss.generator.get_state(), state)
    assert torch.isnan(drawn.loss[:, :2]).all(), "a = -2 y and -y"
    assert torch.isfinite(drawn.loss[2, 2:]).all()
    torch.testing.assert_close(drawn.loss[2, 2], loss(y[:1], target[:1])[0].double())
