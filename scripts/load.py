"""What many viewers cost a run, what many waiting runs survive, and what a request costs.

    python -m scripts.load viewers [--viewers 500] [--rounds 3]
    python -m scripts.load queue [--runs 1000]
    python -m scripts.load requests [--requests 1000]

``viewers`` computes the same run alone and while many viewers follow it, in turns, and prints how
many steps a second it made in each; the ratio is what counts, for other work of the machine meets
both. ``queue`` has runs wait behind a long one, kills the server, and looks whether each is
computed in its turn. ``requests`` counts the server's processor time. Hours of load are in
``scripts/soak.py``.
"""

import argparse
import asyncio
import contextlib
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
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


def pace(server: LabServer, seed: int, viewers: int, steps: int) -> float:
    """Steps a second of a run with this many viewers, each of which gets every event.

    Raises:
        SystemExit: a viewer missed some.
    """
    spec = long_spec(seed, steps=steps, evaluate_every=1000)
    run = str(server.post(spec)["id"])
    counts = asyncio.run(watch(server, run, max(1, viewers)))
    found = server.run(run)
    if found["status"] != "finished" or set(counts) != {found["last_seq"]}:
        raise SystemExit(f"viewers got {sorted(set(counts))} of {found['last_seq']} events")
    began, ended = (datetime.fromisoformat(found[name]) for name in ("started", "ended"))
    return steps / (ended - began).total_seconds()


def measure_viewers(viewers: int, rounds: int, steps: int) -> None:
    """Runs alone and with viewers, in turns."""
    ratios = []
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        data = Path(work, "data")
        server = stack.enter_context(contextlib.closing(LabServer(data, workers=1, fork_workers=0)))
        server.start()
        pace(server, 0, 1, steps)  # warms up
        for turn in range(rounds):
            alone = pace(server, 10 + 2 * turn, 1, steps)
            watched = pace(server, 11 + 2 * turn, viewers, steps)
            ratios.append(alone / watched)
            say(f"  alone {alone:.0f} steps/s, with {viewers} viewers {watched:.0f} steps/s:"
                f" {ratios[-1]:.2f} times slower")  # fmt: skip
    say(f"{viewers} viewers got every event; the run was {statistics.median(ratios):.2f} times"
        f" slower (from {min(ratios):.2f} to {max(ratios):.2f} in {rounds} rounds)")  # fmt: skip


def queue_many(runs: int) -> None:
    """Has many runs wait, kills the server, and looks whether all are computed in their order.

    Raises:
        SystemExit: one was lost, or overtaken.
    """
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        settings = {"workers": 1, "fork_workers": 0, "max_queue": runs, "disk_mb": 100_000}
        server = stack.enter_context(contextlib.closing(LabServer(Path(work, "data"), **settings)))
        server.start()
        blocker = str(server.post(long_spec(0, steps=100_000, evaluate_every=50_000))["id"])
        server.wait_for(blocker, lambda run: run["status"] == "running")
        began = time.monotonic()
        posted = [server.post(tiny_spec(seed=seed, steps=1)) for seed in range(runs)]
        took = time.monotonic() - began
        if [run["position"] for run in posted] != list(range(1, runs + 1)):
            raise SystemExit("a run was told a wrong place")
        refused = server.client.post("/api/runs", json=tiny_spec(seed=runs, steps=1))
        server.kill()
        server.start(int(server.url.rpartition(":")[2]))
        began = time.monotonic()
        ended = [server.wait_for(str(run["id"]), lambda found: found["ended"]) for run in posted]
        computed = time.monotonic() - began
    if refused.status_code != 429 or {run["status"] for run in ended} != {"finished"}:
        raise SystemExit(f"{refused.status_code}, {Counter(run['status'] for run in ended)}")
    if [run["ended"] for run in ended] != sorted(run["ended"] for run in ended):
        raise SystemExit("a run was overtaken")
    say(f"{runs} runs waited ({1000 * took / runs:.0f} ms a post; one more was refused), the server"
        f" was killed, and all were computed in their order in {computed:.0f} s")  # fmt: skip


def measure_requests(requests: int) -> None:
    """Processor time of the server for each of several requests, in turns."""
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        data = Path(work, "data")
        server = stack.enter_context(contextlib.closing(LabServer(data, workers=1, fork_workers=0)))
        server.start()
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        run = [server.finish(tiny_spec(seed=seed)) for seed in range(20)][-1]
        paths = ("/", "/api/health", "/api/runs", f"/api/runs/{run}", f"/api/runs/{run}/events")
        used = dict.fromkeys(paths, 0.0)
        for _ in range(5):
            for path in paths:
                before = sum(process.cpu_times()[:2])
                for _ in range(requests // 5):
                    server.client.get(path).raise_for_status()
                used[path] += sum(process.cpu_times()[:2]) - before
    for path, seconds in used.items():
        each = seconds / (requests // 5 * 5)
        say(f"  GET {path.replace(run, 'ID')}: {1000 * each:.1f} ms of the server's processor,"
            f" {1 / each:.0f} requests per second of a core")  # fmt: skip


def say(line: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["viewers", "queue", "requests"])
    parser.add_argument("--viewers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=MEASURED_STEPS, help="of each measured run")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=1000)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and its server with it
    if given.what == "viewers":
        measure_viewers(given.viewers, given.rounds, given.steps)
    elif given.what == "queue":
        queue_many(given.runs)
    else:
        measure_requests(given.requests)


if __name__ == "__main__":
    main()
