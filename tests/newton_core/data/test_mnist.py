from pathlib import Path

import numpy as np
import pytest
import torch

from newton_core.data import (
    DatasetError,
    DatasetStatus,
    MnistImagesParameters,
    MnistParameters,
    load_mnist,
)
from newton_core.data.mnist import FILES, MnistSplit, find_file, mnist_dir
from tests.newton_core.data.idx_files import SPLIT, arrays, idx_bytes, write_files


@pytest.mark.parametrize("gzipped", [False, True])
def test_split_in_the_order_of_the_files(tmp_path: Path, gzipped: bool) -> None:
    write_files(tmp_path, gzipped=gzipped)
    dataset = load_mnist(tmp_path, 28, SPLIT)
    train_images, train_labels, test_images, test_labels = arrays()
    assert dataset.validation is not None
    for part, images, labels in (
        (dataset.train, train_images[:50], train_labels[:50]),
        (dataset.validation, train_images[50:], train_labels[50:]),
        (dataset.test, test_images, test_labels),
    ):
        assert np.array_equal(part.pixels.numpy(), images)
        assert part.labels.tolist() == labels.tolist()
        assert part.labels.dtype == torch.int64


def test_half_size_is_the_mean_of_2_x_2_pixels(tmp_path: Path) -> None:
    write_files(tmp_path)
    dataset = load_mnist(tmp_path, 14, SPLIT)
    original = arrays()[2][3].astype(float)
    for row, column in ((0, 0), (5, 13), (13, 7)):
        block = original[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert abs(int(dataset.test.pixels[3, row, column]) - block.mean()) <= 0.5
    assert dataset.test.pixels.shape == (20, 14, 14)


def test_loaded_once_and_again_when_a_file_has_changed(tmp_path: Path) -> None:
    images, *_ = write_files(tmp_path)
    before = load_mnist(tmp_path, 28, SPLIT)
    assert load_mnist(tmp_path, 28, SPLIT) is before
    content = bytearray(images.read_bytes())
    content[16:800] = bytes(784)
    images.write_bytes(content)
    assert not load_mnist(tmp_path, 28, SPLIT).train.pixels[0].any()
    assert before.train.pixels[0].any()


def test_unpacked_files_come_before_gzipped_ones(tmp_path: Path) -> None:
    write_files(tmp_path, gzipped=True)
    write_files(tmp_path)
    assert find_file(tmp_path, FILES[0]) == tmp_path / "train-images-idx3-ubyte"


@pytest.mark.parametrize("place", ["", "raw", "MNIST", "MNIST/raw"])
@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("gzipped", [False, True])
def test_names_and_places_of_other_sites(
    tmp_path: Path, place: str, dotted: bool, gzipped: bool
) -> None:
    for path in write_files(tmp_path / place, gzipped=gzipped):
        if dotted:
            path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    dataset = load_mnist(tmp_path, 28, SPLIT)
    assert np.array_equal(dataset.test.pixels.numpy(), arrays()[2])


def test_the_folder_may_be_called_as_torchvision_calls_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    assert mnist_dir() == tmp_path / "mnist"
    write_files(tmp_path / "MNIST" / "raw")
    assert load_mnist(mnist_dir(), 28, SPLIT).test.labels[3] == 3
    write_files(tmp_path / "mnist")
    assert mnist_dir() == tmp_path / "mnist"


def _status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> DatasetStatus:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    (status,) = MnistImagesParameters.status()
    return status


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (0, 1, "train-images-idx3-ubyte holds 60 labels, train-labels-idx1-ubyte holds 60 images"),
        (2, 3, "t10k-images-idx3-ubyte holds 20 labels, t10k-labels-idx1-ubyte holds 20 images"),
        (0, 2, "train-images-idx3-ubyte holds 20 images, train-labels-idx1-ubyte holds 60 labels"),
        (1, 3, "train-labels-idx1-ubyte holds 20 labels, t10k-images-idx3-ubyte holds 20 images"),
    ],
)
def test_swapped_files_are_found_when_loaded_and_by_the_doctor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: int, second: int, message: str
) -> None:
    paths = write_files(tmp_path / "mnist")
    assert _status(monkeypatch, tmp_path).found
    one, other = paths[first].read_bytes(), paths[second].read_bytes()
    paths[first].write_bytes(other)
    paths[second].write_bytes(one)
    with pytest.raises(DatasetError, match="are swapped or of two sets") as caught:
        load_mnist(tmp_path / "mnist", 28, SPLIT)
    status = _status(monkeypatch, tmp_path)
    assert not status.found
    assert message in status.detail
    assert status.detail in str(caught.value)


