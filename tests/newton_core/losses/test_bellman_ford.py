from itertools import product

import pytest
import torch
from torch import Tensor

from newton_core.algorithms import shortest_path
from newton_core.algorithms.soft_shortest_path import Loop, soft_shortest_path
from newton_core.losses import autodiff_derivatives, build_loss
from newton_core.losses.bellman_ford import BellmanFord
from tests.newton_core.losses.checks import LossCase, close, family_test
from tests.newton_core.losses.path_cases import draw_grids

SETTINGS = [(loop, distance) for loop in ("for", "while") for distance in ("l1", "l2")]

test_family = family_test(
    [
        LossCase("bellman_ford", draw_grids(3, 4), parameters={"loop": loop, "distance": distance})
        for loop, distance in SETTINGS
    ]
)


@pytest.mark.parametrize(("loop", "distance"), SETTINGS)
@pytest.mark.parametrize("inverse_temperature", [0.5, 20.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 4), (5, 2), (4, 4), (7, 8)])
def test_compiled_derivatives_equal_autodiff(size, inverse_temperature, loop, distance):
    """(7, 8) has more costs than the kernel takes at a time."""
    y, target = draw_grids(*size)(2, torch.Generator().manual_seed(0))
    loss = build_loss(
        "bellman_ford", inverse_temperature=inverse_temperature, loop=loop, distance=distance
    )
    assert isinstance(loss, BellmanFord)
    fast, slow = loss.derivatives(y, target), autodiff_derivatives(loss._by_torch, y, target)
    close(fast.value, slow.value, 1e-12)
    close(fast.gradient, slow.gradient, 1e-11)
    close(fast.hessian, slow.hessian, 1e-10)
    plain = loss.derivatives(y, target, hessian=False)
    assert plain.hessian is None
    assert torch.equal(plain.value, fast.value)
    assert torch.equal(plain.gradient, fast.gradient)
    single = loss.derivatives(y.float(), target.float(), hessian=False)
    assert single.gradient.dtype == torch.float32
    close(single.gradient.double(), fast.gradient, 1e-4)


@pytest.mark.parametrize(("loop", "distance"), SETTINGS)
def test_equal_and_extreme_costs_give_torch_s_gradients(loop: Loop, distance: str) -> None:
    loss = BellmanFord(loop=loop, distance=distance)
    y, target = draw_grids(4, 5)(4, torch.Generator().manual_seed(0))
    y[0], y[1], y[2] = 1.0, 1e-9, torch.where(target[2] > 0, 1e-3, 1e6)
    fast = loss.derivatives(y, target, hessian=False)
    slow = autodiff_derivatives(loss._by_torch, y, target, hessian=False)
    close(fast.value, slow.value, 1e-12)
    close(fast.gradient, slow.gradient, 1e-11)
    turned = y.mT.contiguous().mT
    assert not turned.is_contiguous()
    assert torch.equal(loss.derivatives(turned, target, hessian=False).gradient, fast.gradient)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own jvp
def test_its_graph_serves_every_transform() -> None:
    loss = BellmanFord()
    y, target = draw_grids(3, 3)(2, torch.Generator().manual_seed(0))
    expected = autodiff_derivatives(loss._by_torch, y, target)
    second = expected.hessian
    assert second is not None
    close(autodiff_derivatives(loss, y, target).hessian, second, 1e-11)
    leaf = y.clone().requires_grad_(True)
    values = loss(leaf, target)
    close(values.detach(), expected.value, 1e-12)
    (weighted,) = torch.autograd.grad(values, leaf, torch.tensor([1.0, -2.0]).double())
    close(weighted.flatten(1), expected.gradient * torch.tensor([[1.0], [-2.0]]), 1e-11)
    assert not loss(y, target).requires_grad

    def one(y: Tensor, target: Tensor) -> Tensor:
        return loss(y[None], target[None])[0]

    close(torch.func.vmap(one)(y, target), expected.value, 1e-12)
    slopes = torch.func.grad(lambda y: loss(y, target).sum())(y)
    close(slopes.flatten(1), expected.gradient, 1e-11)
    for outer, inner in product((torch.func.jacfwd, torch.func.jacrev), repeat=2):
        found = outer(inner(lambda y: loss(y, target).sum()))(y)
        close(found[0, :, :, 0].flatten(0, 1).flatten(1), second[0], 1e-11)


