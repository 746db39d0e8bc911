"""The cores of this machine, shared out among workers by default."""

from newton_core.workers.cores import available_cores


def spare_companions(workers: int, threads: int) -> int:
    """Arm worker processes for each of ``workers`` runs at a time, on the cores that these leave.

    Fork workers do not count, for they are seldom busy; few runs have more than four arms.
    """
    return max(0, min(3, available_cores() // (workers * threads) - 1))


def default_workers() -> int:
    """One worker process for two cores, at most 8."""
    return min(8, max(1, available_cores() // 2))


def default_threads(workers: int, fork_workers: int) -> int:
    """Threads of each worker process: the cores, shared out."""
    return max(1, available_cores() // (workers + fork_workers))
