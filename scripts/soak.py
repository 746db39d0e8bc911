"""Keeps a server at full load for an hour, and fails unless memory, descriptors and disk stay flat.

    python -m scripts.soak [--minutes 60]

Visitors post one run after the other, more than there are workers, so that the queue is never
empty; each run has viewers, who must get every event. Beside them someone draws landscapes of
finished runs, and someone reads lists and exports. Every sixtieth of the time is a sample: memory
and descriptors of the server, and of it with all its processes, and the bytes of its data folder.
The disk's quota is small, so that runs are removed all the time. What is flat: the median of the
last quarter is at most ``SLACK`` above that of the second quarter; the first one warms up. The
landscape process may grow by what it keeps, which is bounded.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import httpx
import psutil

from newton_core.training.landscapes.history import MOST_BYTES
from scripts.load import say, watch
from tests.app.harness import LabServer, tiny_spec

VISITORS = 4
WORKERS = 2
VIEWERS = 5
"""Of each run."""
STEPS = 400
DISK_MB = 60
SAMPLES = 60
SLACK = 0.05


@dataclass(frozen=True)
class Sample:
    """What the server and its processes hold at one moment, in megabytes and numbers."""

    server_mb: float
    workers_mb: float
    landscapes_mb: float
    descriptors: int
    all_descriptors: int
    disk_mb: float


def sample(server: LabServer) -> Sample:
    """The server as it is now."""
    assert server.process is not None
    main = psutil.Process(server.process.pid)
    memory: Counter[bool] = Counter()
    descriptors = main.num_fds()
    for child in server.workers():
        with contextlib.suppress(psutil.NoSuchProcess):
            memory["landscape" in child.cmdline()[-1]] += child.memory_info().rss
            descriptors += child.num_fds()
    disk = 0
    for folder, _, files in os.walk(server.data_dir):  # passes by folders that have just gone
        for file in files:
            with contextlib.suppress(FileNotFoundError):  # of a run that is removed just now
                disk += Path(folder, file).stat().st_size
    return Sample(
        main.memory_info().rss / 1e6, memory[False] / 1e6, memory[True] / 1e6,
        main.num_fds(), descriptors, disk / 1e6,
    )  # fmt: skip


class Visitors:
    """Keep a server busy until they are told to stop, and remember what went wrong."""

    def __init__(self, server: LabServer) -> None:
        self._server = server
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._seed = 0
        self._finished: list[str] = []
        self.counts: Counter[str] = Counter()
        self.errors: list[Exception] = []
        doing = [self._compute] * VISITORS + [self._draw, self._read]
        self._threads = [threading.Thread(target=self._repeat, args=(one,)) for one in doing]

    def __enter__(self) -> "Visitors":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[httpx.Client], None]) -> None:
        try:
            with httpx.Client(base_url=self._server.url, timeout=120.0) as client:
                while not self._stop.is_set():
                    act(client)
        except Exception as error:  # it is told at the end
            self.errors.append(error)

    def _count(self, name: str, number: int = 1) -> None:
        with self._lock:
            self.counts[name] += number

    def _compute(self, client: httpx.Client) -> None:
        """One run from its post to its end, watched by viewers."""
        with self._lock:
            self._seed += 1
            seed = self._seed
        answer = client.post("/api/runs", json=tiny_spec(seed=seed, steps=STEPS))
        run = str(answer.raise_for_status().json()["id"])
        counts = asyncio.run(watch(self._server, run, VIEWERS))
        if len(set(counts)) != 1 or not counts[0]:
            raise RuntimeError(f"viewers of one run got {sorted(set(counts))} events")
        self._finished = [*self._finished, run][-2:]
        self._count("runs")
        self._count("events sent", sum(counts))

    def _draw(self, client: httpx.Client) -> None:
        """One landscape; its run may have been removed to make room."""
        if not self._finished:
            self._stop.wait(0.5)
            return
        body = {"run": self._finished[-1], "points": 21, "samples": 5}
        answer = client.post("/api/landscapes", json=body)
        if answer.status_code not in (200, 404, 409, 422):
            raise RuntimeError(f"a landscape was answered with {answer.text}")
        self._count("landscapes", answer.status_code == 200)

    def _read(self, client: httpx.Client) -> None:
        """The list of runs, and the numbers of the newest finished one."""
        client.get("/api/runs").raise_for_status()
        for run in self._finished[-1:]:
            export = client.get(f"/api/runs/{run}/export", params={"format": "csv"})
            self._count("exports", export.status_code == 200)
        self._count("lists")
        self._stop.wait(0.2)


def growth(samples: list[Sample]) -> dict[str, tuple[float, float]]:
    """For each quantity, its median in the second and in the last quarter of the time."""
    quarter = len(samples) // 4
    found = {}
    for field in fields(Sample):
        values = [float(getattr(one, field.name)) for one in samples]
        parts = values[quarter : 2 * quarter], values[-quarter:]
        found[field.name] = (statistics.median(parts[0]), statistics.median(parts[1]))
    return found


def grown_ones(found: dict[str, tuple[float, float]]) -> list[str]:
    """The quantities that are not flat."""
    kept = {"landscapes_mb": MOST_BYTES / 1e6}
    return [
        name
        for name, (early, late) in found.items()
        if late > early * (1 + SLACK) + kept.get(name, 1.0)
    ]


def soak(minutes: float) -> list[Sample]:
    """Full load for a while; the samples, a tenth of which are printed.

    Raises:
        SystemExit: a visitor was not served.
    """
    samples = []
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        settings = {"workers": WORKERS, "fork_workers": 0, "disk_mb": DISK_MB}
        server = stack.enter_context(contextlib.closing(LabServer(Path(work, "data"), **settings)))
        server.start()
        visitors = stack.enter_context(Visitors(server))
        while visitors.counts["runs"] < VISITORS and not visitors.errors:
            time.sleep(0.1)  # until the workers have imported and compiled what they need
        began = time.monotonic()
        for number in range(1, SAMPLES + 1):
            time.sleep(max(0.0, began + 60 * minutes * number / SAMPLES - time.monotonic()))
            samples.append(sample(server))
            if visitors.errors:
                raise SystemExit(f"a visitor was not served: {visitors.errors[0]!r}")
            if number % (SAMPLES // 10) == 0:
                one = samples[-1]
                say(f"  {visitors.counts['runs']:6d} runs: server {one.server_mb:.0f} MB, workers"
                    f" {one.workers_mb:.0f}, landscapes {one.landscapes_mb:.0f}; descriptors"
                    f" {one.descriptors}, of all {one.all_descriptors}; {one.disk_mb:.1f} MB on"
                    " disk")  # fmt: skip
        took = time.monotonic() - began
    done = ", ".join(f"{count} {name}" for name, count in sorted(visitors.counts.items()))
    say(f"{done} in {took / 60:.1f} minutes")
    return samples


def main() -> None:
    """Reads the command line, and judges."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and its server with it
    found = growth(soak(given.minutes))
    for name, (early, late) in found.items():
        say(f"  {name}: median {early:.1f} in the second quarter, {late:.1f} in the last")
    if grown := grown_ones(found):
        raise SystemExit(f"not flat: {', '.join(grown)}")
    say("flat")


if __name__ == "__main__":
    main()
