"""How the server starts its workers, which import torch once and then serve job after job."""

from app.settings import Settings
from newton_core.workers import WorkerProcess

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def start_worker(entry: str, settings: Settings, name: str) -> WorkerProcess:
    """Starts ``entry(settings, connection)`` with the settings' threads and data folder."""
    environment = dict.fromkeys(_THREAD_VARIABLES, str(settings.threads))
    environment["NEWTON_LAB_DATA_DIR"] = str(settings.data_dir)
    return WorkerProcess(entry, settings, name, environment)
