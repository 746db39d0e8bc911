import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from newton_core.data import DatasetError, FolderParameters, ImageDataset, load_folder
from newton_core.experiment.events import parse_event
from newton_core.training.run import run
from tests.newton_core.data.own_images import write_folder
from tests.newton_core.training.specs import small_spec


def _shown(dataset: ImageDataset) -> dict[int, float]:
    """Grey level -> value, over both parts."""
    assert dataset.values is not None
    return {
        int(image[0, 0]): dataset.values[label].item()
        for part in (dataset.train, dataset.test)
        for image, label in zip(part.pixels, part.labels, strict=True)
    }


def test_values_belong_to_their_images_and_parts_do_not_overlap(tmp_path: Path) -> None:
    values = [3.5, -1.0, 3.5, 1e300, 0.1, 7.0, 7.0, 2.0, 9.0, 1 / 3]
    dataset = load_folder(write_folder(tmp_path, values), 8, 12)
    assert (len(dataset.train), len(dataset.test)) == (8, 2)
    assert _shown(dataset) == {10 + i: value for i, value in enumerate(values)}
    assert dataset.classes == 8
    assert dataset.values is not None
    assert dataset.values.tolist() == sorted(set(values))
    assert dataset.train.pixels.shape == (8, 8, 12)


def test_split_hardly_changes_when_images_are_added(tmp_path: Path) -> None:
    def in_test(count: int) -> set[int]:
        dataset = load_folder(write_folder(tmp_path, range(count)), 4, 4)
        return {int(image[0, 0]) for image in dataset.test.pixels}

    before, after = in_test(100), in_test(105)
    assert len(before) == 20
    assert len(after) == 21
    assert len(before - after) <= 5  # an added image pushes out at most one


@pytest.mark.parametrize(("share", "count"), [(0.05, 1), (0.5, 5), (0.25, 2)])
def test_test_share(tmp_path: Path, share: float, count: int) -> None:
    dataset = load_folder(write_folder(tmp_path, range(10)), 4, 4, share)
    assert (len(dataset.train), len(dataset.test)) == (10 - count, count)


def test_loaded_once_and_again_when_something_changes(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, range(4))
    first = load_folder(folder)
    assert load_folder(folder) is first
    Image.fromarray(np.full((10, 10), 200, dtype=np.uint8)).save(folder / "2.png")
    os.utime(folder / "2.png", ns=(1, 1))
    assert _shown(load_folder(folder))[200] == 2.0
    (folder / "values.csv").write_text("file,value\n0.png,5\n1.png,6\n")
    assert set(_shown(load_folder(folder)).values()) == {5.0, 6.0}


def _grey_of(folder: Path, image: Image.Image, name: str, **options: object) -> np.ndarray:
    """The pixels that an image becomes at 4 x 6, read beside an ordinary one."""
    write_folder(folder, [0])
    image.save(folder / name, **options)
    (folder / "values.csv").write_text(f"file,value\n0.png,0\n{name},1\n")
    dataset = load_folder(folder, 4, 6)
    for part in (dataset.train, dataset.test):
        for pixels, label in zip(part.pixels, part.labels, strict=True):
            if label == 1:
                return pixels.numpy()
    raise AssertionError("the image is in neither part")


def test_images_are_resized_by_averaging(tmp_path: Path) -> None:
    board = np.indices((64, 96)).sum(axis=0) % 2 * 255
    grey = _grey_of(tmp_path, Image.fromarray(board.astype(np.uint8)), "board.png")
    assert grey.shape == (4, 6)
    assert np.abs(grey.astype(int) - 127).max() < 5  # picking pixels would give 0 or 255


def test_colours_become_grey(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 8), (255, 0, 0))
    assert set(_grey_of(tmp_path, image, "red.png").flatten()) == {76}  # 0.299 of 255


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    options = {} if mode != "P" else {"transparency": 0}
    converted = Image.new("P", (8, 8), 0) if mode == "P" else image.convert(mode)
    assert set(_grey_of(tmp_path, converted, "clear.png", **options).flatten()) == {255}


