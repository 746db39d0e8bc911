"""Slices of a run's loss on demand, computed in one process of their own."""

from app.landscapes.service import SliceFailure, SliceService

__all__ = ["SliceFailure", "SliceService"]
