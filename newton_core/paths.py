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


def is_within_data_dir(path: str | os.PathLike[str]) -> bool:
    """Whether a folder of own data lies inside :func:`own_data_dir`, symbolic links resolved.

    A relative path counts from :func:`own_data_dir`. This is the check for paths that come from
    others: a server must not read anything else that its user can read.
    """
    root = own_data_dir().resolve()
    try:
        return (root / path).resolve().is_relative_to(root)
    except (OSError, ValueError):  # a loop of links, or a null byte: no folder of ours
        return False
