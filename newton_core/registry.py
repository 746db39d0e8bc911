"""One kind of registry for everything that can be chosen by name."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class UnknownNameError(ValueError):
    """A name that no entry of the registry carries; the message lists the known ones."""


class DuplicateNameError(ValueError):
    """A second entry under a name that is taken."""


class Registry(Generic[T]):
    """Names to entries, in the order of registration.

    ``kind`` is the word used in messages: ``Registry("loss")`` says "unknown loss 'x'".
    ``discover`` may register more entries; it is called once, before the registry is first read,
    when the modules that it imports can already import everything of ours.
    """

    def __init__(self, kind: str, discover: Callable[[], None] | None = None) -> None:
        self.kind = kind
        self._discover = discover
        self._registered: dict[str, T] = {}

    @property
    def _entries(self) -> dict[str, T]:
        if self._discover is not None:
            discover, self._discover = self._discover, None
            discover()
        return self._registered

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that enters its argument under ``name``.

        Raises:
            DuplicateNameError: ``name`` is taken.
        """

        def enter(entry: T) -> T:
            if name in self._registered:
                raise DuplicateNameError(f"a {self.kind} named {name!r} is already registered")
            self._registered[name] = entry
            return entry

        return enter

    def get(self, name: str) -> T:
        """The entry under ``name``.

        Raises:
            UnknownNameError: nothing is registered under ``name``.
        """
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(sorted(self._entries)) or "none"
            raise UnknownNameError(f"unknown {self.kind} {name!r}; known: {known}") from None

    def names(self) -> list[str]:
        """The registered names, in the order of registration."""
        return list(self._entries)

    def values(self) -> list[T]:
        """The registered entries, in the order of registration."""
        return list(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
