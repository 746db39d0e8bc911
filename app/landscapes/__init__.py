"""Slices of a run's loss on demand, computed in one process of their own."""

from app.landscapes.service import LandscapeFailure, LandscapeService

__all__ = ["LandscapeFailure", "LandscapeService"]
