"""What one run, one event and one viewer cost: the figures of docs/scaling.md.

    python -m scripts.scaling runs [--presets ranks forecast]
    python -m scripts.scaling events
    python -m scripts.scaling viewers [--viewers 100]

All times are of the processor: other work of the machine makes them last longer, and larger by
little. ``runs`` trains presets on a server and prints the worker's seconds and the bytes of each
run; ``events`` stores events as the queue does, on SQLite and on PostgreSQL; ``viewers`` compares
what a server uses for a run with one viewer and with many, and the same for a second server on the
same PostgreSQL database.
"""

import argparse
import asyncio
import contextlib
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from app.database import Database
from app.presets import get_preset
from app.runs.identity import Identity
from app.runs.log import EventLog
from app.runs.records import LoggedEvent
from app.runs.store import NewRun, RunStore
from app.settings import load_settings
from scripts.load import say, watch
from tests.app.harness import LabServer, long_spec
from tests.app.postgres import Postgres, postgres_binaries

EVENT_BYTES = 1500
"""About what one event of the default preset takes."""
EVENTS = 2000
VIEWED_STEPS = 10_000


def used(*processes: psutil.Process) -> float:
    """Processor seconds that processes have used so far."""
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


def used_by_family(server: psutil.Process) -> float:
    """Processor seconds of a process, and of all that it started: those that ended too."""
    return float(sum(server.cpu_times()[:4])) + used(*server.children())


def measure_runs(names: list[str]) -> None:
    """Seconds of a worker and bytes, for one run of each preset on one thread."""
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        data = Path(work, "data")
        server = stack.enter_context(contextlib.closing(LabServer(data, workers=1, fork_workers=0)))
        server.start()
        server.finish(long_spec(0, steps=200))  # warms the worker up
        for name in names:
            assert server.process is not None
            (worker,) = server.workers()
            main = psutil.Process(server.process.pid)
            before = used(worker), used(main)
            run = server.finish(get_preset(name).spec)
            computed, served = used(worker) - before[0], used(main) - before[1]
            with contextlib.closing(sqlite3.connect(data / "newton-lab.sqlite3")) as connection:
                query = "SELECT log_bytes, file_bytes, last_seq FROM runs WHERE id = ?"
                log, files, events = connection.execute(query, (run,)).fetchone()
            say(f"  {name}: {computed:.1f} s of a worker, {3600 / computed:.0f} runs per core-hour;"
                f" {served:.1f} s of the server; {events} events, log {log / 1e6:.2f} MB, snapshots"
                f" {files / 1e6:.2f} MB")  # fmt: skip


class Nobody:
    """No viewers."""

    def publish(self, run_id: str, events: object) -> None:
        """Nobody is told."""


@contextlib.contextmanager
def postgres(root: Path) -> Iterator[Postgres]:
    """A PostgreSQL server of one's own; as in the tests, it does not wait for the disk."""
    binaries = postgres_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL's server is not installed (pg_config not found)")
    root.chmod(0o755)
    folder = root / "pg"
    folder.mkdir()
    started = Postgres(binaries, folder, root).start()
    try:
        yield started
    finally:
        started.stop()


def store_events(url: str | None, folder: Path, batch: int) -> float:
    """Processor seconds of the server for storing ``EVENTS`` events."""
    database = Database.open(load_settings(data_dir=folder, database_url=url))
    store, log = RunStore(database), EventLog(database, Nobody())
    new = NewRun(Identity("{}", "1", "cpu"), False, steps=1, threads=1, title="events")
    run, _ = store.create(new, 100)
    body = "x" * EVENT_BYTES
    events = [LoggedEvent(seq, "metrics", seq, body) for seq in range(1, EVENTS + 1)]
    began = time.process_time()
    for start in range(0, EVENTS, batch):
        log.append(run.id, events[start : start + batch])
    seconds = time.process_time() - began
    database.close()
    return seconds


def measure_events() -> None:
    """Events a second of the processor, in transactions of several sizes."""
    with tempfile.TemporaryDirectory() as work, postgres(Path(work)) as server:
        for batch in (1, 5, 25):
            seconds = store_events(None, Path(work, f"sqlite{batch}"), batch)
            say(f"  SQLite, {batch} in a transaction: {EVENTS / seconds:.0f} events per second of"
                " the server's core")  # fmt: skip
            before = used_by_family(server.process)
            seconds = store_events(server.url, Path(work, f"postgresql{batch}"), batch)
            time.sleep(0.5)  # until the database has seen its client off
            own = used_by_family(server.process) - before
            say(f"  PostgreSQL, {batch} in a transaction: {EVENTS / seconds:.0f} events per second"
                f" of the server's core, {EVENTS / own:.0f} of its own")  # fmt: skip


def cost_of_run(computes: LabServer, serves: LabServer, seed: int, viewers: int) -> float:
    """Processor seconds that ``serves`` uses while viewers of it follow a run to its end."""
    assert serves.process is not None
    main = psutil.Process(serves.process.pid)
    before = used(main)
    run = str(computes.post(long_spec(seed, steps=VIEWED_STEPS, evaluate_every=1000))["id"])
    counts = asyncio.run(watch(serves, run, viewers))
    if set(counts) != {computes.run(run)["last_seq"]}:
        raise SystemExit(f"viewers got {sorted(set(counts))} events")
    say(f"    {viewers} viewers: {used(main) - before:.2f} s, {counts[0]} events each")
    return (used(main) - before) / counts[0]


def measure_viewers(viewers: int) -> None:
    """What one more viewer costs, on the server that computes and on one beside it."""
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        root = Path(work)
        database = stack.enter_context(postgres(root))
        settings = {"workers": 1, "fork_workers": 0, "database_url": database.url}
        owner, other = (
            stack.enter_context(contextlib.closing(LabServer(root / "data", **settings)))
            for _ in range(2)
        )
        owner.start()
        other.start()
        cost_of_run(owner, owner, 1, 1)  # warms up
        for seed, (name, server) in enumerate((("owner", owner), ("viewer", other))):
            say(f"  {name}:")
            few = cost_of_run(owner, server, 10 + 2 * seed, 1)
            many = cost_of_run(owner, server, 11 + 2 * seed, viewers)
            each = (many - few) / (viewers - 1)
            say(f"  {name}: an event costs {1e6 * few:.0f} µs with one viewer,"
                f" {1e6 * each:.0f} µs for each further one: {1 / each:.0f} messages per second"
                " of a core")  # fmt: skip


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["runs", "events", "viewers"])
    parser.add_argument("--presets", nargs="+", default=["ranks", "forecast", "heat", "logistic"])
    parser.add_argument("--viewers", type=int, default=100)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and its servers with it
    if given.what == "runs":
        measure_runs(given.presets)
    elif given.what == "events":
        measure_events()
    else:
        measure_viewers(given.viewers)


if __name__ == "__main__":
    main()
