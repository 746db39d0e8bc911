"""Limits what the server computes itself: how many at a time, in line, and of one address."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

LOOK_SECONDS = 0.25


class BusyError(RuntimeError):
    """Too many wait; the message says whether it is this address or everybody."""


class Admission:
    """Lets callers in one after the other. Lives in the event loop's thread.

    A caller that has closed the connection loses its place in line, because a page whose slider is
    dragged asks again and again and waits for the last answer only.
    """

    def __init__(self, at_once: int, in_line: int, of_one_address: int) -> None:
        """Sets the limits.

        Args:
            at_once: how many are let in at a time.
            in_line: how many more may wait.
            of_one_address: how many of both may come from one address; 0 for no such limit.
        """
        self._turns = asyncio.Semaphore(at_once)
        self._most = at_once + in_line
        self._of_one = of_one_address or self._most
        self._present: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, address: str, left: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
        """Waits for a turn, which lasts as long as the block.

        Args:
            address: who asks.
            left: whether the caller has gone away.

        Raises:
            BusyError: too many wait already.
            ConnectionAbortedError: the caller has gone away.
        """
        if self._present.total() >= self._most:
            raise BusyError("too many pictures are being computed")
        if self._present[address] >= self._of_one:
            raise BusyError("too many pictures are being computed for this address")
        self._present[address] += 1
        try:
            await self._wait(left)
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._present[address] -= 1
            if not self._present[address]:
                del self._present[address]

    async def _wait(self, left: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                await asyncio.wait_for(self._turns.acquire(), LOOK_SECONDS)
                return
            except TimeoutError:
                if await left():
                    raise ConnectionAbortedError("the caller has gone away") from None
