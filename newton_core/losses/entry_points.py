"""Losses from other people's packages, found through the entry points that those declare."""

import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points


class EntryPointWarning(UserWarning):
    """Somebody's entry point could not be used; the lab goes on without it."""


def load_entry_points(group: str, enter: Callable[[object], None]) -> None:
    """Loads every entry point of ``group`` and hands what it names to ``enter``.

    Code of others must not keep the lab from starting: whatever goes wrong with one entry point
    becomes an :class:`EntryPointWarning` that names it, and the next one is tried.
    """
    for entry_point in entry_points(group=group):
        try:
            enter(entry_point.load())
        except (Exception, SystemExit) as error:
            warnings.warn(
                f"{_describe(entry_point)} in the group {group!r} is skipped:"
                f" {type(error).__name__}: {error}",
                EntryPointWarning,
                stacklevel=2,
            )


def _describe(entry_point: EntryPoint) -> str:
    """The line that somebody wrote, and where."""
    dist = entry_point.dist
    owner = f" of {dist.name} {dist.version}" if dist is not None else ""
    return f"the entry point '{entry_point.name} = {entry_point.value}'{owner}"
