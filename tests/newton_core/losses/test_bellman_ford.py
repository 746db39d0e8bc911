import pytest
import torch

from newton_core.losses import autodiff_derivatives, build_loss
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
    fast, slow = loss.derivatives(y, target), autodiff_derivatives(loss, y, target)
    close(fast.value, slow.value, 1e-12)
    close(fast.gradient, slow.gradient, 1e-11)
    close(fast.hessian, slow.hessian, 1e-10)
    plain = loss.derivatives(y, target, hessian=False)
    assert plain.hessian is None
    close(plain.gradient, fast.gradient, 1e-11)


def test_the_true_path_costs_nothing_when_it_is_sharp() -> None:
    generator = torch.Generator().manual_seed(1)
    target = draw_grids(6, 6)(20, generator)[1]
    y = torch.where(target > 0, 0.1, 2.0).double()
    loss = build_loss("bellman_ford", inverse_temperature=50.0)
    assert loss(y, target).max() < 1e-3
    assert loss(y, 1 - target).min() > 30


def test_distances_are_sums_over_the_tiles() -> None:
    y, target = draw_grids(3, 4)(3, torch.Generator().manual_seed(0))
    none = torch.zeros_like(target)
    path = torch.zeros_like(target)
    for i in range(3):
        for j in range(4):
            one = none.clone()
            one[:, i, j] = 1
            # |p - 1| - |p| = 1 - 2 p where only this tile is marked
            gain = build_loss("bellman_ford")(y, one) - build_loss("bellman_ford")(y, none)
            path[:, i, j] = (1 - gain) / 2
    error = path - target
    torch.testing.assert_close(build_loss("bellman_ford")(y, target), error.abs().sum(dim=(1, 2)))
    torch.testing.assert_close(
        build_loss("bellman_ford", distance="l2")(y, target), error.square().sum(dim=(1, 2))
    )


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
