"""How many processes or threads a machine, or the container on it, can keep busy."""

import os
from pathlib import Path


def available_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its container."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = container_quota(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, cores if quota is None else min(cores, quota))


def container_quota(file: Path) -> int | None:
    """Whole cores of a control group's quota ("200000 100000" is 2), or None without one."""
    try:
        quota, period = file.read_text("ascii").split()
        return round(int(quota) / int(period))
    except (OSError, ValueError):  # no control groups here, or "max": no quota
        return None
