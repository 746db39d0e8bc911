"""Pydantic building blocks shared by every choosable part (losses, data, models, tasks, arms)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """A frozen record of settings that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Named(Settings):
    """The settings of a part that is chosen by name; subclasses fix ``name`` to a ``Literal``.

    Attributes:
        title: what people read for the name; empty: the name in words.
    """

    name: str
    title: ClassVar[str] = ""


def setting(
    default: Any,
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