def test_the_doctor_reads_headers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = write_files(tmp_path / "mnist")
    paths[2].write_bytes(b"\0\0\x08\0")
    assert "t10k-images-idx3-ubyte holds 0 something else" in _status(monkeypatch, tmp_path).detail
    paths[1].write_bytes(b"<html>")
    status = _status(monkeypatch, tmp_path)
    assert not status.found
    assert "train-labels-idx1-ubyte: is no IDX file of labels or images" in status.detail


def test_the_whole_training_part_swapped_with_the_test_part(tmp_path: Path) -> None:
    images, labels, test_images, test_labels = write_files(tmp_path)
    for one, other in ((images, test_images), (labels, test_labels)):
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte holds 20 images, train-labels"):
        load_mnist(tmp_path, 28, SPLIT)


def test_missing_files_are_named_with_what_to_do(tmp_path: Path) -> None:
    write_files(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DatasetError) as caught:
        load_mnist(tmp_path, 28, SPLIT)
    message = str(caught.value)
    assert "(found t10k-images-idx3-ubyte, train-images-idx3-ubyte, train-labels-idx" in message
    assert message.startswith(f"mnist: t10k-labels-idx1-ubyte not found in {tmp_path}")
    assert "newton-lab download mnist" in message
    write_files(tmp_path)  # the failure is not remembered
    load_mnist(tmp_path, 28, SPLIT)


def test_swapped_files(tmp_path: Path) -> None:
    images, labels, _, _ = write_files(tmp_path)
    content = images.read_bytes()
    images.write_bytes(labels.read_bytes())
    labels.write_bytes(content)
    with pytest.raises(DatasetError, match=r"train-images.*found labels.*swapped"):
        load_mnist(tmp_path, 28, SPLIT)


def test_training_and_test_files_swapped(tmp_path: Path) -> None:
    images, _, test_images, _ = write_files(tmp_path)
    content = images.read_bytes()
    images.write_bytes(test_images.read_bytes())
    test_images.write_bytes(content)
    with pytest.raises(DatasetError, match="expected 60 x 28 x 28, found 20 x 28 x 28"):
        load_mnist(tmp_path, 28, SPLIT)


@pytest.mark.parametrize(
    ("position", "array", "message"),
    [
        (0, arrays(side=20)[0], "train-images.*expected 60 x 28 x 28, found 60 x 20 x 20"),
        (1, arrays()[1][:59], "train-labels.*expected 60, found 59"),
        (2, arrays()[2][:0], "t10k-images.*expected 20 x 28 x 28, found 0 x 28 x 28"),
        (3, np.full(20, 10, dtype=np.uint8), "t10k-labels.*from 0 to 9, found 10 at position 0"),
    ],
)
def test_wrong_contents(tmp_path: Path, position: int, array: np.ndarray, message: str) -> None:
    write_files(tmp_path)[position].write_bytes(idx_bytes(array))
    with pytest.raises(DatasetError, match=message):
        load_mnist(tmp_path, 28, SPLIT)


def test_the_published_sizes_are_the_default(tmp_path: Path) -> None:
    assert MnistSplit() == MnistSplit(train=55_000, validation=5_000, test=10_000)
    write_files(tmp_path)
    with pytest.raises(DatasetError, match="expected 60000 x 28 x 28, found 60 x 28 x 28"):
        load_mnist(tmp_path)


def test_parameters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    assert mnist_dir() == tmp_path / "mnist"
    with pytest.raises(DatasetError, match=r"not found in .*\(which is not there\)"):
        MnistParameters().load()
    assert MnistParameters(digits=3).parts() == 3
    assert MnistImagesParameters(size=14).parts() == 1


@pytest.mark.skipif(
    find_file(mnist_dir(), FILES[0]) is None,
    reason="the real MNIST files are not in NEWTON_LAB_DATA_DIR/mnist: NOT TESTED on them",
)
def test_real_mnist() -> None:
    dataset = MnistParameters(size=14).load()
    assert (len(dataset.train), len(dataset.test)) == (55_000, 10_000)
    assert dataset.validation is not None
    assert len(dataset.validation) == 5_000
    assert dataset.train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert dataset.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert dataset.train.pixels.shape == (55_000, 14, 14)
