"""A second process that computes some of a run's arms, so that a run can use a second core.

Threads would wait for each other: a step of a small network is mostly Python, which runs one
thread at a time (``benchmarks/arm_workers.py`` measures what processes gain).
"""

import logging
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, NoReturn

import torch

from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import data_dir
from newton_core.training.local_arm import LocalArm
from newton_core.training.stepper import StepReport

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepare:
    """An order: read a spec's data and build its network.

    Attributes:
        spec: as JSON.
        threads: of torch, from now on.
        data_dir: folder of the data sets.
    """

    spec: str
    threads: int
    data_dir: str


@dataclass(frozen=True)
class Lend:
    """An order: compute these arms after ``step`` to the end.

    Attributes:
        step: the last one that is done.
        arms: by index, an arm's complete state and whether its images have been said.
    """

    step: int
    arms: Mapping[int, tuple[dict[str, Any], bool]]


@dataclass(frozen=True)
class Rest:
    """An order: leave what you do."""


@dataclass(frozen=True)
class Prepared:
    """An answer: the arms can come."""


@dataclass(frozen=True)
class Failure:
    """An answer: it went wrong; the rest is up to the run."""

    error: str


@dataclass(frozen=True)
class Computed:
    """An answer: what the lent arms that still train say of a step.

    Attributes:
        step: the step.
        arms: by index, the report and, at the steps of snapshots and at an arm's end, its state.
    """

    step: int
    arms: Mapping[int, tuple[StepReport, dict[str, Any] | None]]


class ArmWorkerLostError(RuntimeError):
    """The companion is gone or failed; the message says what is known."""


