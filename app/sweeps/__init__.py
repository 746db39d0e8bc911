"""Sweeps on the server: a grid of settings, computed where no run waits for a worker."""

from app.sweeps.records import SweepWish
from app.sweeps.service import SweepService
from app.sweeps.store import SweepStore, TooManySweepsError

__all__ = ["SweepService", "SweepStore", "SweepWish", "TooManySweepsError"]
