"""What many viewers cost a run, and whether hours of load leave anything behind.

    python -m scripts.load viewers [--viewers 500] [--rounds 3]
    python -m scripts.load soak [--minutes 60]

``viewers`` computes the same run alone and while many viewers follow it, in turns, and prints how
many steps a second it made in each; the ratio is what counts, for other work of the machine meets
both. ``soak`` keeps the workers, viewers and landscapes of one server busy, and prints the memory
and file descriptors of the server and the bytes of its data folder as time goes.
"""

import argparse
import asyncio
import contextlib
import signal
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import psutil

from tests.app.harness import LabServer, long_spec, tiny_spec

MEASURED_STEPS = 20_000


async def follow(host: str, port: int, run: str, counts: list[int], viewer: int) -> None:
    """One viewer: reads a run's stream to its end, and counts its events."""
    reader, writer = await asyncio.open_connection(host, port)
    request = f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    while line := await reader.readline():
        counts[viewer] += line.startswith(b"id:")
    writer.close()


async def watch(server: LabServer, run: str, viewers: int) -> list[int]:
    """Has many viewers follow a run to its end; how many events each was sent."""
    host, port = server.url.removeprefix("http://").split(":")
    counts = [0] * viewers
    following = (follow(host, int(port), run, counts, viewer) for viewer in range(viewers))
    await asyncio.gather(*following)
    return counts


def pace(server: LabServer, seed: int, viewers: int) -> float:
    """Steps a second of a run with this many viewers, each of which gets every event.

    Raises:
        SystemExit: a viewer missed some.
    """
    spec = long_spec(seed, steps=MEASURED_STEPS, evaluate_every=1000)
    run = str(server.post(spec)["id"])
    counts = asyncio.run(watch(server, run, max(1, viewers)))
    found = server.run(run)
    if found["status"] != "finished" or set(counts) != {found["last_seq"]}:
        raise SystemExit(f"viewers got {sorted(set(counts))} of {found['last_seq']} events")
    began, ended = (datetime.fromisoformat(found[name]) for name in ("started", "ended"))
    return MEASURED_STEPS / (ended - began).total_seconds()


def measure_viewers(viewers: int, rounds: int) -> None:
    """Runs alone and with viewers, in turns."""
    ratios = []
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        data = Path(work, "data")
        server = stack.enter_context(contextlib.closing(LabServer(data, workers=1, fork_workers=0)))
        server.start()
        pace(server, 0, 1)  # warms up
        for turn in range(rounds):
            alone = pace(server, 10 + 2 * turn, 1)
            watched = pace(server, 11 + 2 * turn, viewers)
            ratios.append(alone / watched)
            say(f"  alone {alone:.0f} steps/s, with {viewers} viewers {watched:.0f} steps/s:"
                f" {ratios[-1]:.2f} times slower")  # fmt: skip
    say(f"{viewers} viewers got every event; the run was {statistics.median(ratios):.2f} times"
        f" slower (from {min(ratios):.2f} to {max(ratios):.2f} in {rounds} rounds)")  # fmt: skip


def soak(minutes: float) -> None:
    """Full load for a while; memory, descriptors and disk every tenth of it."""
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        settings = {"workers": 1, "fork_workers": 0, "disk_mb": 20}
        server = stack.enter_context(contextlib.closing(LabServer(Path(work, "data"), **settings)))
        server.start()
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        end = time.monotonic() + 60 * minutes
        shown, runs = 0.0, 0
        while time.monotonic() < end:
            runs += 1
            run = server.finish(tiny_spec(seed=runs, steps=400))
            body = {"run": run, "points": 21, "samples": 5}
            server.client.post("/api/landscapes", json=body)
            if time.monotonic() > shown + 6 * minutes:
                shown = time.monotonic()
                files = [path for path in server.data_dir.rglob("*") if path.is_file()]
                disk = sum(path.stat().st_size for path in files if path.exists()) / 1e6
                say(f"  {runs:5d} runs: {process.memory_info().rss / 1e6:.0f} MB,"
                    f" {process.num_fds()} descriptors, {disk:.1f} MB on disk")  # fmt: skip


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["viewers", "soak"])
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=60.0)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and its server with it
    if given.what == "viewers":
        measure_viewers(given.viewers, given.rounds)
    else:
        soak(given.minutes)


if __name__ == "__main__":
    main()
