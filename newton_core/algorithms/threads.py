"""Threads for compiled kernels, which compute without the GIL."""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch


def over_batch(
    call: Callable[[slice], None], count: int, *, most: int | None = None, multiple: int = 1
) -> None:
    """Calls ``call`` on slices that cover a batch of ``count``, each in a thread of its own.

    There are at most ``torch.get_num_threads()`` slices and at most ``most``. The sizes of all but
    the last are divisible by ``multiple``. The caller's own thread computes the first.
    """
    threads = torch.get_num_threads() if most is None or most > 1 else 1
    parts = max(1, threads if most is None else min(threads, most))
    if parts == 1 and count:
        call(slice(0, count))
        return
    blocks = -(-count // multiple)
    size = max(1, multiple * -(-blocks // parts))
    slices = [slice(first, min(first + size, count)) for first in range(0, count, size)]
    jobs = [_pool().submit(call, part) for part in slices[1:]]
    if slices:
        call(slices[0])
    for job in jobs:
        job.result()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), thread_name_prefix="kernels")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork, so a child starts its own
    os.register_at_fork(after_in_child=_pool.cache_clear)
