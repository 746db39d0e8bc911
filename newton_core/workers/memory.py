"""What memory processes take, and how the C library gives it back."""

import contextlib
import ctypes
import sys

import psutil

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BLOCK = 32 * 2**20
"""The largest block that glibc lets one ask to be kept."""
_KEPT = 128 * 2**20


def keep_blocks() -> None:
    """Has freed blocks of some megabytes kept for the next ones, up to 128 MB.

    By default glibc gives each of them back to Linux, which clears its pages when they are asked
    for again: in a loop over large tensors that takes half of the time. Elsewhere nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BLOCK)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


def memory_of(pid: int) -> int:
    """Resident bytes of a process and its children; 0 once it is gone."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *process.children()):
            total += int(member.memory_info().rss)
    return total
