"""Arms side by side: what a step asks of every arm, on as many cores as the caller grants."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


class SideBySide:
    """Calls a function on several arms at once, each in a thread of its own.

    No arm touches what another one computes with, so the numbers are the same as one after the
    other. torch holds no lock while it computes; between its calls one thread waits for the other,
    so that networks of milliseconds a step gain little and larger ones nearly as much as there are
    cores (``benchmarks/side_by_side.py``).
    """

    def __init__(self, most: int) -> None:
        """At most ``most`` calls at once; with 1 there are no threads."""
        self._pool: ThreadPoolExecutor | None = None
        if most > 1:
            # torch's own number of threads is one for each thread that calls it
            settle = (torch.set_num_threads, (torch.get_num_threads(),))
            self._pool = ThreadPoolExecutor(most, "arm", *settle)

    def map(self, call: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results in the order of ``items``; the first error is raised after all have ended."""
        if self._pool is None or len(items) < 2:
            return [call(item) for item in items]
        jobs = [self._pool.submit(call, item) for item in items]
        wait(jobs)
        return [job.result() for job in jobs]

    def __enter__(self) -> "SideBySide":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
