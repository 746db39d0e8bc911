"""Events on their way out: numbered, with the metrics of many steps batched into few events."""

import math
import time
from collections.abc import Iterator
from typing import TypeVar

from newton_core.experiment.events import EventBase, Metrics
from newton_core.experiment.spec import STORED
from newton_core.metrics import METRIC_NAMES
from newton_core.records import finite

METRICS_EVENTS_PER_SECOND = 20.0
"""Leaves room below 30 events a second for evaluations, spectra and examples."""

E = TypeVar("E", bound=EventBase)


class EventWriter:
    """Numbers events without gaps and holds metrics back until a batch is due."""

    def __init__(self, arms: int) -> None:
        self._seq = 0
        self._interval = arms / METRICS_EVENTS_PER_SECOND
        self._flushed = -math.inf
        self._steps: list[list[int]] = [[] for _ in range(arms)]
        self._rows: list[list[tuple[float, ...]]] = [[] for _ in range(arms)]

    def emit(self, kind: type[E], **fields: object) -> E:
        """The next event."""
        self._seq += 1
        return kind.model_validate({"seq": self._seq, **fields}, context=STORED)

    def forward(self, event: E) -> E:
        """The next event, made elsewhere: it takes this run's number."""
        self._seq += 1
        return event.model_copy(update={"seq": self._seq})

    def add(self, arm: int, step: int, metrics: tuple[float, ...]) -> None:
        """Takes one step's metrics, in the order of METRIC_NAMES."""
        self._steps[arm].append(step)
        self._rows[arm].append(metrics)

    def due(self) -> bool:
        """Whether enough time has passed for another batch; the first is due at once."""
        return time.monotonic() - self._flushed >= self._interval

    def flush(self) -> Iterator[Metrics]:
        """All metrics held back, one event an arm."""
        self._flushed = time.monotonic()
        for arm, (steps, rows) in enumerate(zip(self._steps, self._rows, strict=True)):
            if not steps:
                continue
            columns = zip(*rows, strict=True)
            values = {
                name: [finite(value) for value in column]
                for name, column in zip(METRIC_NAMES, columns, strict=True)
            }
            yield self.emit(Metrics, arm=arm, steps=list(steps), values=values)
            steps.clear()
            rows.clear()
