"""Pydantic building blocks shared by every choosable part (losses, data, models, tasks, arms)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

MOST_UNKNOWN = 20
"""Unknown fields that are named one by one; more are a single error, which costs nothing."""

Loc = tuple[str | int, ...]


class Settings(BaseModel):
    """A frozen record of settings that refuses unknown fields, and texts and truths for numbers.

    ``"3"`` and ``true`` are no numbers, though Pydantic would take them for some. What cannot be
    right is refused before it is looked at item by item, however much of it there is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _refuse_early(cls, given: object, handler: Callable[[object], "Settings"]) -> "Settings":
        if not isinstance(given, Mapping):
            return handler(given)
        if problems := list(_excess(cls, given)):
            raise ValidationError.from_exception_data(cls.__name__, problems)
        made = handler(given)
        if problems := [
            problem
            for name, value in given.items()
            for problem in _loose_numbers(value, getattr(made, name, None), (name,))
        ]:
            raise ValidationError.from_exception_data(cls.__name__, problems)
        return made


def _excess(model: type[BaseModel], given: Mapping[str, object]) -> Iterator[InitErrorDetails]:
    """Far too many unknown fields, and lists that are too long for their field."""
    fields = model.model_fields
    unknown = [name for name in given if name not in fields]
    if len(unknown) > MOST_UNKNOWN:
        shown = ", ".join(str(name)[:40] for name in unknown[:3])
        kind = PydanticCustomError(
            "extra_forbidden",
            "{count} unknown fields are not permitted: {shown}, ...",
            {"count": len(unknown), "shown": shown},
        )
        yield InitErrorDetails(type=kind, loc=(), input=None)
    for name, field in fields.items():
        value = given.get(name)
        most = next((m.max_length for m in field.metadata if isinstance(m, MaxLen)), None)
        if most is not None and isinstance(value, list | tuple) and len(value) > most:
            yield InitErrorDetails(
                type="too_long",
                loc=(name,),
                input=None,
                ctx={"field_type": "List", "max_length": most, "actual_length": len(value)},
            )


def _loose_numbers(given: object, made: object, loc: Loc) -> Iterator[InitErrorDetails]:
    """Where a text or a truth was taken for a number, or a number for a truth."""
    if isinstance(given, list | tuple) and isinstance(made, list | tuple):
        for i, (item, result) in enumerate(zip(given, made, strict=False)):
            yield from _loose_numbers(item, result, (*loc, i))
    elif isinstance(made, bool):
        if not isinstance(given, bool):
            yield InitErrorDetails(type="bool_type", loc=loc, input=given)
    elif isinstance(made, int | float) and isinstance(given, str | bytes | bool):
        kind = "int_type" if isinstance(made, int) else "float_type"
        yield InitErrorDetails(type=kind, loc=loc, input=given)


class Named(Settings):
    """The settings of a part that is chosen by name; subclasses fix ``name`` to a ``Literal``.

    Attributes:
        title: what people read for the name; empty: the name in words.
    """

    name: str
    title: ClassVar[str] = ""


def setting(
    default: object,
    description: str,
    *,
    title: str | None = None,
    unit: str | None = None,
    scale: Literal["linear", "log"] = "linear",
    used_if: Mapping[str, Sequence[str]] | None = None,
    **bounds: Any,
) -> Any:
    """A Pydantic field that carries all a form needs: title, sentence, unit, scale and bounds.

    ``default`` may be ``...`` for a required field; ``bounds`` go to :func:`pydantic.Field`
    (``gt``, ``ge``, ``lt``, ``le``, ``min_length``, ...). ``used_if`` says when the field has an
    effect: if each of the record's fields that it names has one of the values beside it. Unit,
    scale and ``used_if`` travel in the JSON schema under their names.
    """
    extra: dict[str, Any] = {"scale": scale}
    if unit is not None:
        extra["unit"] = unit
    if used_if is not None:
        extra["used_if"] = {field: list(values) for field, values in used_if.items()}
    return Field(default, description=description, title=title, json_schema_extra=extra, **bounds)
