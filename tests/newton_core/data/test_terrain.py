import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from newton_core.algorithms import shortest_path
from newton_core.algorithms.shortest_path import order_tiles
from newton_core.data import MapDataset, Maps, TerrainParameters, load_terrain
from newton_core.data.terrain import COSTS, make_terrain, terrain_dir
from newton_core.data.terrain_drawing import pixel_ground


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    load_terrain.cache_clear()


def small(**parameters: int) -> TerrainParameters:
    return TerrainParameters(**{"train_maps": 40, "test_maps": 30, **parameters})


def load_again(parameters: TerrainParameters) -> MapDataset:
    load_terrain.cache_clear()
    return parameters.load()


def equal(a: MapDataset, b: MapDataset) -> bool:
    return all(
        torch.equal(getattr(x, name), getattr(y, name))
        for x, y in ((a.train, b.train), (a.test, b.test))
        for name in ("images", "costs", "paths")
    )


@pytest.mark.parametrize(("height", "width"), [(12, 12), (5, 9), (20, 7), (3, 3)])
def test_any_size(height: int, width: int) -> None:
    dataset = small(height=height, width=width).load()
    for part, count in ((dataset.train, 40), (dataset.test, 30)):
        assert len(part) == count
        assert part.grid == (height, width)
        assert part.images.shape == (count, 3, 8 * height, 8 * width)
        assert part.images.dtype == torch.uint8
        assert set(part.costs.unique().tolist()) <= {float(np.float32(cost)) for cost in COSTS}


def test_paths_are_the_cheapest() -> None:
    part = small().load().train
    found = shortest_path(part.costs.double())
    totals = (part.paths * part.costs.double()).sum(dim=(1, 2))
    torch.testing.assert_close(totals, found.cost)
    for path in part.paths:
        assert len(order_tiles(path.numpy())) == path.sum()


@pytest.mark.parametrize("size", [(12, 12), (8, 12)])
def test_constant_costs_solve_no_map(size: tuple[int, int]) -> None:
    height, width = size
    dataset = small(height=height, width=width, test_maps=200).load()
    straight = shortest_path(torch.ones(1, *size)).path
    for part in (dataset.train, dataset.test):
        costs = part.costs.double()
        solved = (costs * straight).sum(dim=(1, 2)) <= shortest_path(costs).cost + 1e-6
        assert solved.double().mean() <= 0.02


def test_maps_have_regions_and_every_kind_of_ground() -> None:
    ground = make_terrain(300, 12, 12, np.random.default_rng(0))
    shares = [(ground == kind).mean() for kind in range(5)]
    assert min(shares) > 0.1
    alike = (ground[:, 1:] == ground[:, :-1]).mean()
    assert alike > 0.5, "scattered tiles would agree with one neighbour in five"


def test_ties_stay() -> None:
    """Maps with cheapest paths other than the label, which a nudge of the costs finds."""
    part = small(train_maps=200).load().train
    costs = part.costs.double()
    best = shortest_path(costs).cost
    nudge = 1e-4 * torch.rand(costs.shape, generator=torch.Generator().manual_seed(0)).double()
    other = shortest_path(costs + nudge).path
    tied = ((other * costs).sum(dim=(1, 2)) - best).abs() < 1e-5
    assert (tied & (other != part.paths).flatten(1).any(dim=1)).double().mean() > 0.2


def test_the_seed_decides_everything() -> None:
    first = small().load()
    terrain_dir().rename(terrain_dir().with_name("moved"))
    assert equal(first, load_again(small()))
    other = small(map_seed=1).load()
    assert not torch.equal(first.train.images, other.train.images)
    more = load_again(small(train_maps=60))
    assert torch.equal(more.train.costs[:40], first.train.costs)


def test_no_test_map_is_a_training_map() -> None:
    dataset = small(train_maps=300, test_maps=300).load()
    seen = {costs.numpy().tobytes() for costs in dataset.train.costs}
    assert not any(costs.numpy().tobytes() in seen for costs in dataset.test.costs)


def test_pictures_show_the_ground() -> None:
    """The mean colour of each tile's middle tells its cost, by the nearest colour in training."""
    dataset = small(train_maps=100).load()

    def middles(part: Maps) -> torch.Tensor:
        tiles = part.images.float().view(len(part), 3, 12, 8, 12, 8)
        return tiles[:, :, :, 2:6, :, 2:6].mean(dim=(3, 5)).permute(0, 2, 3, 1).reshape(-1, 3)

    train, costs = middles(dataset.train), dataset.train.costs.flatten()
    colours = torch.stack([train[costs == cost].mean(dim=0) for cost in costs.unique()])
    nearest = torch.cdist(middles(dataset.test), colours).argmin(dim=1)
    assert (costs.unique()[nearest] == dataset.test.costs.flatten()).double().mean() > 0.9


def test_borders_are_irregular_and_centres_are_not() -> None:
    ground = make_terrain(20, 12, 12, np.random.default_rng(0))
    texel = np.random.default_rng(1).integers(0, 128**2, (20, 1, 1))
    texel = (texel + np.arange(96)[:, None] * 128 + np.arange(96)) % 128**2
    kind, shares = pixel_ground(ground, texel)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    other = (kind != ground.repeat(8, axis=1).repeat(8, axis=2)).reshape(20, 12, 8, 12, 8)
    assert not other[:, :, 3:5, :, 3:5].any()
    assert 0.01 < other.mean() < 0.2


def test_is_cached_on_disk_and_in_memory() -> None:
    first = small().load()
    assert small().load() is first
    (file,) = terrain_dir().glob("*.npz")
    stamp = file.stat().st_size
    assert equal(first, load_again(small()))
    assert file.stat().st_size == stamp


def test_a_damaged_cache_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    first = small().load()
    (file,) = terrain_dir().glob("*.npz")
    file.write_bytes(file.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING):
        assert equal(first, load_again(small()))
    assert f"{file} cannot be read and is made again" in caplog.text
    assert file.stat().st_size > 1000


def test_works_where_no_cache_can_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "terrain").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert len(small().load().train) == 40
    assert "maps are not cached" in caplog.text


def test_old_caches_are_removed() -> None:
    for seed in range(8):
        load_again(small(train_maps=10, test_maps=10, map_seed=seed))
    kept = sorted(path.name for path in terrain_dir().iterdir())
    assert kept == [f"v1-12x12-10-10-{seed}.npz" for seed in range(2, 8)]


def test_refuses_what_does_not_fit_memory() -> None:
    with pytest.raises(ValidationError, match=r"more than 2 GiB: use at most 2730 maps"):
        TerrainParameters(height=64, width=64, train_maps=3000, test_maps=10)


def test_normalised_by_the_channels_of_the_training_maps() -> None:
    dataset = small(train_maps=300).load()
    pixels = dataset.normalise(dataset.train.images)
    assert pixels.dtype == torch.float32
    torch.testing.assert_close(pixels.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(pixels.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)
    mean, deviation = dataset.channels
    torch.testing.assert_close(
        dataset.normalise(dataset.test.images), (dataset.test.images - mean) / deviation
    )
