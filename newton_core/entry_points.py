"""Parts from other people's packages, found through the entry points that those declare."""

import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType


class EntryPointWarning(UserWarning):
    """Somebody's entry point could not be used; the lab goes on without it."""


class EntryPoints:
    """The entry points of one group, loaded at most once.

    Each names a subclass of ``base``, which is then registered, or a module whose import registers
    some. Several registries may share one group: whichever is read first loads it for all.
    """

    def __init__(self, group: str, base: type, register: Callable[..., object]) -> None:
        self._group = group
        self._base = base
        self._register = register
        self._loaded = False

    def load(self) -> None:
        """Loads every entry point of the group; does nothing when it is called again.

        Code of others must not keep the lab from starting: whatever goes wrong with one entry
        point becomes an :class:`EntryPointWarning` that names it, and the next one is tried.
        """
        if self._loaded:
            return
        self._loaded = True  # before the loading: what is loaded may ask for the same group
        for entry_point in entry_points(group=self._group):
            try:
                self._enter(entry_point.load())
            except (Exception, SystemExit) as error:
                warnings.warn(
                    f"{_describe(entry_point)} in the group {self._group!r} is skipped:"
                    f" {type(error).__name__}: {error}",
                    EntryPointWarning,
                    stacklevel=2,
                )

    def _enter(self, loaded: object) -> None:
        if isinstance(loaded, ModuleType):
            return
        if not (isinstance(loaded, type) and issubclass(loaded, self._base)):
            raise TypeError(
                f"expected a subclass of {self._base.__name__} or a module, got {loaded!r}"
            )
        self._register(loaded)


def _describe(entry_point: EntryPoint) -> str:
    """The line that somebody wrote, and where."""
    dist = entry_point.dist
    owner = f" of {dist.name} {dist.version}" if dist is not None else ""
    return f"the entry point '{entry_point.name} = {entry_point.value}'{owner}"
