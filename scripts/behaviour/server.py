"""A tree's own server, and what is asked of it."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from scripts.behaviour.trees import Tree, TreeError

START_SECONDS = 120.0
END_SECONDS = 300.0
Record = dict[str, Any]
HEADERS = (
    "allow", "cache-control", "content-disposition", "content-security-policy", "content-type",
    "location", "referrer-policy", "retry-after", "x-content-type-options",
)  # fmt: skip
"""Headers that mean something to a client; the others are the clock's and the connection's."""


@dataclass
class Lab:
    """A running server.

    Attributes:
        url: its address.
        data: its data folder.
        client: asks it.
        runs: ids of the runs that were posted, in that order.
    """

    url: str
    data: Path
    client: httpx.Client
    runs: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, **request: Any) -> Record:
        """Status, headers and body of an answer, in words that do not change from run to run."""
        return self._record(self.client.request(method, path, **request))

    def _record(self, answer: httpx.Response) -> Record:
        return {
            "status": answer.status_code,
            "headers": {
                name: self.masked(answer.headers[name])
                for name in HEADERS
                if name in answer.headers
            },
            "body": self._body(answer),
        }

    def _body(self, answer: httpx.Response) -> Any:
        if not answer.content:
            return None
        kind = answer.headers.get("content-type", "")
        if kind.startswith("application/json"):
            return json.loads(self.masked(answer.text))
        if kind.startswith("text/event-stream"):
            return list(read_messages(self.masked(answer.text)))
        return self.masked(answer.text)

    def masked(self, text: str) -> str:
        """A text without this server's address and folder; runs get numbers for their ids."""
        for number, run in enumerate(self.runs):
            text = text.replace(run, f"RUN-{number}")
            text = re.sub(rf"\b{run[:6]}\b", f"RUN-{number}", text)  # as the page shows it
        return text.replace(self.url, "ORIGIN").replace(str(self.data), "DATA")

    def post(self, spec: Record, **query: str) -> Record:
        """The answer to a new spec, whose run is remembered by its id."""
        answer = self.client.post("/api/runs", json=spec, params=query)
        run = answer.json()["id"]
        if run not in self.runs:
            self.runs.append(run)
        return self._record(answer)

    def log(self, run: str, until: int | None = None) -> list[Record]:
        """The events of a run, to its end or until one of a step from ``until`` on."""
        events = []
        address = f"/api/runs/{run}/events"
        with self.client.stream("GET", address, timeout=END_SECONDS) as answer:
            for line in answer.iter_lines():
                name, _, value = line.partition(":")
                if name == "data" and '"seq"' in value:
                    events.append(json.loads(value))
                    if until is not None and _step(events[-1]) >= until:
                        break
        return events

    def finish(self, spec: Record, **query: str) -> str:
        """Posts a spec, waits for the end of its run, and answers with its id."""
        self.post(spec, **query)
        run = self.runs[-1]
        self.log(run)
        self.wait_until_ended(run)
        return run

    def wait_until_ended(self, run: str) -> None:
        """Until the list of runs knows what the log has said already.

        Raises:
            TreeError: it does not.
        """
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            if self.client.get(f"/api/runs/{run}").json()["status"] not in ("queued", "running"):
                return
            time.sleep(0.05)
        raise TreeError(f"run {run} of {self.url} did not end")


def _step(event: Record) -> int:
    return int(event["steps"][-1] if event["type"] == "metrics" else event.get("step", 0))


def read_messages(text: str) -> Iterator[Record]:
    """Server-Sent Events as {"event", "id", "data"}, the data decoded; no comments."""
    for block in text.split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
        message: Record = {name: value for name, _, value in lines}
        if "data" in message:
            yield {**message, "data": json.loads(message["data"])}


@contextmanager
def serving(tree: Tree, data: Path, **settings: object) -> Iterator[Lab]:
    """A server of ``tree`` on a free port.

    One worker, one for forks, each with one companion, so that arms are computed here and there;
    ``settings`` may say otherwise.

    Raises:
        TreeError: it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    usual = {"port": port, "workers": 1, "fork_workers": 1, "threads": 1, "companions": 1}
    process = tree.start(["-m", "app.cli", "serve"], data, **{**usual, **settings})
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120.0) as client:
            lab = Lab(f"http://127.0.0.1:{port}", data, client)
            _wait_until_healthy(lab, tree)
            yield lab
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_healthy(lab: Lab, tree: Tree) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if lab.client.get("/api/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TreeError(f"{tree.name}: the server did not start")
