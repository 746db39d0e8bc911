"""Snapshot files on disk: one folder per run."""

import shutil
from pathlib import Path


def folder_of(snapshots_dir: Path, run_id: str) -> Path:
    """Where a run's snapshots are."""
    return snapshots_dir / run_id


def folder_bytes(folder: Path) -> int:
    """Bytes that a folder's files take; a file shared by k runs counts for a k-th."""
    if not folder.is_dir():
        return 0
    states = [file.stat() for file in folder.iterdir()]
    return sum(state.st_size // state.st_nlink for state in states)


def remove_folder(folder: Path) -> None:
    """Removes a run's snapshots; nothing happens where there are none."""
    if folder.is_dir():
        shutil.rmtree(folder)
