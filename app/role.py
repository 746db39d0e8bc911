"""Which part a server plays: it owns the queue, or it serves viewers beside the one that does.

Several servers may share one PostgreSQL database. They talk through it alone: the owner looks there
for runs and requests that others have stored, the others for the logs that the owner writes.
"""

import threading

import structlog

from app.database import Database, DatabaseUnavailableError
from app.presentations import Presentations
from app.runs.desk import RunDesk
from app.runs.executors import Executor
from app.runs.feed import Feed
from app.runs.log import EventLog, LogReader
from app.sweeps import SweepService

LOOK_SECONDS = 0.25

logger = structlog.get_logger(__name__)


class Role:
    """Takes the queue over and gives it up, and looks for what other servers have written."""

    def __init__(
        self,
        database: Database,
        desk: RunDesk,
        sweeps: SweepService,
        executor: Executor,
        feed: Feed,
        log: EventLog,
        presentations: Presentations,
    ) -> None:
        self._database = database
        self._desk = desk
        self._sweeps = sweeps
        self._executor = executor
        self._feed = feed
        self._presentations = presentations
        self._logs: tuple[LogReader, ...] = (log, sweeps.store)
        self._is_executor_started = database.is_owner  # who opened the database started it
        self._turn = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_owner(self) -> bool:
        """Whether this server owns the queue."""
        return self._desk.is_owner

    def start(self) -> None:
        """Takes the queue if the database is this server's, and begins to look."""
        if self._database.is_owner:
            self.take_over()
        if self._database.is_shared:
            self._thread = threading.Thread(target=self._watch, name="newton-lab-role", daemon=True)
            self._thread.start()

    def take_over(self) -> None:
        """Owns the queue from now on: what the last owner left running ends, the rest goes on."""
        with self._turn:
            if not self._is_executor_started:
                self._executor.start()
                self._is_executor_started = True
            self._sweeps.start()
            self._feed.reread()  # from here on this server writes the logs itself
            self._desk.start()

    def step_back(self) -> None:
        """Ends the runs in progress, for another server owns the queue; viewers stay."""
        with self._turn:
            self._sweeps.close()
            self._desk.close()
            self._feed.reread()

    def close(self) -> None:
        """Looks no more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            try:
                with self._turn:
                    if self.is_owner:
                        self._desk.take_in()
                        self._sweeps.take_in()
                    else:
                        self._tell_viewers()
                self._presentations.look()
            except DatabaseUnavailableError:  # the guardian says so
                continue
            except Exception:  # the next look may find it mended
                logger.exception("could not look for what other servers have written")

    def _tell_viewers(self) -> None:
        """Reads what the owner has logged since the last look, once for all viewers here."""
        self._feed.set_positions(self._desk.look())
        followed = self._feed.followed()
        known: set[str] = set()
        for log in self._logs:
            ends = log.ends(followed)
            known |= ends.keys()
            for log_id, end in ends.items():
                # With nothing here yet, the newest event wakes viewers to read those before it.
                reached = followed[log_id] or max(0, end - 1)
                while reached < end:
                    events = log.read(log_id, reached).events
                    if not events:
                        break
                    self._feed.publish(log_id, events)
                    reached = events[-1].seq
        for log_id in followed.keys() - known:
            self._feed.forget(log_id)
