"""Complete states of a run as files: forks, resuming, landscapes and weights all read them."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypedDict

import torch
from torch import Tensor
from torch.optim.optimizer import StateDict

MOST_INTERVALS = 20
RETRY_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
"""For how long a run waits for a snapshot's place: less than after which a server calls it hung."""
_NAME = re.compile(r"^step-(\d{8})\.pt$")


ArmStatus = Literal["running", "diverged", "target"]


class ArmSnapshot(TypedDict):
    """An arm's complete state: all that it needs to go on bit for bit.

    Attributes:
        model: the network's parameters and buffers by name.
        optimizer: the optimizer's ``state_dict``.
        tikhonov: the damping of the next step.
        status: how the arm stands.
        step: the last update that was applied.
        seconds: its own compute so far.
        last_evaluation: the test metrics of its last evaluation, flat.
        track: the thinned trajectory, as plain numbers; stored snapshots have it under this name.
        recent_norms: the largest gradient norms of the last steps, which a spike is compared with.
    """

    model: dict[str, Tensor]
    optimizer: StateDict
    tikhonov: float
    status: ArmStatus
    step: int
    seconds: float
    last_evaluation: dict[str, float | None]
    track: list[list[float]]
    recent_norms: list[float]


class SnapshotError(ValueError):
    """A file that is no snapshot of this experiment; the message says what differs."""


def snapshot_steps(steps: int) -> list[int]:
    """Steps at which a run of ``steps`` updates leaves a snapshot: 0, the last, at most 21."""
    interval = -(-steps // MOST_INTERVALS)
    return sorted({*range(0, steps + 1, interval), steps})


def snapshot_name(step: int) -> str:
    """File name of the snapshot at ``step``; names sort by step."""
    return f"step-{step:08d}.pt"


def list_snapshots(folder: Path) -> dict[int, Path]:
    """The snapshots in a folder by step, ascending; empty where there is no folder."""
    if not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.iterdir()):
        if match := _NAME.match(path.name):
            found[int(match.group(1))] = path
    return found


def latest_snapshot(folder: Path, step: int) -> tuple[int, Path] | None:
    """The last snapshot at or before ``step``, if there is one."""
    fitting = [(at, path) for at, path in list_snapshots(folder).items() if at <= step]
    return max(fitting, default=None)


def save_snapshot(folder: Path, step: int, arms: list[ArmSnapshot]) -> Path:
    """Writes the state of all arms at ``step``; a crash never leaves half a file behind.

    The folder that holds ``folder`` must be there: what is gone for a while, as a data folder that
    is moved or mounted anew, must not be in the way of the true one when that comes back.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(exist_ok=True)
    path = folder / snapshot_name(step)
    partial = path.with_suffix(".partial")
    try:
        torch.save({"step": step, "arms": arms}, partial)
    except RuntimeError as error:  # torch's own words for a full disk
        raise OSError(f"the snapshot {partial} cannot be written: {error}") from error
    os.replace(partial, path)
    return path


def save_when_possible(
    folder: Path, step: int, arms: list[ArmSnapshot], give_up: Callable[[], bool]
) -> Path | None:
    """:func:`save_snapshot`, tried again while it fails; None once ``give_up`` says so.

    Disks are full and folders are gone for a while, and hours of training must not end with them.

    Raises:
        OSError: it failed for ``PATIENCE_SECONDS``.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return save_snapshot(folder, step, arms)
        except OSError:
            if give_up():
                return None
            if time.monotonic() > until:
                raise
        time.sleep(RETRY_SECONDS)


def load_snapshot(path: Path | str) -> tuple[int, list[ArmSnapshot]]:
    """Step and arms' states of a snapshot file, tensors on the CPU; runs no code from the file.

    Raises:
        SnapshotError: the file is missing, damaged or no snapshot.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        return int(content["step"]), list(content["arms"])
    except FileNotFoundError:
        raise SnapshotError(f"there is no snapshot {path}") from None
    except Exception as error:  # torch.load raises many kinds; all mean the same to the caller
        raise SnapshotError(f"{path} is not a snapshot of a run: {error}") from error
