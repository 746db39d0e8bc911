"""Computes presets ahead, so that a class replays them at once."""

import contextlib
import http.client
import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.address import read_address
from app.database import Database, DatabaseInUseError
from app.lab import Lab
from app.presets import get_preset, load_presets
from app.runs.executors import build_executor
from app.runs.store import ENDED
from app.runs.submission import new_run, preset_spec
from app.settings import Settings

LOOK_SECONDS = 0.25


class ServerSilentError(RuntimeError):
    """A server has the database, but cannot be asked; the message says where it should be."""


@dataclass(frozen=True)
class WarmProgress:
    """How far a preset is.

    Attributes:
        preset: its name.
        run_id: the run that computes it.
        status: of the run: queued, running, finished, failed or cancelled.
        step: how far its log goes.
        steps: how far it will go.
        error: why it failed.
    """

    preset: str
    run_id: str
    status: str
    step: int
    steps: int
    error: str | None = None


class _Server(Protocol):
    """Where presets are computed."""

    def post(self, preset: str) -> str:
        """Asks for a preset's run; returns its id."""

    def look(self, preset: str, run_id: str) -> WarmProgress:
        """How far it is."""


def warm(settings: Settings, presets: Sequence[str] = ()) -> Iterator[WarmProgress]:
    """Computes presets one after the other, by the running server or else in its place.

    Args:
        settings: of the server whose class is to replay them.
        presets: names; none means all that take no hours, the default first.

    Yields:
        News of one preset after the other; the last of each has an end's status. Presets that
        the server has already are finished at once.

    Raises:
        UnknownPresetError: a name is not that of a preset; nothing has been computed.
        DatabaseStartError: the database cannot be used, or a server has it and is nowhere.
        ServerSilentError: a server has the database but does not answer.
    """
    usual = [preset.name for preset in load_presets() if preset.pace != "hours"]
    names = [get_preset(name).name for name in presets or usual]
    with _server(settings) as server:
        for name in names:
            run_id = server.post(name)
            told = None
            while told is None or told.status not in ENDED:
                news = server.look(name, run_id)
                if news != told:
                    yield news
                    told = news
                else:
                    time.sleep(LOOK_SECONDS)


@contextlib.contextmanager
def _server(settings: Settings) -> Iterator[_Server]:
    try:
        database = Database.open(settings)
    except DatabaseInUseError:
        address = read_address(settings)
        if address is None:
            raise
        yield _RunningServer(address)
        return
    executor = build_executor(settings)
    executor.start()
    lab = Lab.assemble(settings, database, executor)
    try:
        lab.queue.start()
        yield _OwnQueue(lab)
    finally:
        lab.close()


class _OwnQueue:
    """No server runs: the queue works in this process."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def post(self, preset: str) -> str:
        new = new_run(preset_spec(preset), self._lab.settings, preset=preset)
        return self._lab.queue.submit(new)[0].id

    def look(self, preset: str, run_id: str) -> WarmProgress:
        run = self._lab.store.get(run_id)
        assert run is not None  # nobody else removes runs here
        return WarmProgress(preset, run_id, run.status, run.step, run.steps, run.error)


class _RunningServer:
    """A server runs on the same data: it computes what its class will replay."""

    def __init__(self, address: str) -> None:
        self._address = address

    def post(self, preset: str) -> str:
        return str(self._ask("runs", {"preset": preset})["id"])

    def look(self, preset: str, run_id: str) -> WarmProgress:
        run = self._ask(f"runs/{run_id}")
        return WarmProgress(preset, run_id, run["status"], run["step"], run["steps"], run["error"])

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._address}api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return dict(json.load(answer))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServerSilentError(
                f"the server that works on this data, at {self._address}, does not answer as it"
                f" should: {error}; stop it, and try again"
            ) from error
