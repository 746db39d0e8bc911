"""Ends the lab's processes at random moments, and counts what was lost of what it had said.

    python -m scripts.reliability [--kills 200] [--seed 0] [--minutes 60] [--databases sqlite]

A real server computes one run after another while viewers write down every event that they are
sent. At random moments a random process gets SIGKILL or SIGSTOP: a worker, an arm worker, the
landscape process, the server, the PostgreSQL server. Half of the kills hit a lab on SQLite, half
one on PostgreSQL. At the end each log must hold every event that any viewer was sent, byte for
byte, numbered without a gap; what it does not hold is lost, and the command fails.
"""

import argparse
import contextlib
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.app.harness import LabServer, long_spec, read_messages
from tests.app.postgres import Postgres, postgres_binaries

DATABASES = ("sqlite", "postgresql")
RECOVERY_SECONDS = 180.0
ARM_WORKER = "newton-lab arm worker"
LANDSCAPE = "newton-lab landscape worker"
WORKER = "newton-lab worker"
ASK_SECONDS = 0.5
PROGRESS_SECONDS = 4.0
"""How long an accident waits for the runs to say something new."""
LEAST_PAUSE, MOST_PAUSE = 0.05, 0.7
"""Seconds that it waits then."""


@dataclass
class Seen:
    """What viewers were sent, by run and number."""

    events: dict[str, dict[int, str]] = field(default_factory=dict)
    twice: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, run: str, seq: int, data: str) -> None:
        """Writes one event down; the same number must say the same again."""
        with self.lock:
            known = self.events.setdefault(run, {}).setdefault(seq, data)
            self.twice += known != data

    @property
    def count(self) -> int:
        """All events that were sent."""
        with self.lock:
            return sum(len(events) for events in self.events.values())


