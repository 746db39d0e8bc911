"""The companion's side: takes orders on standard input, answers on standard output."""

import contextlib
import logging
import os
import pickle
import queue
import sys
import threading
from typing import IO, Any

import torch

from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.context import RunContext
from newton_core.training.local_arm import LocalArm
from newton_core.training.parallel.arm_worker import Computed, Failure, Lend, Prepare, Prepared
from newton_core.training.stepper import StepReport

logger = logging.getLogger(__name__)


def serve(answers: IO[bytes]) -> None:
    """Serves one run after the other until the process that started this one is gone.

    Args:
        answers: where they go; what is printed goes elsewhere.
    """
    orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()
    worker = _Worker(answers, orders)
    while True:
        job, order = orders.get()
        if orders.empty():  # else it is about a run that is over
            worker.carry_out(job, order)


def _listen(pipe: IO[bytes], orders: "queue.SimpleQueue[Any]") -> None:
    try:
        with contextlib.suppress(EOFError, OSError):
            while True:
                orders.put(pickle.load(pipe))
    finally:
        os._exit(0)  # nobody is left to compute for


class _Worker:
    def __init__(self, answers: IO[bytes], orders: "queue.SimpleQueue[Any]") -> None:
        self._answers = answers
        self._orders = orders
        self._context: RunContext | None = None

    def carry_out(self, job: int, order: object) -> None:
        """Carries out one order; what goes wrong is an answer too."""
        try:
            if isinstance(order, Prepare):
                self._context = None
                torch.set_num_threads(order.threads)
                os.environ["NEWTON_LAB_DATA_DIR"] = order.data_dir
                self._context = RunContext(ExperimentSpec.model_validate_json(order.spec))
                self._answer(job, Prepared())
            elif isinstance(order, Lend):
                self._compute(job, order)
        except BrokenPipeError:
            os._exit(0)
        except Exception as error:  # the run computes the arms itself and says what it meets
            logger.exception("a companion failed")
            self._answer(job, Failure(f"{type(error).__name__}: {error}"))

    def _compute(self, job: int, order: Lend) -> None:
        """Computes the arms until all have ended or another order has come."""
        context = self._context
        assert context is not None
        arms = {index: LocalArm(context, index) for index in order.arms}
        for index, (state, pictured) in order.arms.items():
            arms[index].restore(state)
            arms[index].pictured = pictured
        for step in range(order.step + 1, context.spec.steps + 1):
            if not arms or not self._orders.empty():
                return
            said: dict[int, tuple[StepReport, dict[str, Any] | None]] = {}
            for index, arm in list(arms.items()):
                report = arm.advance(step)
                ended = report.status != "running"
                due = ended or step in context.schedule.snapshots
                said[index] = (report, arm.state(step) if due else None)
                if ended:
                    del arms[index]
            self._answer(job, Computed(step, said))

    def _answer(self, job: int, answer: Prepared | Computed | Failure) -> None:
        pickle.dump((job, answer), self._answers)
        self._answers.flush()