@pytest.mark.parametrize(("name", "tag"), [("a.jpg", 6), ("b.png", 6)])
def test_photographs_are_turned_upright(tmp_path: Path, name: str, tag: int) -> None:
    pixels = np.zeros((60, 40), dtype=np.uint8)
    pixels[:20] = 255  # white on top; turned by 90 degrees clockwise: white on the right
    exif = Image.Exif()
    exif[0x0112] = tag
    grey = _grey_of(tmp_path, Image.fromarray(pixels), name, exif=exif)
    assert grey[:, -1].min() > 240
    assert grey[:, 0].max() < 15


def test_16_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    image = Image.fromarray(np.full((8, 8), 0x8000, dtype=np.uint16))
    assert set(_grey_of(tmp_path, image, "deep.png").flatten()) == {127}


def _greys(folder: Path, images: Sequence[Image.Image], ending: str = "png") -> list[np.ndarray]:
    """The pixels, 8 x 8, that the images of one folder become."""
    folder.mkdir(exist_ok=True)
    lines = ["file,value"]
    for i, image in enumerate(images):
        image.save(folder / f"{i}.{ending}")
        lines.append(f"{i}.{ending},{i}")
    (folder / "values.csv").write_text("\n".join(lines))
    dataset = load_folder(folder, 8, 8)
    pixels = torch.cat([dataset.train.pixels, dataset.test.pixels])
    order = torch.cat([dataset.train.labels, dataset.test.labels]).argsort()
    return [image.numpy() for image in pixels[order]]


def _ramp(low: float, high: float, dtype: type) -> Image.Image:
    return Image.fromarray(np.linspace(low, high, 64).reshape(8, 8).astype(dtype))


def test_12_bits_in_16_keep_their_levels(tmp_path: Path) -> None:
    bright, dim = _greys(tmp_path, [_ramp(0, 4095, np.uint16), _ramp(0, 1365, np.uint16)])
    assert len(np.unique(bright)) == 64
    assert (bright.min(), bright.max()) == (0, 255)
    assert dim.max() == 85  # a third: the range is the folder's, not the image's


