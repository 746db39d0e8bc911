"""What this machine gives by default: its cores, shared out among workers, and its data folder."""

import os
from pathlib import Path

import platformdirs


def available_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its container."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = container_quota(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, cores if quota is None else min(cores, quota))


def spare_companions(workers: int, threads: int) -> int:
    """ArmWorker processes for each of ``workers`` runs at a time, on the cores that these leave.

    Fork workers do not count, for they are seldom busy; few runs have more than four arms.
    """
    return max(0, min(3, available_cores() // (workers * threads) - 1))


def container_quota(file: Path) -> int | None:
    """Whole cores of a control group's quota ("200000 100000" is 2), or None without one."""
    try:
        quota, period = file.read_text("ascii").split()
        return round(int(quota) / int(period))
    except (OSError, ValueError):  # no control groups here, or "max": no quota
        return None


def default_data_dir() -> Path:
    """The platform's folder for the data of newton-lab."""
    # The same folder as newton_core.folders.data_dir, without importing newton_core: the server
    # starts its workers, which takes seconds, before it imports anything heavy.
    return Path(platformdirs.user_data_dir("newton-lab", appauthor=False))


def default_workers() -> int:
    """One worker process for two cores, at most 8."""
    return min(8, max(1, available_cores() // 2))


def default_threads(workers: int, fork_workers: int) -> int:
    """Threads of each worker process: the cores, shared out."""
    return max(1, available_cores() // (workers + fork_workers))