class ArmWorker:
    """A process that computes arms for one run at a time, and stays warm between runs.

    It starts when it is first needed, ends with the process that made it, and computes the same
    numbers. Use it as a context manager, or :meth:`close` it. A run that calls it takes it from
    the run before, which then goes on by itself; all methods are for one thread.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._mail: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._job = 0
        self._prepared = False
        self._lost: str | None = None
        self._said: dict[tuple[int, int], tuple[StepReport, dict[str, Any] | None]] = {}

    @property
    def process_id(self) -> int | None:
        """Of the process, once it has been needed."""
        return self._process.pid if self._process is not None else None

    def prepare(self, spec: ExperimentSpec) -> int:
        """Has the process get ready for the arms of a run, without waiting for it.

        Returns:
            The number of the job, which the other methods take.

        Raises:
            ArmWorkerLostError: it cannot be started.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()
        self._job += 1
        self._prepared = False
        self._lost = None
        self._said.clear()
        self._send(Prepare(spec.model_dump_json(), torch.get_num_threads(), str(data_dir())))
        return self._job

    def is_ready(self, job: int) -> bool:
        """Whether it waits for the arms of that job.

        Raises:
            ArmWorkerLostError: it is gone, has another job, or the spec is beyond it.
        """
        self._check(job)
        while not self._prepared and self._take(wait=False):
            pass
        return self._prepared

    def lend(self, job: int, step: int, arms: Mapping[int, LocalArm]) -> None:
        """Hands over arms that have done ``step``.

        Raises:
            ArmWorkerLostError: it is gone, or has another job.
        """
        self._check(job)
        self._send(Lend(step, {i: (arm.state(step), arm.pictured) for i, arm in arms.items()}))

    def answer(self, job: int, arm: int, step: int) -> tuple[StepReport, dict[str, Any] | None]:
        """What a lent arm says of a step, waiting for it; its state where snapshots are due.

        Raises:
            ArmWorkerLostError: it is gone, failed before that, or has another job.
        """
        self._check(job, said=(arm, step) in self._said)
        while (arm, step) not in self._said:
            self._take(wait=True)
        return self._said.pop((arm, step))

    def rest(self, job: int) -> None:
        """Has it leave what it still does for that job."""
        if job == self._job and self._lost is None:
            try:
                self._send(Rest())
            except ArmWorkerLostError as loss:
                logger.warning("%s", loss)

    def _check(self, job: int, *, said: bool = False) -> None:
        """Raises if the job is not the present one, or lost with nothing said to be fetched."""
        if job != self._job:
            raise ArmWorkerLostError("a companion process was called away by another run")
        if self._lost is not None and not said:
            raise ArmWorkerLostError(self._lost)

    def close(self) -> None:
        """Ends the process."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # something unsent was left in it
                logger.debug("a companion's pipe was cut", exc_info=True)
        self._process = None

    def __enter__(self) -> "ArmWorker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> None:
        self.close()
        program = (
            "import os, sys\n"
            "answers = os.fdopen(os.dup(1), 'wb')\n"
            "os.dup2(2, 1)\n"  # what anything prints must not get between the answers
            f"sys.path[:] = {sys.path!r}\n"
            "from newton_core.training.parallel.entry import serve\n"
            "serve(answers)\n"
        )
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the run to handle
            )
        except OSError as error:
            raise ArmWorkerLostError(f"no companion process could be started: {error}") from error
        self._mail = queue.SimpleQueue()
        reader = threading.Thread(
            target=_read, args=(self._process.stdout, self._mail), name="companion", daemon=True
        )
        reader.start()

    def _send(self, order: Prepare | Lend | Rest) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        try:
            pickle.dump((self._job, order), process.stdin)
            process.stdin.flush()
        except OSError:
            self._lose(self._exit_reason())

    def _take(self, *, wait: bool) -> bool:
        """Takes one message in; false if there is none."""
        try:
            message = self._mail.get(block=wait)
        except queue.Empty:
            return False
        if message is None:
            reason = self._exit_reason()
            self.close()
            self._lose(reason)
        job, answer = message
        if job == self._job:  # else it is about a run before
            match answer:
                case Prepared():
                    self._prepared = True
                case Computed():
                    self._said.update({(i, answer.step): said for i, said in answer.arms.items()})
                case Failure():
                    self._lose(f"a companion process failed: {answer.error}")
        return True

    def _lose(self, reason: str) -> NoReturn:
        self._lost = reason  # every arm that it has is told
        raise ArmWorkerLostError(reason)

    def _exit_reason(self) -> str:
        assert self._process is not None
        try:
            code = self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            return "a companion process closed its connection"
        return f"a companion process ended (exit code {code})"


def _read(pipe: IO[bytes], mail: "queue.SimpleQueue[Any]") -> None:
    """Puts every message of a companion into ``mail``, None after the last."""
    try:
        while True:
            mail.put(pickle.load(pipe))
    except (EOFError, OSError, ValueError):
        pass  # it ended, or was closed while it spoke
    finally:
        mail.put(None)


class RemoteArm:
    """An arm that a companion computes; if that is lost, the arm is computed here after all."""

    def __init__(self, companion: ArmWorker, job: int, computed: LocalArm) -> None:
        """The arm was lent in its present state."""
        self._companion: ArmWorker | None = companion
        self._job = job
        self._local = computed

    def advance(self, step: int) -> StepReport:
        """See :class:`~newton_core.training.stepper.ArmStepper`.

        If the companion is lost, all since the last state that it sent is computed again, at most
        a twentieth of the run.
        """
        if self._companion is not None:
            try:
                report, state = self._companion.answer(self._job, self._local.index, step)
            except ArmWorkerLostError as loss:
                logger.warning("%s; arm %d goes on without", loss, self._local.index)
                self._companion = None
            else:
                if state is not None:
                    self.restore(state)
                self._local.pictured |= bool(report.evaluation)
                return report
        for behind in range(self._local.arm.step + 1, step):
            self._local.advance(behind)
        return self._local.advance(step)

    def state(self, step: int) -> dict[str, Any]:
        """See :class:`~newton_core.training.stepper.ArmStepper`."""
        return self._local.state(step)

    def restore(self, state: dict[str, Any]) -> None:
        """See :class:`~newton_core.training.stepper.ArmStepper`."""
        self._local.restore(state)
