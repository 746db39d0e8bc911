from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from newton_core.models import (
    AnyMapModel,
    MapModelParameters,
    Resnet18BlockParameters,
    TileCnnParameters,
    build_seeded,
)
from newton_core.models.map_model import SMALLEST_COST, TileCosts

MODELS = [TileCnnParameters(), TileCnnParameters(channels=3), Resnet18BlockParameters()]


def images(height: int, width: int, tile: int, count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, height * tile, width * tile, generator=generator)


@pytest.mark.parametrize("parameters", MODELS, ids=repr)
@pytest.mark.parametrize("size", [(12, 12, 8), (5, 7, 8), (4, 4, 6), (3, 5, 5)])
def test_one_positive_cost_a_tile(
    parameters: MapModelParameters, size: tuple[int, int, int]
) -> None:
    height, width, tile = size
    model = build_seeded(parameters, (height, width), tile, seed=0)
    costs = model(images(*size))
    assert costs.shape == (2, height, width)
    assert (costs >= SMALLEST_COST).all()
    costs.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert sum(p.grad is not None for p in model.parameters()) == len(list(model.parameters()))


@pytest.mark.parametrize("parameters", MODELS, ids=repr)
def test_weights_are_a_function_of_the_seed_alone(parameters: MapModelParameters) -> None:
    def weights(seed: int) -> torch.Tensor:
        model = build_seeded(parameters, (4, 4), 8, seed)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    torch.manual_seed(0)
    first, state = weights(3), torch.get_rng_state()
    torch.rand(7)
    assert torch.equal(first, weights(3))
    assert not torch.equal(first, weights(4))
    torch.manual_seed(0)
    assert torch.equal(torch.get_rng_state(), state), "the global random numbers are left alone"


def test_tile_cnn_sees_each_tile_by_itself() -> None:
    model = build_seeded(TileCnnParameters(), (6, 6), 8, seed=0)
    pictures = images(6, 6, 8)
    before = model(pictures)
    pictures[:, :, 16:24, 8:16] += 1.0  # tile (2, 1)
    changed = model(pictures) != before
    assert changed[:, 2, 1].all()
    changed[:, 2, 1] = False
    assert not changed.any()


def test_resnet18_block_is_that_of_a_resnet18() -> None:
    """The stem and first stage of a ResNet-18 have 157,504 weights, and look beyond a tile."""
    model = build_seeded(Resnet18BlockParameters(), (12, 12), 8, seed=0)
    assert sum(p.numel() for p in model.parameters()) == 9408 + 128 + 4 * 36864 + 4 * 128
    model.eval()
    pictures = images(12, 12, 8)
    before = model(pictures)
    pictures[:, :, 40:48, 40:48] += 1.0
    changed = (model(pictures) != before).nonzero()[:, 1:]
    assert len(changed.unique(dim=0)) > 1


def test_costs_stay_positive_where_softplus_underflows() -> None:
    costs = TileCosts()(torch.full((1, 1, 2, 2), -1e4))
    torch.testing.assert_close(costs, torch.full((1, 2, 2), SMALLEST_COST))


@pytest.mark.parametrize(
    "record", [{"name": "tile_cnn", "channels": 0}, {"name": "resnet"}, {"name": "mlp"}]
)
def test_refuses_unknown_networks(record: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AnyMapModel).validate_python(record)
