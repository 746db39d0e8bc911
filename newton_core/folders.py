"""Where files live that are not part of the program."""

import hashlib
import os
import time
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

import platformdirs


def data_dir() -> Path:
    """The folder of data sets and results; it need not exist.

    ``NEWTON_LAB_DATA_DIR`` if it is set and not empty, else the platform's user data folder.
    """
    configured = os.environ.get("NEWTON_LAB_DATA_DIR", "")
    if configured:
        return Path(configured).expanduser().absolute()
    return Path(platformdirs.user_data_dir("newton-lab", appauthor=False))


def own_data_dir() -> Path:
    """The folder whose subfolders are the user's own image collections."""
    return data_dir() / "own"


LONGEST_NAME = 255
"""Bytes that the usual file systems take for a name."""


def own_data_folder(path: str | os.PathLike[str]) -> Path:
    """One folder of own data: a relative path counts from :func:`own_data_dir`, ``~`` is a name.

    Where there is none of that spelling, it is the one whose letters with accents are in one part
    where those of ``path`` are in two, or the other way round: macOS writes and types them so.
    """
    spellings = [os.fspath(path)]
    spellings += [unicodedata.normalize(form, spellings[0]) for form in ("NFC", "NFD")]
    folders = [own_data_dir() / spelling for spelling in spellings]
    return next((folder for folder in folders if is_folder(folder)), folders[0])


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; what no file system takes for a name is none."""
    try:
        return path.is_dir()
    except (OSError, RuntimeError, ValueError):  # what no file system takes
        return False


def is_within_data_dir(path: str | os.PathLike[str]) -> bool:
    """Whether :func:`own_data_folder` of a path lies in :func:`own_data_dir`, links resolved.

    This is the check for paths that come from others: a server must not read anything else that
    its user can read.
    """
    try:
        folder = own_data_folder(path).resolve()
        folder.exists()  # raises for a name that no file system takes, where its parent is there
        fits = all(len(os.fsencode(part)) <= LONGEST_NAME for part in folder.parts)
        return fits and folder.is_relative_to(own_data_dir().resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long, a null byte
        return False


SETTLED_SECONDS = 2.0
"""A file that was written so recently may be written again within the same tick of its clock."""

_Stamp = tuple[int, int, int, int]
_digests: dict[Path, tuple[_Stamp, str]] = {}


def content_digest(files: Mapping[str, Path]) -> str:
    """SHA-256, in hexadecimal, of what files contain and of the names that they are given.

    A file is read once and again when its time, its size or its place on the disk changes. What is
    no file (any more) is left out; without any file the digest is empty.
    """
    whole = hashlib.sha256()
    found = False
    for name in sorted(files):
        if digest := _file_digest(files[name]):
            whole.update(f"{name}\0{digest}\n".encode("utf-8", "surrogateescape"))
            found = True
    return whole.hexdigest() if found else ""


def last_change(files: Iterable[Path]) -> float:
    """When one of the files was last written, in seconds since 1970; 0 without any."""
    return max((_changed(file) for file in files if file.is_file()), default=0.0)


def stamps(files: Iterable[Path]) -> tuple[tuple[object, ...], ...]:
    """What is another whenever a file was written or replaced: keys for caches of what they hold.

    Raises:
        OSError: a file is not there.
    """
    states = [(file, file.stat()) for file in files]
    return tuple((file, s.st_mtime_ns, s.st_ctime_ns, s.st_size, s.st_ino) for file, s in states)


def _changed(file: Path) -> float:
    try:
        state = file.stat()
    except OSError:
        return 0.0
    return max(state.st_mtime, state.st_ctime)


def _file_digest(path: Path) -> str:
    """Of one file; empty if it is none that can be read."""
    if not path.is_file():
        return ""
    try:
        state = path.stat()
        stamp = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
        known, digest = _digests.get(path, (None, ""))
        if known == stamp:
            return digest
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
    if time.time() - max(state.st_mtime, state.st_ctime) > SETTLED_SECONDS:
        _digests[path] = stamp, digest
    return digest
