"""The Ray executor: the workers are actors on the nodes of a Ray cluster.

Each worker tells its parent everything through one streaming generator, so that events arrive as
they come. Jobs carry paths: every node must see the server's data folder under the same name.
"""

import contextlib
import importlib
import importlib.util
import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from app.processes import LabWorker
from app.runs.executors.base import ExecutorError
from app.runs.executors.pool import ENTRY, PoolExecutor
from app.runs.records import Job
from app.settings import Settings
from newton_core.workers import Worker, WorkerLostError, messages, worker_environment

NAMESPACE = "newton-lab"
STORE_BYTES = 128 * 2**20
"""Ray's store of objects on a local cluster: events are small and pass at once."""
MEMORY_SECONDS = 0.5
"""A worker is asked again for its memory once its last answer is so old."""
JOIN_SECONDS = 5.0
_RAY_VARIABLES = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what later versions do; earlier ones warn
    "RAY_USAGE_STATS_ENABLED": "0",
}
_OTHERS = {"companions": 0, "access_code": None, "admin_code": None, "database_url": None}
"""Settings of a worker there that differ: Ray counts the cores, secrets stay with the server."""
_GROUPS = {"told": 1, "jobs": 1, "looks": 1}
"""Threads of an actor: one streams, one takes jobs in their order, one answers."""


def _import_ray() -> Any:
    """Ray, where it is used alone; its types leave out some of what is called here."""
    return importlib.import_module("ray")


class RayExecutor(PoolExecutor):
    """Actors on a Ray cluster: one of this server's own, or one that this machine has joined.

    Raises:
        ExecutorError: Ray is not installed.
    """

    name = "ray"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        if importlib.util.find_spec("ray") is None:
            raise ExecutorError(
                "NEWTON_LAB_EXECUTOR=ray needs Ray, which is not installed here:"
                " pip install 'newton-lab[ray]', or leave the setting out"
            )
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self) -> None:
        """Joins the cluster, which takes seconds, and starts the workers there."""
        for name, value in _RAY_VARIABLES.items():
            os.environ.setdefault(name, value)
        ray = _import_ray()
        address = self._settings.ray_address
        where: dict[str, Any] = {"address": address}
        if not address:
            self._folder = tempfile.TemporaryDirectory(
                prefix="lab-ray-",  # short, for the names of sockets
                ignore_cleanup_errors=True,
            )
            where = {
                "address": "local",
                "_temp_dir": self._folder.name,
                # Twice what the slots need: a worker that is replaced may be slow to leave.
                "num_cpus": 2 * self.slots * self._settings.threads,
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
            }
        try:
            if address:  # Ray itself would try for minutes
                host, _, port = address.rpartition(":")
                socket.create_connection((host.strip("[]"), int(port)), JOIN_SECONDS).close()
            ray.init(
                **where,
                namespace=NAMESPACE,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
            )
        except Exception as error:  # Ray raises errors of many kinds, and some of no kind at all
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            if not address:
                raise ExecutorError(f"no Ray cluster could be started here ({said})") from error
            raise ExecutorError(
                f"no Ray cluster could be joined at {address} ({said}): NEWTON_LAB_RAY_ADDRESS is"
                " the host:port of one that this machine has joined by ray start --address=..."
            ) from error
        super().start()

    def close(self) -> None:
        """Ends all workers, and leaves the cluster."""
        super().close()
        _import_ray().shutdown()
        if self._folder is not None:
            self._folder.cleanup()

    def _new_worker(self) -> LabWorker:
        return LabWorker(RayWorker(self._settings, gpus=0))

    def _worker_for(self, job: Job) -> LabWorker | None:
        """A run on a GPU has an actor of its own, so that the GPU is free for others after it."""
        gpus = gpus_of(job)
        if gpus == 0:
            return None
        return LabWorker(RayWorker(self._settings, gpus), pooled=False)


def gpus_of(job: Job) -> int:
    """How many GPUs of the cluster a job takes; none where the cluster has none to give."""
    device = str(json.loads(job.spec).get("device", "cpu"))
    return int(device.startswith("cuda") and _import_ray().cluster_resources().get("GPU", 0) >= 1)


class RayWorker(Worker):
    """A worker in an actor somewhere on the cluster.

    Args:
        settings: of the server.
        gpus: that the actor is given.
    """

    def __init__(self, settings: Settings, gpus: int) -> None:
        from app.runs.executors.actor import RunActor

        super().__init__("worker", settings.hang_seconds)
        self._ray = ray = _import_ray()
        self._reason = "the worker on the Ray cluster ended"
        self._asked: Any = None
        self._asked_at = 0.0
        self._memory = 0
        remote = ray.remote(concurrency_groups=_GROUPS)(RunActor).options(
            num_cpus=settings.threads,
            num_gpus=gpus,
            max_restarts=0,
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": worker_environment(settings.data_dir, settings.threads)},
        )
        self._actor = remote.remote()
        told = self._actor.told.options(num_returns="streaming", concurrency_group="told")
        self._told = told.remote()
        self._begin(ENTRY, settings.model_copy(update=_OTHERS))

    def memory(self) -> int:
        """Resident bytes as the actor last said; it is asked again without waiting."""
        now = time.monotonic()
        with contextlib.suppress(self._ray.exceptions.RayError):
            if self._asked is None:
                if now - self._asked_at < MEMORY_SECONDS:
                    return self._memory
                self._asked = self._actor.memory.options(concurrency_group="looks").remote()
                self._asked_at = now
            if self._ray.wait([self._asked], timeout=0)[0]:
                answer, self._asked = self._asked, None
                self._memory = self._ray.get(answer)
        return self._memory

    def exit_reason(self) -> str:
        """How the actor ended, in words."""
        return self._reason

    def kill(self) -> None:
        """Ends the actor, whatever it does, without waiting for its end."""
        with contextlib.suppress(Exception):  # the cluster may be gone
            self._ray.kill(self._actor)

    def _send(self, message: messages.Order) -> None:
        body = messages.encode(message)
        try:
            self._actor.send.options(concurrency_group="jobs").remote(body)
        except self._ray.exceptions.RayError as error:
            raise WorkerLostError(_in_words(error)) from error

    def _frames(self) -> Iterator[bytes]:
        try:
            for told in self._told:
                yield self._ray.get(told)
        except self._ray.exceptions.RayError as error:
            self._reason = _in_words(error)


def _in_words(error: Exception) -> str:
    """Why a worker was lost."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if "died" in line or "dead" in line or "lost" in line]
    why = (causes or lines or [type(error).__name__])[-1]
    return (
        "the worker on the Ray cluster was lost: its process was killed, or its node went away"
        f" (Ray says: {why.split('. ')[0]})"
    )