def test_the_true_path_costs_nothing_when_it_is_sharp() -> None:
    generator = torch.Generator().manual_seed(1)
    target = draw_grids(6, 6)(20, generator)[1]
    y = torch.where(target > 0, 0.1, 2.0).double()
    loss = build_loss("bellman_ford", inverse_temperature=50.0)
    assert loss(y, target).max() < 1e-3
    others = loss(y, target.mT)
    assert others[(target != target.mT).flatten(1).any(dim=1)].min() > 1


def test_distances_are_sums_over_the_tiles() -> None:
    y, target = draw_grids(3, 4)(3, torch.Generator().manual_seed(0))
    error = soft_shortest_path(y, 5.0) - target
    torch.testing.assert_close(build_loss("bellman_ford")(y, target), error.abs().sum(dim=(1, 2)))
    torch.testing.assert_close(
        build_loss("bellman_ford", distance="l2")(y, target), error.square().sum(dim=(1, 2))
    )


@pytest.mark.parametrize("loop", ["for", "while"])
def test_a_long_true_path_can_be_found(loop) -> None:
    """Through a maze: every other row from end to end."""
    y = torch.full((1, 12, 12), 100.0).double()
    y[:, ::2] = 1
    y[:, 1::4, -1] = y[:, 3::4, 0] = y[:, 11, -1] = 1
    y[:, 10, 10] = 0.1  # which of two tiles comes before the last is no tie
    path = shortest_path(y).path
    assert path.sum() == 58
    loss = build_loss("bellman_ford", inverse_temperature=20.0, loop=loop)
    for found in (loss(y, path), loss.derivatives(y, path).value):
        assert found.item() < 1e-3, "25 moves left most of the tiles out"
    short = build_loss("bellman_ford", moves=25)
    for call in (short, short.derivatives):
        with pytest.raises(ValueError, match=r"0 has 58 tiles, more than 25 moves.*at least 57"):
            call(y, path)


def test_moves_default_to_what_they_were() -> None:
    y, target = draw_grids(12, 12)(4, torch.Generator().manual_seed(0))
    for call in (lambda loss: loss(y, target), lambda loss: loss.derivatives(y, target).hessian):
        assert torch.equal(
            call(build_loss("bellman_ford")), call(build_loss("bellman_ford", moves=25))
        )
    assert not torch.equal(
        build_loss("bellman_ford")(y, target), build_loss("bellman_ford", moves=60)(y, target)
    )


def test_targets_that_are_no_path_and_too_few_moves_are_refused() -> None:
    y, target = draw_grids(4, 4)(1, torch.Generator().manual_seed(0))
    drawn = {
        "nothing": "0000 0000 0000 0000",
        "a gap": "1000 0100 0000 0001",
        "no end": "1000 0100 0010 0000",
        "a tile apart": "1001 0100 0010 0001",
        "a tile apart from a detour": "1001 1100 0010 0001",
        "a soft tile": "1000 0100 00h0 0001",
    }
    for loss in (build_loss("bellman_ford"), build_loss("perturbed_fy", samples=2)):
        for words, tiles in drawn.items():
            numbers = [0.5 if c == "h" else float(c) for c in tiles.replace(" ", "")]
            for call in (loss, loss.derivatives):
                with pytest.raises(ValueError, match="must be 1 on tiles that join the firs") as e:
                    call(y, torch.tensor(numbers).view(1, 4, 4))
                assert "sample 0" in str(e.value), words
        loss(y, target)
        loss(y, torch.tensor([[[1.0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]]]))
    y, target = draw_grids(3, 4)(3, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="has 4 tiles, more than 2 moves can reach"):
        build_loss("bellman_ford", moves=2)(y, target)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_refuses_costs_without_a_cheapest_path(bad):
    y, target = draw_grids(3, 4)(4, torch.Generator().manual_seed(0))
    y[3, 2, 1] = bad
    for call in (build_loss("bellman_ford"), build_loss("bellman_ford").derivatives):
        with pytest.raises(ValueError, match=r"sample 3 .*row 2, column 1"):
            call(y, target)


def test_its_hessian_is_left_out_of_diagnostics() -> None:
    assert build_loss("bellman_ford").costly_hessian
    assert not build_loss("perturbed_fy").costly_hessian
