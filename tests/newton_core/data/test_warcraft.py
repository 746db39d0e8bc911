from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from newton_core.algorithms import shortest_path
from newton_core.data import DatasetError, WarcraftParameters, describe_datasets
from newton_core.data.warcraft import warcraft_dir
from newton_core.tasks import ShortestPathParameters
from newton_core.tasks.base import SampleOutputs
from newton_core.training.context import build_task
from tests.newton_core.training.specs import small_spec

MAPS = {"train": 20, "val": 4, "test": 6}
Arrays = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "warcraft"


def arrays(size: int = 12) -> Arrays:
    """Files of the published format: uint8 maps and paths, half-precision weights."""
    random = np.random.default_rng(size)
    made: dict[str, NDArray[Any]] = {}
    for part, count in MAPS.items():
        weights = random.choice([0.8, 1.2, 5.3, 7.7, 9.2], (count, size, size)).astype(np.float16)
        paths = shortest_path(torch.from_numpy(weights.astype(np.float64))).path
        made[f"{part}_maps"] = random.integers(
            0, 256, (count, 8 * size, 8 * size, 3), dtype=np.uint8
        )
        made[f"{part}_shortest_paths"] = paths.numpy().astype(np.uint8)
        made[f"{part}_vertex_weights"] = weights
    return made


def write(folder: Path, files: Arrays) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in files.items():
        np.save(folder / f"{name}.npy", array)


@pytest.mark.parametrize("size", [12, 18, 24, 30])
def test_reads_the_published_format(folder: Path, size: int) -> None:
    files = arrays(size)
    write(folder, files)
    dataset = WarcraftParameters().load()
    parts = {"train": dataset.train, "val": dataset.validation, "test": dataset.test}
    for part, maps in parts.items():
        assert maps.grid == (size, size)
        assert np.array_equal(maps.images.permute(0, 2, 3, 1), files[f"{part}_maps"])
        assert np.array_equal(maps.paths, files[f"{part}_shortest_paths"])
        assert np.array_equal(maps.costs, files[f"{part}_vertex_weights"].astype(np.float32))
    assert dataset.normalise(dataset.test.images).shape == (6, 3, 8 * size, 8 * size)


def test_runs_stop_by_the_published_validation_maps(folder: Path) -> None:
    files = arrays()
    write(folder, files)
    task = {"name": "shortest_path", "data": {"name": "warcraft"}}
    loss = {"name": "perturbed_fy"}
    found = build_task(small_spec(task=task, loss=loss, arms=[{}], target=0.5, batch_size=4))
    assert found.largest_batch() == MAPS["train"]  # no training map is kept aside
    costs = torch.from_numpy(files["val_vertex_weights"].astype(np.float32))

    class TrueCosts(torch.nn.Module):
        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            return costs[: len(maps)]

    assert found.validate(TrueCosts())["perfect_match"].value == 1.0


def test_the_validation_maps_may_be_left_out_but_only_all_of_them(folder: Path) -> None:
    files = {name: array for name, array in arrays().items() if not name.startswith("val")}
    write(folder, files)
    assert WarcraftParameters().load().validation is None
    write(folder, {"val_maps": arrays()["val_maps"]})
    with pytest.raises(DatasetError, match=r"val_shortest_paths.npy, val_vertex_weights.npy not"):
        WarcraftParameters().load()
    (status,) = WarcraftParameters.status()
    assert not status.found


def test_weights_may_have_any_precision(folder: Path) -> None:
    files = arrays()
    for part in MAPS:
        files[f"{part}_vertex_weights"] = files[f"{part}_vertex_weights"].astype(np.float64)
    write(folder, files)
    assert WarcraftParameters().load().train.costs.dtype == torch.float32


@pytest.mark.parametrize("pattern", ["{}_part{}", "{}_part_{}", "{}_{}", "{}-shard-{}"])
def test_reads_shards_in_their_order(folder: Path, pattern: str) -> None:
    files = arrays()
    shards = dict(files)
    for kind in ("maps", "shortest_paths", "vertex_weights"):
        whole = shards.pop(f"train_{kind}")
        for number in range(11):  # part10 comes after part9, not after part1
            shards[pattern.format(f"train_{kind}", number)] = whole[2 * number : 2 * number + 2]
    write(folder, shards)
    maps = WarcraftParameters().load().train
    assert np.array_equal(maps.costs, files["train_vertex_weights"].astype(np.float32))
    assert np.array_equal(maps.images.permute(0, 2, 3, 1), files["train_maps"])


def test_sizes_may_lie_in_subfolders(folder: Path) -> None:
    write(folder / "18x18", arrays(18))
    write(folder / "12x12", arrays(12))
    assert WarcraftParameters().load().train.grid == (12, 12)
    assert WarcraftParameters(size=18).load().train.grid == (18, 18)
    assert warcraft_dir(24) == folder / "24x24"


@pytest.mark.parametrize(
    "place",
    [
        "warcraft/warcraft_shortest_path_oneskin/12x12",
        "warcraft/warcraft_shortest_path/12_by_12",
        "warcraft_shortest_path_oneskin/12x12",
        "warcraft_maps/12by12",
        "warcraft/12-by-12",
        "warcraft/maps",
    ],
)
def test_the_archive_may_stay_as_it_comes(tmp_path: Path, place: str) -> None:
    write(tmp_path / place, arrays())
    assert WarcraftParameters().folder() == tmp_path / place
    assert WarcraftParameters().load().train.grid == (12, 12)


