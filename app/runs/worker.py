"""A worker process: imports torch once, then computes one run after the other.

Nothing heavy is imported at the top: the number of threads must be set before torch is loaded.
"""

import contextlib
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from app.runs.records import Job

READY, BEAT, EVENT, ERROR, DONE = "ready", "beat", "event", "error", "done"
BEAT_SECONDS = 1.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main(connection: "Connection[Any, Any]", threads: int, data_dir: str) -> None:
    """Entry point of the process: serves jobs until the server closes the connection.

    Args:
        connection: to the server. In: a :class:`Job`, or the id of a run to stop. Out: tuples
            (kind, ...).
        threads: for torch.
        data_dir: where data sets are.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    os.environ["NEWTON_LAB_DATA_DIR"] = data_dir
    import torch

    torch.set_num_threads(threads)
    _warm_up()
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    stopped: set[str] = set()
    threading.Thread(target=_listen, args=(connection, jobs, stopped), daemon=True).start()
    connection.send((READY,))
    while True:
        job = jobs.get()
        _compute(job, connection.send, stopped)
        connection.send((DONE,))


def _warm_up() -> None:
    """One step of the default preset, so that the first run finds data and kernels loaded."""
    from app.presets import load_presets
    from newton_core.training.run import run
    from newton_core.training.spec import ExperimentSpec

    presets = load_presets()
    if presets:
        spec = ExperimentSpec.model_validate({**presets[0].spec, "steps": 1, "changes": []})
        for _ in run(spec):
            pass


def _listen(
    connection: "Connection[Any, Any]", jobs: "queue.SimpleQueue[Job]", stopped: set[str]
) -> None:
    """Takes what the server says; without a server there is nothing left to do."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            message = connection.recv()
            if isinstance(message, Job):
                jobs.put(message)
            else:
                stopped.add(message)
    os._exit(0)


def _compute(job: Job, send: Callable[[tuple[Any, ...]], None], stopped: set[str]) -> None:
    """Iterates one run and sends each event; whatever goes wrong is sent as ERROR."""
    from newton_core.training.events import Metrics, parse_event
    from newton_core.training.recording import Recording
    from newton_core.training.run import run
    from newton_core.training.spec import ExperimentSpec

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
        recording = None
        if (replay := job.replay) is not None:
            said = [parse_event(body) for body in replay.bodies]
            recording = Recording(replay.arms, said, replay.snapshots)
        shift = 0
        for event in run(
            spec, stop=stop, start=job.start, snapshots=job.snapshots, recording=recording
        ):
            if event.type == "started":
                shift = job.taken_over
            elif shift:
                event = event.model_copy(update={"seq": event.seq + shift})
            step = event.steps[-1] if isinstance(event, Metrics) else getattr(event, "step", 0)
            send((EVENT, event.seq, event.type, step, event.model_dump_json()))
    except Exception as error:  # the server tells the viewers; the next run is not this one
        send((ERROR, f"{type(error).__name__}: {error}", traceback.format_exc()))
