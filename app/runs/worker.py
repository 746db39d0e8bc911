"""What runs in a run worker's process: one run after the other, on a warm torch."""

import contextlib
import os
from collections.abc import Sequence

import torch

from app.presets import load_presets
from app.runs.records import Job, LoggedEvent
from app.settings import Settings
from newton_core.experiment.events import Metrics
from newton_core.experiment.spec import ExperimentSpec, stored_spec
from newton_core.training.parallel.arm_worker import ArmWorker
from newton_core.training.run import run
from newton_core.workers import child


def main(settings: Settings, connection: child.Connection) -> None:
    """Entry function of the process."""
    if hasattr(os, "nice"):  # a run may take every core: the page and its pictures come first
        os.nice(5)
    torch.set_num_threads(settings.threads)
    _warm_up()
    arm_workers = [ArmWorker() for _ in range(settings.companions)]

    def compute(job: child.Job[Job]) -> None:
        torch.set_num_threads(job.task.threads or settings.threads)
        quiet = job.task.snapshots is None  # a cell says nothing until its end
        with job.heartbeats() if quiet else contextlib.nullcontext():
            compute_run(job, arm_workers)

    connection.serve(compute)


def _warm_up() -> None:
    """One step of the default preset, so that the first run finds data and kernels loaded."""
    presets = load_presets()
    if presets:
        spec = ExperimentSpec.model_validate({**presets[0].spec, "steps": 1, "changes": []})
        for _ in run(spec):
            pass


def compute_run(job: child.Job[Job], arm_workers: Sequence[ArmWorker] = ()) -> None:
    """Iterates one run and sends each event as a :class:`LoggedEvent`."""
    task = job.task
    shift = 0
    for event in run(
        stored_spec(task.spec),
        stop=job.cancelled,
        start=task.start,
        snapshots=task.snapshots,
        replay=task.replay,
        workers=arm_workers,
    ):
        if event.type == "started":
            shift = task.taken_over
        elif shift:
            event = event.model_copy(update={"seq": event.seq + shift})
        step = event.steps[-1] if isinstance(event, Metrics) else getattr(event, "step", 0)
        job.send(LoggedEvent(event.seq, event.type, step, event.model_dump_json()))