class Watcher(threading.Thread):
    """Keeps one long run going and follows it, through every break of its connection."""

    def __init__(self, server: LabServer, seen: Seen, seed: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._server, self._seen, self._stop_asked = server, seen, stop
        # Two arms: the second is computed by an arm worker.
        arms = [{"label": "Vanilla"}, {"label": "Fisher", "curvature": "fisher"}]
        self._spec = long_spec(seed, arms=arms, steps=100_000, evaluate_every=50)
        self.posted = 0

    def run(self) -> None:
        """Until it is told to stop."""
        while not self._stop_asked.is_set():
            try:
                with httpx.Client(base_url=self._server.url, timeout=30.0) as client:
                    run = str(
                        client.post("/api/runs", json=self._spec).raise_for_status().json()["id"]
                    )
                    self.posted += 1
                    self._follow(client, run)
            except (httpx.HTTPError, OSError):
                self._stop_asked.wait(0.1)

    def _follow(self, client: httpx.Client, run: str) -> None:
        with self._seen.lock:
            after = max(self._seen.events.get(run, {}), default=0)
        address = f"/api/runs/{run}/events"
        with client.stream("GET", address, params={"after": after}) as answer:
            for message in read_messages(answer.iter_lines()):
                if "id" in message:
                    self._seen.note(run, int(message["id"]), message["data"])
                if self._stop_asked.is_set():
                    return


class LandscapeAsker(threading.Thread):
    """Asks for one landscape after the other, so that their process is there and often busy."""

    def __init__(self, server: LabServer, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._server, self._stop_asked = server, stop
        self.answered = 0

    def run(self) -> None:
        """Until it is told to stop."""
        while not self._stop_asked.wait(ASK_SECONDS):
            with contextlib.suppress(httpx.HTTPError, OSError, IndexError):
                self.answered += self._ask()

    def _ask(self) -> bool:
        """Whether a landscape of the newest run was answered to its end."""
        with httpx.Client(base_url=self._server.url, timeout=30.0) as client:
            run = client.get("/api/runs").raise_for_status().json()["items"][0]["id"]
            body = {"run": run, "points": 21, "samples": 5}
            kinds = list(client.post("/api/landscapes", json=body).iter_lines())
        return "event: done" in kinds


class Accidents:
    """What can happen to one lab, each with how it recovers."""

    def __init__(self, server: LabServer, postgres: Postgres | None, dice: random.Random) -> None:
        self._server, self._postgres, self._dice = server, postgres, dice
        self.counts: Counter[str] = Counter()

    def happen(self) -> None:
        """One accident, and the recovery from it."""
        kinds: list[tuple[Callable[[], str | None], int]] = [
            (lambda: self._signal(WORKER), 6), (lambda: self._signal(ARM_WORKER), 5),
            (lambda: self._signal(LANDSCAPE), 4), (self._hit_server, 2),
            (self._hit_database, 2 if self._postgres else 0),
        ]  # fmt: skip
        chosen = self._dice.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        what = chosen()
        if what is not None:
            self.counts[what] += 1
            self._wait_until_healthy()

    def _signal(self, name: str) -> str | None:
        """SIGKILL or SIGSTOP for one process of this name."""
        try:
            found = [p for p in self._server.workers() if p.cmdline()[-1].startswith(name)]
        except (psutil.NoSuchProcess, IndexError):  # one that ends just now
            return None
        if not found:
            return None
        victim = self._dice.choice(found)
        with contextlib.suppress(psutil.NoSuchProcess):
            if self._dice.random() < 0.7:
                victim.kill()
                return f"SIGKILL {name.removeprefix('newton-lab ')}"
            self._suspend([victim])
            return f"SIGSTOP {name.removeprefix('newton-lab ')}"
        return None

    def _suspend(self, family: list[psutil.Process]) -> None:
        """SIGSTOP for up to a second, as on a machine that swaps."""
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        time.sleep(self._dice.uniform(0.05, 1.0))
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def _hit_server(self) -> str:
        assert self._server.process is not None
        if self._dice.random() < 0.3:
            self._suspend([psutil.Process(self._server.process.pid)])
            return "SIGSTOP server"
        port = int(self._server.url.rpartition(":")[2])
        workers = self._server.workers()
        self._server.kill()
        psutil.wait_procs(workers, timeout=30.0)
        self._server.start(port)
        return "SIGKILL server"

    def _hit_database(self) -> str:
        assert self._postgres is not None
        if self._dice.random() < 0.3:
            server = self._postgres.process
            self._suspend([server, *server.children(recursive=True)])
            return "SIGSTOP database"
        self._postgres.kill()
        time.sleep(self._dice.uniform(0.0, 1.0))
        self._postgres.start()
        return "SIGKILL database"

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if self._server.client.get("/api/health").status_code == 200:
                    return
            time.sleep(0.05)
        raise SystemExit(f"the lab did not recover:\n{self._server.log.read_text()[-3000:]}")


def lost(server: LabServer, seen: Seen) -> int:
    """How many events that viewers were sent the logs do not hold as they were sent."""
    with seen.lock:
        missing = seen.twice
        sent = {run: dict(events) for run, events in seen.events.items()}
    for run, events in sent.items():
        answer = server.client.get(f"/api/runs/{run}/export", params={"format": "json"})
        if answer.status_code != 200:
            missing += len(events)
            continue
        log = {event["seq"]: event for event in answer.json()}
        missing += sorted(log) != list(range(1, len(log) + 1))
        missing += sum(log.get(seq) != json.loads(data) for seq, data in events.items())
    return missing


def attack(
    folder: Path, postgres: Postgres | None, kills: int, minutes: float, dice: random.Random
) -> int:
    """Has accidents happen to one lab; how many events were lost."""
    settings: dict[str, int | str] = {
        "workers": 2,
        "fork_workers": 0,
        "companions": 1,
        "disk_mb": 100_000,
    }
    if postgres is not None:
        settings |= {"database_url": postgres.url}
    server = LabServer(folder / "data", **settings).start()
    seen, stop = Seen(), threading.Event()
    watchers = [Watcher(server, seen, seed, stop) for seed in (1, 2)]
    accidents, asker = Accidents(server, postgres, dice), LandscapeAsker(server, stop)
    try:
        for thread in (*watchers, asker):
            thread.start()
        end = time.monotonic() + 60 * minutes
        while accidents.counts.total() < kills and time.monotonic() < end:
            said, deadline = seen.count, time.monotonic() + PROGRESS_SECONDS
            while seen.count == said and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(dice.uniform(LEAST_PAUSE, MOST_PAUSE))
            accidents.happen()
        stop.set()
        for run in list(seen.events):  # a watcher may just be beginning another one
            server.client.post(f"/api/runs/{run}/stop", params={"ended_ok": True})
            server.wait_for(run, lambda found: found["ended"] is not None)
        missing = lost(server, seen)
    finally:
        stop.set()
        server.close()
    for name, count in sorted(accidents.counts.items()):
        say(f"  {count:4d}  {name}")
    say(f"  {asker.answered} landscapes were answered meanwhile")
    say(f"  {seen.count} events of {len(seen.events)} runs were sent to viewers; lost: {missing}")
    return missing


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Runs the accidents on both databases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0, help="at most, for each database")
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and its server with it
    dice = random.Random(given.seed)
    binaries = postgres_binaries()
    missing = 0
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        root.chmod(0o755)
        for name in given.databases:
            folder = root / name
            folder.mkdir()
            postgres = None
            if name == "postgresql":
                if binaries is None:
                    say("NOT TESTED on PostgreSQL: its server is not installed")
                    continue
                (folder / "pg").mkdir()
                postgres = Postgres(binaries, folder / "pg", root).start()
            say(f"{name}: {given.kills // 2} accidents")
            try:
                missing += attack(folder, postgres, given.kills // 2, given.minutes, dice)
            finally:
                if postgres is not None:
                    postgres.stop()
    if missing:
        raise SystemExit(f"{missing} events were lost")


if __name__ == "__main__":
    main()
