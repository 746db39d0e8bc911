"""Networks whose parts were put in another order, or in another layout, give the same outputs."""

import pytest
import torch
from torch import Tensor, nn

from newton_core.landscape import (
    Grid,
    ParameterFunction,
    filter_normalised_plane,
    model_weights,
    parameter_landscape,
)
from newton_core.landscape.grid import plane_points
from newton_core.landscape.layout import pool_first
from newton_core.tasks import Batch

GRID = Grid(points=3)


def convolutions() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1),
        nn.Flatten(), nn.Linear(16, 2),
    )  # fmt: skip


class TakenApart(nn.Module):
    """Takes something out between two parts of a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.last = nn.Linear(3 * 64, 2)

    def forward(self, x: Tensor) -> Tensor:
        seen: Tensor = self.last(self.parts[1](self.parts[0](x)).flatten(1))
        return seen


def names(network: nn.Module) -> list[str]:
    return [type(part).__name__ for part in network.modules()]


def test_the_maximum_is_taken_first_and_no_bit_changes() -> None:
    network, x = convolutions().eval(), torch.randn(4, 1, 8, 8)
    outputs = network(x)
    pool_first(network, x, outputs)
    assert names(network)[2:4] == ["MaxPool2d", "ReLU"]
    assert torch.equal(network(x), outputs)


def test_a_network_that_uses_its_parts_apart_stays_as_it_is() -> None:
    network, x = TakenApart().eval(), torch.randn(4, 1, 8, 8)
    before, outputs = names(network), network(x)
    pool_first(network, x, outputs)
    assert names(network) == before


@pytest.mark.parametrize("build", [convolutions, TakenApart])
def test_the_layout_changes_values_by_rounding_alone(build: type[nn.Module]) -> None:
    model = build().double()
    plane = filter_normalised_plane(model_weights(model), seed=0)
    batch = Batch(inputs=torch.randn(4, 1, 8, 8).double(), target=torch.randn(4, 2).double())

    def loss(y: Tensor, target: Tensor | None) -> Tensor:
        assert target is not None
        return (y - target).square().sum(1)

    plain = parameter_landscape(model, plane, loss, batch, GRID).values
    function = ParameterFunction(model, plane, loss, batch, channels_last=True)
    a, b = plane_points(*GRID.axes()).unbind(1)
    torch.testing.assert_close(function.at(a, b).view(3, 3), plain, rtol=1e-12, atol=0)
