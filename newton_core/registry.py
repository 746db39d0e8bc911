"""One kind of registry for everything that can be chosen by name, and fields that hold a choice."""

import difflib
import functools
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Generic, TypeVar, get_args

from pydantic import BaseModel, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

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
        self._listeners: list[Callable[[], None]] = []

    @property
    def _entries(self) -> dict[str, T]:
        if self._discover is not None:
            discover, self._discover = self._discover, None
            discover()
        return self._registered

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that enters its argument under ``name``; an entry may be registered twice.

        Raises:
            DuplicateNameError: ``name`` is taken by another entry.
        """

        def enter(entry: T) -> T:
            if name not in self._registered:
                self._registered[name] = entry
                for listener in self._listeners:
                    listener()
            elif self._registered[name] is not entry:
                raise DuplicateNameError(f"a {self.kind} named {name!r} is already registered")
            return entry

        return enter

    def on_registration(self, listener: Callable[[], None]) -> None:
        """Has ``listener`` called after every registration from now on."""
        self._listeners.append(listener)

    def get(self, name: str) -> T:
        """The entry under ``name``.

        Raises:
            UnknownNameError: nothing is registered under ``name``; the message lists what is, and
                asks for the nearest name.
        """
        if isinstance(name, str) and name in self._entries:
            return self._entries[name]
        known = ", ".join(sorted(self._entries)) or "none"
        meant = did_you_mean(name, self._entries)
        raise UnknownNameError(f"unknown {self.kind} {name!r}; known: {known}{meant}")

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


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """ ", did you mean 'neuralsort'?" for ``neuralsrt``; empty where nothing known is near."""
    near = difflib.get_close_matches(str(name).lower(), list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class AnyOf:
    """Annotation of a field that holds the parameters of any registered part.

    ``data: Annotated[object, AnyOf(MAPS.values)]`` is a union of the parameters of all data sets of
    maps, told apart by ``name``. ``models`` is asked for them when the schema of the
    field's model is built: a model with such a field defers that (``defer_build=True``), so that
    the field also takes what is registered after its model is defined.
    """

    def __init__(self, models: Callable[[], Iterable[type[BaseModel]]]) -> None:
        self.models = models

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        union = functools.reduce(operator.or_, self.models())
        return handler.generate_schema(Annotated[union, Field(discriminator="name")])


def declared_name(parameters: type[BaseModel]) -> str:
    """The name that parameters declare as a constant; their entry is registered under it.

    Raises:
        TypeError: they declare none, so that specs could not tell them from others.
    """
    field = parameters.model_fields.get("name")
    if (
        field is None
        or not isinstance(field.default, str)
        or get_args(field.annotation) != (field.default,)
    ):
        raise TypeError(
            f"{parameters.__name__} must declare its name as a constant, such as"
            ' name: Literal["my_name"] = "my_name"'
        )
    return field.default


def require_subclass(decorator: str, given: object, base: type) -> None:
    """Refuses what is no class of ours, such as the name in ``@register_loss("mine")``.

    Raises:
        TypeError: ``given`` is no subclass of ``base``; the message says how to write it.
    """
    if not (isinstance(given, type) and issubclass(given, base)):
        raise TypeError(
            f"@{decorator} stands alone above a subclass of {base.__name__}, whose own name field"
            f" names it; got {given!r}"
        )


def example_parameters(cls: str, base: str) -> str:
    """What somebody writes whose class ``cls`` lacks its parameters, as one line of code."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls).lower()
    return f"`class Parameters({base}): name: Literal[{name!r}] = {name!r}`"
