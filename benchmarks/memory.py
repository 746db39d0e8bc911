"""The memory that a call needs, measured in a process of its own."""

import ctypes
import gc
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

_MEGABYTE = 2**20
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

Found = TypeVar("Found")


def apart(work: Callable[[], Found]) -> Found:
    """What ``work`` returns in a new process of one torch thread, where nothing is left over."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_start) as process:
        return process.submit(work).result()


def _start() -> None:
    torch.set_num_threads(1)


def peak_megabytes(call: Callable[[], object]) -> float | None:
    """The memory that a call takes at its height beyond what was held; None off Linux.

    Freed memory goes back to the system first, so that none of it hides what the call takes.
    """
    if sys.platform != "linux" or not _RESET.exists():
        return None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    _RESET.write_text("5")  # the height is counted from here
    before = _kilobytes("VmRSS:")
    call()
    return max(0, _kilobytes("VmHWM:") - before) * 1024 / _MEGABYTE


def _kilobytes(name: str) -> int:
    lines = _STATUS.read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def needed(
    build: Callable[[bool], tuple[Callable[[], object], object]], *, quick: bool
) -> float | None:
    """Megabytes that the first of a row's calls takes the second time, when its code is loaded."""
    return apart(partial(_needed, build, quick))


def _needed(
    build: Callable[[bool], tuple[Callable[[], object], object]], quick: bool
) -> float | None:
    call = build(quick)[0]
    call()
    return peak_megabytes(call)
