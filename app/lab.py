"""The lab behind the routes: database, logs, queue and executor, opened and closed together."""

import functools
from dataclasses import dataclass

import torch

from app.admission import Admission
from app.database import Database
from app.guardian import Guardian
from app.landscapes import LandscapeService
from app.presentations import Presentations, read_key
from app.role import Role
from app.runs.desk import RunDesk
from app.runs.executors import Executor
from app.runs.feed import Feed
from app.runs.log import EventLog
from app.runs.queue import RunQueue
from app.runs.store import RunStore
from app.settings import Settings
from app.sweeps import SweepService, SweepStore
from app.throttle import Throttle
from app.visitors import Visitors
from newton_core.workers.cores import available_cores

PICTURES_IN_LINE = 16
"""Pictures that wait for a thread of the server; the largest takes two seconds of a core."""


@dataclass(frozen=True)
class Lab:
    """Everything that a request may need."""

    settings: Settings
    database: Database
    store: RunStore
    feed: Feed
    log: EventLog
    queue: RunDesk
    sweeps: SweepService
    executor: Executor
    throttle: Throttle
    landscapes: LandscapeService
    steps: LandscapeService
    role: Role
    guardian: Guardian
    pictures: Admission
    presentations: Presentations
    visitors: Visitors

    @classmethod
    def assemble(cls, settings: Settings, database: Database, executor: Executor) -> "Lab":
        """The lab around an open database and an executor, which an owner has started."""
        feed = Feed()
        store, log = RunStore(database), EventLog(database, feed)
        queue = RunQueue(settings, store, log, feed, executor)
        sweeps = SweepService(settings, SweepStore(database, feed), queue)
        desk = RunDesk(settings, store, queue)
        key = read_key(settings.data_dir)
        presentations = Presentations(key, database, store.server)
        role = Role(database, desk, sweeps, executor, feed, log, presentations)
        throttle = Throttle(settings.runs_per_minute)
        landscapes = LandscapeService(settings)
        # A process of their own: a step takes a moment, and a landscape before it seconds.
        steps = LandscapeService(settings, "step worker")
        guardian = Guardian(settings, database, desk, role)
        pictures = Admission(
            at_once=max(1, available_cores() // 2),
            in_line=PICTURES_IN_LINE,
            of_one_address=PICTURES_IN_LINE // 2 if settings.is_public else 0,
        )
        return cls(
            settings, database, store, feed, log, desk, sweeps, executor, throttle, landscapes,
            steps, role, guardian, pictures, presentations, Visitors(settings, key),
        )  # fmt: skip

    def end_streams(self) -> None:
        """Ends what viewers and followers listen to, so that the server can stop."""
        self.feed.close()
        self.presentations.close()

    def close(self) -> None:
        """Ends runs in progress, then everything else."""
        self.guardian.close()
        self.role.close()
        self.landscapes.close()
        self.steps.close()
        self.sweeps.close()
        self.queue.close()
        self.executor.close()
        self.database.close()


@functools.cache
def default_device() -> str:
    """The best device of this machine: cuda, mps or cpu."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
