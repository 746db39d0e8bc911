"""A real server process, and what tests ask of it."""

import base64
import contextlib
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

SERVE = (
    "from app.serve import serve; from app.settings import load_settings; serve(load_settings())"
)
START_SECONDS = 180.0  # generous: these machines may be busy
ENDED = {"finished", "failed", "cancelled"}

Spec = dict[str, Any]
Message = dict[str, str]


def tiny_spec(**changes: Any) -> Spec:
    """A spec that trains in well under a second; ``changes`` replace top-level fields."""
    spec = {
        "task": {"name": "ranking", "n": 3, "test_sets": 20},
        "loss": {"name": "neuralsort"},
        "arms": [{"label": "Vanilla"}, {"label": "Fisher", "curvature": "fisher"}],
        "steps": 40,
        "batch_size": 4,
        "evaluate_every": 20,
    }
    return {**spec, **changes}


def long_spec(seed: int, **changes: Any) -> Spec:
    """A spec that trains for long enough to be met in progress, with a snapshot every 1,000 steps.

    Unlike any other with another seed.
    """
    spec = {
        "task": {"name": "ranking", "n": 2, "test_sets": 2},
        "arms": [{"label": "Vanilla"}],
        "steps": 20_000, "batch_size": 1, "evaluate_every": 10_000, "log_every": 10,
    }  # fmt: skip
    return tiny_spec(**{**spec, "seed": seed, **changes})


def read_messages(lines: Iterator[str]) -> Iterator[Message]:
    """Server-Sent Events as their fields; comments come as {"comment": text}."""
    fields: Message = {}
    for line in lines:
        if line.startswith(":"):
            yield {"comment": line[1:].strip()}
        elif line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        elif fields:
            yield fields
            fields = {}


class LabServer:
    """A ``newton-lab serve`` in a process of its own."""

    def __init__(self, data_dir: Path, **settings: Any) -> None:
        self.data_dir = data_dir
        self.settings = settings
        self.process: subprocess.Popen[str] | None = None
        self.client = httpx.Client()
        self.log = data_dir.with_suffix(".log")
        self.prefix: list[str] = []  # of the command, e.g. prlimit

    def start(self, port: int = 0) -> "LabServer":
        """Starts it, on a free port unless one is given (that of before, for its viewers)."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            port = probe.getsockname()[1]
        # Arm workers have tests of their own; to start one costs more than a small run.
        fast = {"threads": 1, "companions": 0}
        given = {"port": port, "data_dir": self.data_dir, **fast, **self.settings}
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NEWTON_LAB_")}
        environment |= {f"NEWTON_LAB_{name.upper()}": str(value) for name, value in given.items()}
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-c", SERVE],
                env=environment,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.client.close()
        # The server closes a connection that was idle for 5 s, httpx's own limit too: who asks at
        # that moment may get no answer.
        limits = httpx.Limits(keepalive_expiry=2.0)
        self.client = httpx.Client(base_url=self.url, timeout=30.0, limits=limits)
        self.wait_until_healthy()
        return self

    def wait_until_healthy(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):  # one that loads torch answers late
                if self.client.get("/api/health").status_code == 200:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail(f"the server did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> float:
        """As Ctrl-C does; returns the seconds that it took."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        return time.monotonic() - began

    def close(self) -> None:
        self.stop()
        self.client.close()

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        assert self.process is not None
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "newton-lab" in _title(child)]

    def post(self, spec: Spec, **query: Any) -> dict[str, Any]:
        answer = self.client.post("/api/runs", json=spec, params=query)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self.client.get(f"/api/runs/{run_id}").json())

    def messages(self, run_id: str, **options: Any) -> Iterator[Message]:
        """The raw messages of a run's event stream."""
        path = f"/api/runs/{run_id}/events"
        with self.client.stream("GET", path, timeout=60.0, **options) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield from read_messages(answer.iter_lines())

    def events(self, run_id: str, after: int = 0) -> list[dict[str, Any]]:
        """A run's events from the first to the last, once it has ended."""
        messages = self.messages(run_id, params={"after": after})
        return [json.loads(message["data"]) for message in messages if "id" in message]

    def finish(self, spec: Spec, **query: Any) -> str:
        """Posts a spec and waits until its run has finished."""
        run_id = str(self.post(spec, **query)["id"])
        last = self.events(run_id)[-1]
        assert last["type"] == "finished", last
        return run_id

    def stop_runs(self) -> None:
        """Stops every run that goes on or waits."""
        for status in ("queued", "running"):
            found = self.client.get("/api/runs", params={"status": status, "limit": 200})
            for run in found.json()["items"]:
                self.client.post(f"/api/runs/{run['id']}/stop", params={"ended_ok": True})

    def wait_for(self, run_id: str, happened: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The run, once something has happened to it."""
        deadline = time.monotonic() + 120.0
        while time.monotonic() < deadline:
            run = self.run(run_id)
            if happened(run):
                return run
            time.sleep(0.05)
        pytest.fail(f"it did not happen to {run}")

    def wait_until_gone(self, run_id: str) -> None:
        """Waits until the server has removed a run."""
        deadline = time.monotonic() + 60.0
        while self.client.get(f"/api/runs/{run_id}").status_code != 404:
            if time.monotonic() > deadline:
                pytest.fail(f"run {run_id} was not removed")
            time.sleep(0.05)


def _title(process: psutil.Process) -> str:
    try:
        return str(process.cmdline()[-1])
    except (psutil.NoSuchProcess, IndexError):  # one that ends just now
        return ""


def numbers_of(records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """All numbers of a log, however its events are cut: what must be equal bit for bit.

    Seconds are left out, and pictures, which travel when an arm is first shown.
    """
    metrics: dict[int, dict[int, dict[str, Any]]] = {}
    others = []
    for record in records:
        kind = record["type"]
        if kind == "metrics":
            for i, step in enumerate(record["steps"]):
                row = {k: v[i] for k, v in record["values"].items() if k != "seconds"}
                metrics.setdefault(record["arm"], {})[step] = row
        elif kind == "examples":
            items = [{k: v for k, v in item.items() if k != "image"} for item in record["items"]]
            others.append({**record, "items": items, "seq": 0})
        elif kind not in ("started", "snapshot", "finished"):
            others.append({**record, "seq": 0})
    return {"metrics": metrics, "others": others}


def unpacked(text: str) -> Any:
    """The content of a report or a hand-out: JSON, compressed, in letters."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


class Scripts(HTMLParser):
    """The scripts of an HTML text, as a browser takes it apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.types: list[str] = []
        self.sources: list[str] = []
        self.title = ""
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        given = dict(attributes)
        if tag in ("script", "link", "img") and (source := given.get("src") or given.get("href")):
            self.sources.append(source)
        elif tag == "script":
            self.types.append(given.get("type") or "")
            self.inline.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.inline[-1] += data
        elif self._inside == "title":
            self.title += data
