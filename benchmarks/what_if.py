"""What-ifs on the default preset, over HTTP: how soon the first new point is there, and the end.

    python -m benchmarks.what_if [--steps 2490 4010 240 1130] [--preset collapse]

The preset is trained first. Then λ of its second arm changes at each of the steps, in a new run
that starts from the first one's snapshots; a point is new once the changed arm's metrics have
passed the step. At worst the change lies just before a snapshot: then up to a twentieth of the
run has to be computed again before it.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from scripts.lab_browser import served

ARM = 1


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def events(lab: str, run_id: str) -> Iterator[dict[str, Any]]:
    """A run's events as they come, to the last."""
    with urlopen(f"{lab}api/runs/{run_id}/events", timeout=600) as stream:
        for line in stream:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])


def ask(lab: str, parent: str, spec: dict[str, Any], step: int) -> tuple[float, float]:
    """Seconds from a what-if to its first new point, and to its end."""
    change = {"step": step, "arm": ARM, "tikhonov": 3.0 + step / 1000}
    began = time.monotonic()
    run = post(f"{lab}api/runs?from={parent}", {**spec, "changes": [change]})
    first = None
    for event in events(lab, run["id"]):
        is_new = event["type"] == "metrics" and event["arm"] == ARM and event["steps"][-1] > step
        if first is None and is_new:
            first = time.monotonic() - began
    assert first is not None, "the run has ended before the change"
    return first, time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="collapse")
    parser.add_argument("--steps", type=int, nargs="+", default=[2490, 4010, 240, 1130])
    arguments = parser.parse_args()
    with served(Path(tempfile.mkdtemp())) as address:
        lab = f"{address.rstrip('/')}/"
        with urlopen(f"{lab}api/catalog", timeout=60) as answer:
            presets = {preset["name"]: preset for preset in json.load(answer)["presets"]}
        began = time.monotonic()
        run = post(f"{lab}api/runs", {"preset": arguments.preset})
        for _ in events(lab, run["id"]):
            pass
        print(f"{arguments.preset}: {time.monotonic() - began:.1f} s")
        for step in arguments.steps:
            first, whole = ask(lab, run["id"], presets[arguments.preset]["spec"], step)
            print(f"what if, from step {step}: first new point {first:.2f} s, end {whole:.1f} s")


if __name__ == "__main__":
    main()
