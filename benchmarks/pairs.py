"""How two ways to do the same are timed: in turns, in one process and one thread."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.memory import needed

Call = Callable[[], object]
"""A call that returns a float says itself how many seconds it took, as one in another process."""

WARM_UP = 3


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        work: what is measured.
        peer: what it is compared with; empty where the target is a number of its own.
        build: makes the calls (ours, peer's) for a quick or a full run; None: no peer.
        ratio: the most that ours may cost, in units of the peer.
        milliseconds: the most that ours may take; beside a peer, the most that it may take more.
        megabytes: the most memory that ours may take.
        turns: pairs that are timed.
        is_call: whether it is a call in this process, whose memory is measured and which a quick
            run has too.
    """

    work: str
    peer: str
    build: Callable[[bool], tuple[Call, Call | None]]
    ratio: float | None = None
    milliseconds: float | None = None
    megabytes: float | None = None
    turns: int = 100
    is_call: bool = True


@dataclass(frozen=True)
class Measured:
    """What a row came to: times in milliseconds, memory in megabytes; None: not measured."""

    work: str
    peer: str
    ours: float
    peers: float | None
    ratio: float | None
    memory: float | None
    target: str
    met: bool


def measure(row: Row, *, quick: bool) -> Measured:
    """Times a row.

    The two take turns, and every other pair begins with the peer. What counts is the processor
    time of this thread, so that other programs on the machine take none of it; the ratio is the
    median of the pairs' ratios.
    """
    ours, peers = row.build(quick)
    calls = [ours] if peers is None else [ours, peers]
    seconds: list[list[float]] = [[] for _ in calls]
    turns = 2 if quick else row.turns
    for turn in range(-1 if quick else -min(WARM_UP, turns), turns):
        order = range(len(calls)) if turn % 2 else range(len(calls) - 1, -1, -1)
        for which in order:
            spent = seconds_of(calls[which])
            if turn >= 0:
                seconds[which].append(spent)
    milliseconds = [1e3 * statistics.median(times) for times in seconds]
    ratio = None
    if peers is not None:
        ratio = statistics.median(a / b for a, b in zip(*seconds, strict=True))
    is_asked = row.megabytes is not None or (row.is_call and not quick)
    memory = needed(row.build, quick=quick) if is_asked else None
    return judged(row, milliseconds[0], None if peers is None else milliseconds[1], ratio, memory)


def seconds_of(call: Call) -> float:
    """Processor time of this thread, the only one that torch has, or what the call says."""
    torch.set_num_threads(1)  # a peer's compiled loops may have set it anew
    began = time.thread_time()
    said = call()
    return said if isinstance(said, float) else time.thread_time() - began


def judged(
    row: Row, ours: float, peers: float | None, ratio: float | None, memory: float | None
) -> Measured:
    """The row with what was measured, beside its targets."""
    limits = [
        (row.ratio, ratio, "x {:g}"),
        (row.milliseconds, ours - (peers or 0.0), "{:g} ms" if peers is None else "{:g} ms more"),
        (row.megabytes, memory, "{:g} MB"),
    ]
    asked = [(limit, found, text) for limit, found, text in limits if limit is not None]
    return Measured(
        work=row.work,
        peer=row.peer,
        ours=ours,
        peers=peers,
        ratio=ratio,
        memory=memory,
        target=", ".join(text.format(limit) for limit, _, text in asked),
        met=all(found is not None and found <= limit for limit, found, _ in asked),
    )
