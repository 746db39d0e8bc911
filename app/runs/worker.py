"""A worker process: imports torch once, then computes one run after the other.

Nothing heavy is imported at the top: the number of threads must be set before torch is loaded.
"""

import os
import time
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from app.processes import Wire, settle_in, take_orders
from app.runs.records import Job
from app.settings import Settings

if TYPE_CHECKING:
    from newton_core.training.parallel.arm_worker import ArmWorker

READY, BEAT, EVENT, ERROR, DONE = "ready", "beat", "event", "error", "done"
BEAT_SECONDS = 1.0


def main(connection: Wire, settings: Settings) -> None:
    """Entry point of the process: serves jobs until the server closes the connection.

    Args:
        connection: to the server. In: a :class:`Job`, or the id of a run to stop. Out: tuples
            (kind, ...).
        settings: of the server.
    """
    settle_in(settings)
    if hasattr(os, "nice"):  # a run may take every core: the page and its pictures come first
        os.nice(5)
    _warm_up()
    from newton_core.training.parallel.arm_worker import ArmWorker

    arm_workers = [ArmWorker() for _ in range(settings.companions)]
    jobs, stopped = take_orders(connection)
    connection.send((READY,))
    while True:
        _compute(jobs.get(), connection.send, stopped, arm_workers)
        connection.send((DONE,))


def _warm_up() -> None:
    """One step of the default preset, so that the first run finds data and kernels loaded."""
    from app.presets import load_presets
    from newton_core.experiment.spec import ExperimentSpec
    from newton_core.training.run import run

    presets = load_presets()
    if presets:
        spec = ExperimentSpec.model_validate({**presets[0].spec, "steps": 1, "changes": []})
        for _ in run(spec):
            pass


def _compute(
    job: Job,
    send: Callable[[tuple[Any, ...]], None],
    stopped: set[str | int],
    arm_workers: "Sequence[ArmWorker]" = (),
) -> None:
    """Iterates one run and sends each event; whatever goes wrong is sent as ERROR."""
    from newton_core.experiment.events import Metrics
    from newton_core.experiment.spec import ExperimentSpec
    from newton_core.training.run import run

    next_beat = time.monotonic()

    def stop() -> bool:
        """Called by the run at every step: says that it lives, and hears whether to stop."""
        nonlocal next_beat
        now = time.monotonic()
        if now >= next_beat:
            next_beat = now + BEAT_SECONDS
            send((BEAT,))
        return job.run_id in stopped

    try:
        spec = ExperimentSpec.model_validate_json(job.spec)
        shift = 0
        for event in run(
            spec,
            stop=stop,
            start=job.start,
            snapshots=job.snapshots,
            replay=job.replay,
            workers=arm_workers,
        ):
            if event.type == "started":
                shift = job.taken_over
            elif shift:
                event = event.model_copy(update={"seq": event.seq + shift})
            step = event.steps[-1] if isinstance(event, Metrics) else getattr(event, "step", 0)
            send((EVENT, event.seq, event.type, step, event.model_dump_json()))
    except Exception as error:  # the server tells the viewers; the next run is not this one
        send((ERROR, f"{type(error).__name__}: {error}", traceback.format_exc()))
