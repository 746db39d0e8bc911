"""Computes presets and the scenes of lessons ahead, so that a class replays them at once."""

import contextlib
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from app.address import read_address
from app.database import Database, DatabaseInUseError
from app.lab import Lab
from app.lessons.shelf import all_lessons
from app.presets import UnknownPresetError, get_preset, load_presets
from app.runs.executors import build_executor
from app.runs.identity import canonical
from app.runs.limits import check_limits
from app.runs.store import ENDED
from app.runs.submission import new_run, preset_spec
from app.settings import Settings
from newton_core.experiment.spec import ExperimentSpec
from newton_core.registry import did_you_mean

LOOK_SECONDS = 0.25
REFUSED = "refused"


class ServerSilentError(RuntimeError):
    """A server has the database, but cannot be asked; the message says where it should be."""


class _RefusedError(RuntimeError):
    """The lab does not compute this; the message says why."""


class _WaitError(RuntimeError):
    """The lab takes no further run just now."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Wish:
    """A run that is to be there: of a preset, or of a page of a lesson (``newton-losses 3``)."""

    name: str
    spec: ExperimentSpec


@dataclass(frozen=True)
class WarmProgress:
    """How far a run is.

    Attributes:
        name: of the wish.
        run_id: the run that computes it; empty where it was refused.
        status: of the run: queued, running, finished, failed or cancelled; or ``REFUSED``.
        step: how far its log goes.
        steps: how far it will go.
        error: why it failed or was refused.
        was_there: whether it had been computed before.
    """

    name: str
    run_id: str
    status: str
    step: int
    steps: int
    error: str | None = None
    was_there: bool = False

    @property
    def is_last(self) -> bool:
        """Whether nothing more comes of this run."""
        return self.status in (*ENDED, REFUSED)


class _Server(Protocol):
    """Where runs are computed."""

    def post(self, wish: Wish) -> tuple[str, bool]:
        """Asks for a run; returns its id, and whether it has finished already.

        Raises:
            _RefusedError: the lab does not compute it.
            _WaitError: it takes no further run just now.
        """

    def look(self, wish: Wish, run_id: str) -> WarmProgress:
        """How far it is."""


def find_wishes(names: Sequence[str], settings: Settings) -> list[Wish]:
    """The runs that lessons and presets show, each once.

    Args:
        names: of lessons and presets; none means every lesson, and all presets that take no hours.
        settings: with the folder of the teacher's own lessons.

    Raises:
        UnknownPresetError: a name is neither a lesson's nor a preset's; the message lists them.
    """
    lessons = {lesson.name: lesson for lesson in all_lessons(settings.lessons_dir)}
    usual = [preset.name for preset in load_presets() if preset.pace != "hours"]
    found: list[Wish] = []
    for name in names or lessons:
        if name not in lessons:
            found.append(Wish(name, _preset(name, lessons)))
            continue
        for number, page in enumerate(lessons[name].content, 1):
            if page.scene is not None and page.scene.spec is not None:
                found.append(Wish(f"{name} {number}", page.scene.spec))
    if not names:
        found += [Wish(name, preset_spec(name)) for name in usual]
    once: dict[str, Wish] = {}
    for wish in found:
        once.setdefault(canonical(wish.spec), wish)
    return list(once.values())


def _preset(name: str, lessons: Iterable[str]) -> ExperimentSpec:
    try:
        return preset_spec(get_preset(name).name)
    except UnknownPresetError as error:
        hint = did_you_mean(name, lessons)
        raise UnknownPresetError(f"{error}; lessons: {', '.join(lessons)}{hint}") from error


def warm(settings: Settings, wishes: Sequence[Wish]) -> Iterator[WarmProgress]:
    """Has runs computed one after the other, by the server if one is running, otherwise here.

    A run that was interrupted goes on from its last snapshot when it is asked for again.

    Args:
        settings: of the server whose class is to replay them.
        wishes: the runs.

    Yields:
        Progress of one run after the other; the last of each run has ``is_last``. A run that the
        server already has is finished at once.

    Raises:
        DatabaseStartError: the database cannot be used, or a server that cannot be found has it.
        ExecutorError: what computes runs cannot be used.
        ServerSilentError: a server has the database but does not answer.
    """
    with _server(settings) as server:
        for wish in wishes:
            try:
                run_id, was_there = _post(server, wish)
            except _RefusedError as error:
                yield WarmProgress(wish.name, "", REFUSED, 0, wish.spec.steps, str(error))
                continue
            told = None
            while told is None or not told.is_last:
                news = server.look(wish, run_id)
                if news != told:
                    told = news
                    yield replace(news, was_there=was_there)
                else:
                    time.sleep(LOOK_SECONDS)


def _post(server: _Server, wish: Wish) -> tuple[str, bool]:
    while True:
        try:
            return server.post(wish)
        except _WaitError as wait:
            time.sleep(wait.seconds)


@contextlib.contextmanager
def _server(settings: Settings) -> Iterator[_Server]:
    try:
        database = Database.open(settings)
    except DatabaseInUseError:
        address = read_address(settings)
        if address is None:
            raise
        yield _RunningServer(address, settings)
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

    def post(self, wish: Wish) -> tuple[str, bool]:
        if problems := check_limits(wish.spec, self._lab.settings):
            raise _RefusedError(f"{'.'.join(map(str, problems[0].path))}: {problems[0].message}")
        run, _ = self._lab.queue.submit(new_run(wish.spec, self._lab.settings))
        return run.id, run.status == "finished"

    def look(self, wish: Wish, run_id: str) -> WarmProgress:
        run = self._lab.store.get(run_id)
        assert run is not None  # nobody else removes runs here
        return WarmProgress(wish.name, run_id, run.status, run.step, run.steps, run.error)


class _RunningServer:
    """A server runs on the same data: it computes what its class will replay."""

    def __init__(self, address: str, settings: Settings) -> None:
        self._address = address
        code = settings.admin_code or settings.access_code
        self._headers = {"Content-Type": "application/json"}
        if code is not None:
            self._headers["Authorization"] = f"Bearer {code.get_secret_value()}"

    def post(self, wish: Wish) -> tuple[str, bool]:
        answer = self._ask("runs", wish.spec.model_dump(mode="json"))
        return str(answer["id"]), answer["status"] == "finished"

    def look(self, wish: Wish, run_id: str) -> WarmProgress:
        run = self._ask(f"runs/{run_id}")
        return WarmProgress(
            wish.name, run_id, run["status"], run["step"], run["steps"], run["error"]
        )

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._address}api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers=self._headers,
        )
        try:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return dict(json.load(answer))
            except urllib.error.HTTPError as error:
                if error.code == 422:
                    problem = json.load(error)["detail"][0]
                    where = ".".join(map(str, problem["loc"][1:]))
                    raise _RefusedError(f"{where}: {problem['msg']}") from error
                if error.code == 429:
                    raise _WaitError(float(error.headers["Retry-After"])) from error
                raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServerSilentError(
                f"the server that works on this data, at {self._address}, does not answer as it"
                f" should: {error}; stop it, and try again"
            ) from error
