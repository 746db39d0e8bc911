"""Snapshot files on disk: one folder per run."""

import shutil
from pathlib import Path

from app.settings import Settings


def folder_of(snapshots_dir: Path, run_id: str) -> Path:
    """Where a run's snapshots are."""
    return snapshots_dir / run_id


def folder_bytes(folder: Path) -> int:
    """Bytes that a folder's files take; a file shared by k runs counts for a k-th."""
    if not folder.is_dir():
        return 0
    states = [file.stat() for file in folder.iterdir() if file.is_file()]
    return sum(state.st_size // state.st_nlink for state in states)


def remove_folder(folder: Path) -> None:
    """Removes a run's snapshots; nothing happens where there are none."""
    if folder.is_dir():
        shutil.rmtree(folder)


def remove_partial(folder: Path) -> None:
    """Removes snapshots that were being written when their process was ended."""
    for file in folder.glob("*.partial"):
        file.unlink(missing_ok=True)


def without_paths(text: str, settings: Settings) -> str:
    """An error's text for strangers: the data folder stands for its place on the server."""
    for folder in (settings.data_dir, settings.data_dir.resolve()):
        text = text.replace(str(folder), "the data folder")
    return text