@pytest.mark.parametrize(("high", "refused"), [(4095, True), (0xFFFF, False), (0, False)])
def test_colours_of_16_bits_of_which_few_are_used_are_refused(
    tmp_path: Path, high: int, refused: bool
) -> None:
    """Pillow writes no such files: this one is put together from its chunks."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        sealed = kind + content
        return struct.pack(">I", len(content)) + sealed + struct.pack(">I", zlib.crc32(sealed))

    rows = b"".join(b"\0" + np.full(24, high, dtype=">u2").tobytes() for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    folder = write_folder(tmp_path, [0, 1])
    (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    if not refused:
        assert set(_shown(load_folder(folder))) == {10, high // 257}
        return
    with pytest.raises(DatasetError, match=r"line 3: 1\.png.*16 bits a colour and uses few"):
        load_folder(folder)


def test_16_bits_that_use_half_of_their_range_stay_as_they_are(tmp_path: Path) -> None:
    image = _ramp(1000, 40_000, np.uint16)
    (grey, _) = _greys(tmp_path, [image, image])
    assert np.array_equal(grey, np.asarray(image) // 257)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, (0, 255)), (0.2, 0.8, (51, 204)), (0.0, 0.01, (0, 255)), (-3.0, 1e6, (0, 255))],
)
def test_floating_point_levels(
    tmp_path: Path, low: float, high: float, expected: tuple[int, int]
) -> None:
    whole, half = _greys(
        tmp_path,
        [_ramp(low, high, np.float32), _ramp(low, (low + high) / 2, np.float32)],
        "tif",
    )
    assert (whole.min(), whole.max()) == expected
    assert half.max() == pytest.approx(sum(expected) / 2, abs=1)


def _glyph(level: int, alpha: int = 255) -> Image.Image:
    pixels = np.full((8, 8, 4), (level, level, level, 0), dtype=np.uint8)
    pixels[2:6, 3:5, 3] = alpha
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("levels", "backgrounds"),
    [
        ([0, 0], [255, 255]),
        ([255, 255], [0, 0]),
        ([235, 240], [0, 0]),
        ([150, 150], [255, 255]),  # seen on both: on white, as ever
        ([150, 230], [255, 255]),  # the same for the whole folder
        ([0, 20, 255], [255, 255, 0]),  # but for an image that would be blank
    ],
)
def test_transparency_stands_on_what_shows_the_glyph(
    tmp_path: Path, levels: list[int], backgrounds: list[int]
) -> None:
    greys = _greys(tmp_path, [_glyph(level) for level in levels])
    assert [grey[0, 0] for grey in greys] == backgrounds
    assert [grey[3, 3] for grey in greys] == levels


def test_half_transparent_levels_mix_with_the_background(tmp_path: Path) -> None:
    (grey, _) = _greys(tmp_path, [_glyph(0, 128), _glyph(0, 128)])
    assert (grey[0, 0], grey[3, 3]) == (255, 127)


def test_other_modes(tmp_path: Path) -> None:
    """Palette, one bit, CMYK, in files of the format that keeps them."""
    stripes = np.tile(np.repeat(np.array([0, 255], dtype=np.uint8), 4), (8, 1))
    grey = Image.fromarray(stripes)
    for mode, ending in (("P", "png"), ("P", "gif"), ("1", "png"), ("1", "tif"), ("CMYK", "tif")):
        for read in _greys(tmp_path / f"{mode}-{ending}", [grey.convert(mode)] * 2, ending):
            assert np.array_equal(read, stripes), (mode, ending)
    (read, _) = _greys(tmp_path / "jpeg", [grey.convert("CMYK")] * 2, "jpg")
    assert np.abs(read.astype(int) - stripes).max() < 10


def test_images_of_one_grey_level_are_named_in_a_warning(tmp_path: Path) -> None:
    flat = Image.new("L", (8, 8), 7)
    _greys(tmp_path / "some", [flat, _ramp(0, 255, np.uint8), flat])
    assert load_folder(tmp_path / "some", 8, 8).warnings == (
        "2 of 3 images are of one grey level, so that they show nothing: 0.png, 2.png",
    )
    assert load_folder(tmp_path / "some", 8, 8).with_validation(0.5).warnings
    _greys(tmp_path / "none", [_ramp(0, 255, np.uint8)] * 2)
    assert load_folder(tmp_path / "none", 8, 8).warnings == ()


@pytest.mark.parametrize(
    ("task", "loss"),
    [
        ({"name": "ranking", "n": 2, "test_sets": 2}, "neuralsort"),
        ({"name": "classification"}, "cross_entropy"),
        ({"name": "heat"}, "heat"),
    ],
)
def test_a_run_says_first_that_images_show_nothing(tmp_path, monkeypatch, task, loss) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    write_folder(tmp_path / "own" / "flat", [0, 1, 2] * 4)
    data = {"name": "folder", "path": "flat", "height": 16, "width": 16, "test_share": 0.5}
    spec = small_spec(task={**task, "data": data}, loss={"name": loss}, arms=[{}], batch_size=2)
    started = next(run(spec))
    assert started.warnings[0].startswith("12 of 12 images are of one grey level")
    record = started.model_dump(mode="json")
    del record["warnings"]
    assert parse_event(record).warnings == (), "of an earlier version"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no image at all", "line 3: bad.png is no image in one of the formats PNG, JPEG,"),
        (b"", "line 3: bad.png is no image in one of the formats PNG, JPEG,"),
        ("half", "truncated"),
        ("nan", "expected finite grey levels, found NaN or infinity"),
        ("wide", "expected grey levels of at most 16 bits"),
    ],
)
def test_unreadable_images_are_bad_rows(tmp_path: Path, content: bytes | str, message: str) -> None:
    folder = write_folder(tmp_path, range(3))
    path = folder / "bad.png"
    if content == "half":
        noise = np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:1500])
    elif content == "nan":
        Image.fromarray(np.full((5, 5), np.nan, dtype=np.float32)).save(path, format="TIFF")
    elif content == "wide":
        Image.fromarray(np.full((5, 5), 70_000, dtype=np.int32)).save(path, format="TIFF")
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    (folder / "values.csv").write_text("file,value\n0.png,0\nbad.png,1\n2.png,2\n")
    with pytest.raises(DatasetError, match="1 row cannot be used") as caught:
        load_folder(folder)
    assert message in str(caught.value)


def test_enormous_images_are_refused_unread(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, range(3))
    (folder / "1.png").write_bytes(b"P5 30000 30000 255\n")  # told by content, not by name
    with pytest.raises(DatasetError, match=r"line 3: 1\.png.*decompression bomb"):
        load_folder(folder)


def test_too_few_images(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="expected at least 2 images, found 1"):
        load_folder(write_folder(tmp_path, [1]))


def test_two_images_are_one_for_each_part(tmp_path: Path) -> None:
    dataset = load_folder(write_folder(tmp_path, [1, 2]))
    assert len(dataset.train) == len(dataset.test) == 1


def test_relative_paths_count_from_the_own_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    write_folder(tmp_path / "own" / "mine", range(5))
    elsewhere = write_folder(tmp_path / "elsewhere", range(7))
    assert len(FolderParameters(path="mine", height=4).load().train) == 4
    assert len(FolderParameters(path=str(elsewhere)).load().train) == 6
    with pytest.raises(DatasetError, match="own/other: expected a folder"):
        FolderParameters(path="other").load()


def test_parameters_have_bounds() -> None:
    for bad in ({}, {"path": ""}, {"path": "a", "height": 3}, {"path": "a", "test_share": 0.9}):
        with pytest.raises(ValidationError):
            FolderParameters(**bad)


def test_the_cached_pixels_are_whole_bytes(tmp_path: Path) -> None:
    dataset = load_folder(write_folder(tmp_path, range(5)))
    assert dataset.train.pixels.dtype == torch.uint8
    assert dataset.train.labels.dtype == torch.int64


def _labelled(folder: Path, labels: Sequence[str]) -> Path:
    write_folder(folder, labels)
    table = folder / "values.csv"
    table.write_text(table.read_text("utf-8").replace("file,value", "filename,label"), "utf-8")
    return folder


def test_labels_become_classes(tmp_path: Path) -> None:
    labels = ["cat", "dog", "ant", "cat", "dog"]
    dataset = load_folder(_labelled(tmp_path, labels), 4, 4, labels=True)
    assert dataset.names == ("ant", "cat", "dog")
    assert dataset.classes == 3
    assert dataset.values is None
    named = {
        int(image[0, 0]) - 10: dataset.names[label]
        for part in (dataset.train, dataset.test)
        for image, label in zip(part.pixels, part.labels, strict=True)
    }
    assert named == dict(enumerate(labels))


def test_labels_that_are_numbers_are_in_their_order(tmp_path: Path) -> None:
    dataset = load_folder(_labelled(tmp_path, ["10", "9", "2.5", "09"]), labels=True)
    assert dataset.names == ("2.5", "9", "10")


def test_how_many_classes(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="2 to 100 different labels to classify by, found 1"):
        load_folder(_labelled(tmp_path, ["a", "a"]), labels=True)
    with pytest.raises(DatasetError, match="2 to 100 different labels to classify by, found 101"):
        load_folder(write_folder(tmp_path, range(101), side=1), labels=True)