def test_sizes_in_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "warcraft_shortest_path_oneskin"
    write(archive / "24x24", arrays(24))
    write(archive / "18_by_18", arrays(18))
    assert WarcraftParameters().folder() == archive / "18_by_18"
    assert WarcraftParameters(size=24).grid() == (24, 24)
    assert WarcraftParameters(size=12).folder() == tmp_path / "warcraft" / "12x12"


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_paths_of_other_maps_are_found(folder: Path, part: str) -> None:
    files = arrays()
    files[f"{part}_shortest_paths"] = np.roll(files[f"{part}_shortest_paths"], 1, axis=0)
    write(folder, files)
    with pytest.raises(
        DatasetError,
        match=rf"{part}_shortest_paths.npy: \d+ of {MAPS[part]} paths are not the cheapest of",
    ):
        WarcraftParameters().load()


def test_a_path_with_a_gap_is_found(folder: Path) -> None:
    files = arrays()
    path = files["test_shortest_paths"][2]
    row, column = np.argwhere(path)[5]
    path[row, column] = 0
    write(folder, files)
    with pytest.raises(DatasetError, match=r"1 of 6 paths are not .*that of map 2 costs"):
        WarcraftParameters().load()


def test_the_grid_is_known_without_the_maps(folder: Path) -> None:
    task = ShortestPathParameters(data=WarcraftParameters())
    assert task.outputs_per_sample() == SampleOutputs(144, ("data", "size"))  # nothing is there
    write(folder / "18x18", arrays(18))
    assert task.outputs_per_sample().count == 18**2
    assert WarcraftParameters(size=24).grid() == (24, 24)
    (folder / "18x18" / "train_vertex_weights.npy").write_bytes(b"damaged")
    assert WarcraftParameters().grid() == (12, 12)


def test_says_what_is_missing_and_where_it_is_published(folder: Path) -> None:
    files = arrays()
    del files["test_maps"], files["train_vertex_weights"]
    write(folder, files)
    with pytest.raises(DatasetError) as caught:
        WarcraftParameters().load()
    message = str(caught.value)
    assert "train_vertex_weights.npy, test_maps.npy not found in" in message
    assert str(folder) in message
    assert "doi:10.17617/3.YJCQ5S" in message
    (status,) = (found for found in describe_datasets() if found.name == "warcraft")
    assert not status.found
    assert "test_maps.npy" in status.detail
    assert "doi:10.17617/3.YJCQ5S" in status.detail


def test_says_what_is_there_instead(folder: Path) -> None:
    (folder / "maps.zip").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"not found in .*warcraft \(found maps\.zip\)"):
        WarcraftParameters().load()
    (status,) = WarcraftParameters.status()
    assert "(found maps.zip)" in status.detail


def test_doctor_says_where_it_is(folder: Path) -> None:
    write(folder, arrays())
    (status,) = (found for found in describe_datasets() if found.name == "warcraft")
    assert status.found
    assert status.detail == str(folder)


def _nan(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array[3, 1, 2] = np.nan
    return array


def _zero(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array[3, 1, 2] = 0
    return array


def _two(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array[2, 5, 5] = 2
    return array


def _no_corner(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array[2, -1, -1] = 0
    return array


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "train_maps",
            lambda a: a[..., 0],
            r"maps \(N, H, W, 3\) of uint8, found \(20, 96",
        ),
        ("train_maps", lambda a: a / 255, r"of uint8, found .* of float64"),
        (
            "train_maps",
            lambda a: a[:, :90],
            "whole square tiles, found 20 maps of 90 x 96",
        ),
        ("train_maps", lambda a: a[:15], r"train_shortest_paths.npy: expected \(15, h, w\)"),
        (
            "test_shortest_paths",
            lambda a: a[:, :11],
            r"\(6, 12, 12\) as in .*found \(6, 11",
        ),
        ("test_shortest_paths", _two, r"0 or 1, found 2 in map 2 at tile \(row 5, column 5\)"),
        ("test_shortest_paths", _no_corner, r"map 2 misses the corner \(11, 11\)"),
        ("train_vertex_weights", _nan, r"found nan in map 3 at tile \(row 1, column 2\)"),
        ("train_vertex_weights", _zero, r"positive and finite, found 0.0 in map 3"),
        ("train_vertex_weights", lambda a: a[0], r"one grid for each map, found \(12, 12\)"),
    ],
)
def test_refuses_what_cannot_be(folder: Path, name: str, change: Any, message: str) -> None:
    files = arrays()
    files[name] = change(files[name])
    write(folder, files)
    with pytest.raises(DatasetError, match=message) as caught:
        WarcraftParameters().load()
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("part", ["val", "test"])
def test_refuses_parts_of_two_sizes(folder: Path, part: str) -> None:
    files = arrays()
    files |= {name: array for name, array in arrays(18).items() if name.startswith(part)}
    write(folder, files)
    with pytest.raises(DatasetError, match=f"maps have 12 x 12 tiles, the {part} maps 18 x 18"):
        WarcraftParameters().load()


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_refuses_damaged_files(folder: Path, content: bytes) -> None:
    write(folder, arrays())
    file = folder / "test_maps.npy"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"test_maps.npy: expected an array in .npy format"):
        WarcraftParameters().load()


def test_refuses_truncated_files_and_shards_that_do_not_fit(folder: Path) -> None:
    files = arrays()
    write(folder, files)
    file = folder / "train_maps.npy"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(DatasetError, match=r"train_maps.npy: expected an array"):
        WarcraftParameters().load()
    file.unlink()
    np.save(folder / "train_maps_part0.npy", files["train_maps"][:10])
    np.save(folder / "train_maps_part1.npy", files["train_maps"][10:, :48])
    with pytest.raises(DatasetError, match=r"train_maps_part1.npy: expected \(N, 96, 96, 3\)"):
        WarcraftParameters().load()
