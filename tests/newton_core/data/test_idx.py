import gzip
from pathlib import Path

import numpy as np
import pytest

from newton_core.data import DatasetError
from newton_core.data.idx import read_idx
from tests.newton_core.data.idx_files import idx_bytes

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([3, 1, 4], dtype=np.uint8)


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("array", [IMAGES, LABELS, np.zeros((0,), dtype=np.uint8)])
def test_round_trip(tmp_path: Path, array: np.ndarray, gzipped: bool) -> None:
    content = idx_bytes(array)
    path = tmp_path / "file"  # told by content, not by name
    path.write_bytes(gzip.compress(content) if gzipped else content)
    read = read_idx(path, array.ndim)
    assert read.dtype == np.uint8
    assert np.array_equal(read, array)


WHOLE = idx_bytes(IMAGES)
BAD = {
    "empty": (b"", "is truncated: expected images in the IDX format, found 0 bytes"),
    "short magic": (WHOLE[:3], "found 3 bytes"),
    "short header": (WHOLE[:9], "expected a header of 16 bytes, found 9"),
    "truncated": (WHOLE[:-1], r"promises 2 x 3 x 4 = 24 bytes, found 23"),
    "header alone": (WHOLE[:16], r"found 0"),
    "too long": (WHOLE + b"\0", r"promises 2 x 3 x 4 = 24 bytes, found more"),
    "swapped": (idx_bytes(LABELS), r"expected images \(magic number 00 00 08 03\), found labels"
                r" \(00 00 08 01\); are the files swapped\?"),
    "two dimensions": (idx_bytes(IMAGES[0]), "found an array of 2 dimensions"),
    "text": (b"<html>not found</html>", "is no IDX file of images: expected it to begin with"
             " 00 00 08 03, found 3c 68 74 6d"),
    "floats": (b"\0\0\x0d" + WHOLE[3:], "is no IDX file of images"),
    "huge": (b"\0\0\x08\x03" + b"\xff" * 12, "its header promises 4294967295 x"),
}  # fmt: skip


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("case", BAD)
def test_damaged_files_are_named_with_what_is_wrong(
    tmp_path: Path, case: str, gzipped: bool
) -> None:
    content, message = BAD[case]
    path = tmp_path / "train-images"
    path.write_bytes(gzip.compress(content) if gzipped else content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_idx(path, 3)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("cut", [5, 15, -12, -1])
def test_truncated_gzip(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(WHOLE)[:cut])
    with pytest.raises(DatasetError, match="the gzip file is damaged or incomplete"):
        read_idx(path, 3)


def test_corrupt_gzip(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(np.random.default_rng(0).bytes(1000)))
    content[100] ^= 0xFF
    path = tmp_path / "images.gz"
    path.write_bytes(bytes(content[:20]) + b"\xff" * 30)
    with pytest.raises(DatasetError, match=r"images\.gz"):
        read_idx(path, 3)


def test_wrong_checksum_of_the_gzip(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(WHOLE))
    content[-8] ^= 0xFF  # the CRC
    path = tmp_path / "images.gz"
    path.write_bytes(bytes(content))
    with pytest.raises(DatasetError, match="CRC"):
        read_idx(path, 3)


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot be read \(No such file"):
        read_idx(tmp_path / "nothing", 1)
    with pytest.raises(DatasetError, match=r"cannot be read \(Is a directory"):
        read_idx(tmp_path, 1)
