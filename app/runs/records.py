"""Small records that the server and its worker processes share; importing them costs nothing."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newton_core.experiment.sources import Source
    from newton_core.training.replay import Replay


@dataclass(frozen=True)
class LoggedEvent:
    """An event as it is stored and sent.

    Attributes:
        seq: number in the log, from 1.
        type: the event's type.
        step: the last step that it speaks of, 0 where it speaks of none.
        body: the event as JSON text, ``seq`` and ``type`` included.
    """

    seq: int
    type: str
    step: int
    body: str

    @cached_property
    def message(self) -> bytes:
        """It as a Server-Sent Event, made once for all who are sent it; JSON has no line breaks."""
        return f"event: {self.type}\ndata: {self.body}\nid: {self.seq}\n\n".encode()


@dataclass(frozen=True)
class Job:
    """What a worker is to compute.

    Attributes:
        run_id: for the log of the server.
        spec: the complete spec as JSON text.
        snapshots: folder to write snapshots to; None writes none.
        start: snapshot to go on from.
        taken_over: number of events that stand between ``started`` and the run's own.
        replay: arms that need not be computed.
        sources: what it depends on from outside, as it is now: a worker that has loaded something
            older is of no use to it.
        threads: with so many instead of as many as the worker has.
    """

    run_id: str
    spec: str
    snapshots: Path | None
    start: Path | None = None
    taken_over: int = 0
    replay: "Replay | None" = None
    sources: tuple["Source", ...] = ()
    threads: int | None = None
