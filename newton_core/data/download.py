"""Downloads MNIST; each file arrives complete and verified, or not at all."""

import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pooch

from newton_core.data.base import DatasetError
from newton_core.data.idx import open_maybe_gzipped
from newton_core.data.mnist import FILES, MnistFile, find_file, mnist_dir, where_to_put

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Addresses of the gzipped files, tried in this order."""

_TIMEOUT = 30  # seconds without an answer


def download_mnist(
    destination: Path | None = None,
    progress: bool = True,
    *,
    mirrors: Sequence[str] = MIRRORS,
    files: Sequence[MnistFile] = FILES,
) -> list[Path]:
    """Downloads the files that ``destination`` lacks, and checks all of them.

    Args:
        destination: the folder for the files, made if it is missing; default :func:`mnist_dir`.
        progress: whether to show a progress bar per file on standard error.
        mirrors: addresses to which the file's name is appended, tried in order.
        files: the files to download.

    Returns:
        The paths of all the files.

    Raises:
        DatasetError: no mirror has a valid file, and the message says which files to put where by
            hand; or a file in the folder is damaged.
    """
    folder = mnist_dir() if destination is None else destination
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be made ({error.strerror})") from error
    paths = []
    for file in files:
        path = find_file(folder, file)
        if path is None:
            path = _fetch(file, folder, mirrors, progress)
        elif problem := _problem(path, file):
            raise DatasetError(f"{path}: {problem}; remove it and download again")
        paths.append(path)
    return paths


def _fetch(file: MnistFile, folder: Path, mirrors: Sequence[str], progress: bool) -> Path:
    download = pooch.HTTPDownloader(progressbar=progress, timeout=_TIMEOUT, chunk_size=2**16)
    reasons = []
    # The temporary folder is inside the destination, because a rename within one file system is
    # atomic: no reader ever sees half a file.
    with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as temporary:
        part = Path(temporary) / f"{file.name}.gz"
        for mirror in mirrors:
            url = f"{mirror.rstrip('/')}/{part.name}"
            try:
                download(url, str(part), None)
            except OSError as error:  # requests' errors are among them
                reasons.append(f"{url}: {error}")
                continue
            if problem := _problem(part, file):
                reasons.append(f"{url}: {problem}")
                continue
            path = folder / part.name
            os.replace(part, path)
            return path
    listed = "\n  ".join(reasons)
    raise DatasetError(
        f"{file.name} could not be downloaded:\n  {listed}\nWithout internet,"
        f" {where_to_put(folder)}"
    )


def _problem(path: Path, file: MnistFile) -> str | None:
    """What is wrong with the file; compression may differ, so the unpacked bytes are compared."""
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with open_maybe_gzipped(path) as content:
            while block := content.read(2**20):
                digest.update(block)
    except (OSError, EOFError, zlib.error) as error:  # BadGzipFile is an OSError
        return f"damaged or incomplete ({error})"
    if digest.hexdigest() != file.md5:
        return f"expected unpacked bytes with md5 {file.md5}, found {digest.hexdigest()}"
    return None
