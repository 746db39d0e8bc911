"""Where files live that are not part of the program."""

import os
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


def own_data_folder(path: str | os.PathLike[str]) -> Path:
    """One folder of own data: a relative path counts from :func:`own_data_dir`, ``~`` is a name."""
    return own_data_dir() / path


def is_within_data_dir(path: str | os.PathLike[str]) -> bool:
    """Whether :func:`own_data_folder` of a path lies in :func:`own_data_dir`, links resolved.

    This is the check for paths that come from others: a server must not read anything else that
    its user can read.
    """
    try:
        folder = own_data_folder(path).resolve()
        folder.exists()  # raises for a name that no file system takes
        return folder.is_relative_to(own_data_dir().resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long, a null byte
        return False
