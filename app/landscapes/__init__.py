"""Landscapes of a run on demand, computed in a process of their own."""

from app.landscapes.service import LandscapeFailure, LandscapeService

__all__ = ["LandscapeFailure", "LandscapeService"]
