"""Reads the IDX format of the MNIST files, gzipped or not, and checks everything a file claims.

A file is two zero bytes, a type (8: unsigned bytes), the number of dimensions, one big-endian
32-bit size per dimension, and then the bytes themselves.
"""

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newton_core.data.base import DatasetError

_UNSIGNED_BYTES = 8
KINDS = {1: "labels", 3: "images"}
_LARGEST = 2**30  # more than any MNIST file; a damaged header must not ask for terabytes


def open_maybe_gzipped(path: Path) -> io.BufferedIOBase:
    """The file's bytes, unpacked if they are gzipped; the content tells, not the name."""
    with path.open("rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if gzipped else path.open("rb")


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes.

    Args:
        path: the file, gzipped or not.
        dimensions: number of dimensions that it must have: 1 for labels, 3 for images.

    Raises:
        DatasetError: the file is missing, unreadable, damaged or of another kind; the message
            names it and says what was expected and what was found.
    """
    expected = KINDS.get(dimensions, f"an array of {dimensions} dimensions")
    with _opened(path, expected) as file:
        sizes = _read_header(file, path, dimensions, expected)
        count = math.prod(sizes)
        content = file.read(count + 1)
        while 0 < len(content) <= count and (more := file.read(count + 1 - len(content))):
            content += more
    if len(content) < count:
        raise DatasetError(
            f"{path}: is truncated: its header promises {' x '.join(map(str, sizes))} ="
            f" {count:,} bytes, found {len(content):,}"
        )
    if len(content) > count:
        raise DatasetError(
            f"{path}: is too long: its header promises {' x '.join(map(str, sizes))} ="
            f" {count:,} bytes, found more"
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(sizes)


def read_shape(path: Path) -> tuple[int, ...]:
    """The sizes that the header of an IDX file promises: 1 of them for labels, 3 for images.

    Raises:
        DatasetError: as :func:`read_idx`, but for what comes after the header.
    """
    expected = "labels or images"
    with _opened(path, expected) as file:
        dimensions = next(iter(file.read(4)[3:]), 0)
    with _opened(path, expected) as file:
        return _read_header(file, path, dimensions, expected)


@contextmanager
def _opened(path: Path, expected: str) -> Iterator[io.BufferedIOBase]:
    """The file's bytes, with the errors of reading them as errors of the data."""
    try:
        with open_maybe_gzipped(path) as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(
            f"{path}: expected {expected} in the IDX format, but the gzip file is damaged or"
            f" incomplete ({error})"
        ) from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_header(
    file: io.BufferedIOBase, path: Path, dimensions: int, expected: str
) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4:
        raise DatasetError(
            f"{path}: is truncated: expected {expected} in the IDX format, found"
            f" {len(magic)} bytes in all"
        )
    if magic[:2] != b"\0\0" or magic[2] != _UNSIGNED_BYTES:
        raise DatasetError(
            f"{path}: is no IDX file of {expected}: expected it to begin with"
            f" {_magic(dimensions)}, found {magic.hex(' ')}"
        )
    if magic[3] != dimensions:
        found = KINDS.get(magic[3], f"an array of {magic[3]} dimensions")
        swapped = "; are the files swapped?" if magic[3] in KINDS else ""
        raise DatasetError(
            f"{path}: expected {expected} (magic number {_magic(dimensions)}), found {found}"
            f" ({magic.hex(' ')}){swapped}"
        )
    header = file.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise DatasetError(
            f"{path}: is truncated: expected a header of {4 + 4 * dimensions} bytes,"
            f" found {4 + len(header)}"
        )
    sizes = tuple(int(size) for size in np.frombuffer(header, dtype=">u4"))
    if math.prod(sizes) > _LARGEST:
        raise DatasetError(
            f"{path}: is damaged: its header promises {' x '.join(map(str, sizes))} bytes"
        )
    return sizes


def _magic(dimensions: int) -> str:
    return bytes([0, 0, _UNSIGNED_BYTES, dimensions]).hex(" ")
