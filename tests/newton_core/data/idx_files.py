"""Writes small IDX files, right ones and wrong ones."""

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newton_core.data.mnist import FILES, MnistSplit

SPLIT = MnistSplit(train=50, validation=10, test=20)


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def arrays(side: int = 28) -> list[NDArray[np.uint8]]:
    """Images and labels of a training part of 60 and a test part of 20, in the order of FILES."""
    rng = np.random.default_rng(0)
    made = []
    for count in (60, 20):
        made.append(rng.integers(0, 256, (count, side, side), dtype=np.uint8))
        made.append((np.arange(count) % 10).astype(np.uint8))
    return made


def write_files(folder: Path, *, gzipped: bool = False) -> list[Path]:
    """The four files in ``folder``; their paths in the order of FILES."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file, array in zip(FILES, arrays(), strict=True):
        path = folder / (f"{file.name}.gz" if gzipped else file.name)
        content = idx_bytes(array)
        path.write_bytes(gzip.compress(content) if gzipped else content)
        paths.append(path)
    return paths
