"""The process that computes cells."""

import logging
from typing import NoReturn

import torch

from newton_core.experiment.events import Failed, Finished
from newton_core.experiment.spec import stored_spec
from newton_core.training.run import run
from newton_core.workers.child import Connection, Job


def main(_settings: object, connection: Connection) -> NoReturn:
    """Computes a cell for each job: the spec comes as JSON, the summary goes as JSON."""
    torch.set_num_threads(1)
    logging.getLogger("newton_core").setLevel(logging.CRITICAL)  # a failure is told in its message
    connection.serve(_compute)


def _compute(job: Job[str]) -> None:
    with job.heartbeats():
        for event in run(stored_spec(job.task), stop=job.cancelled):
            if isinstance(event, Failed):
                raise RuntimeError(event.error)
            if isinstance(event, Finished):
                job.send(event.summary.model_dump_json())
