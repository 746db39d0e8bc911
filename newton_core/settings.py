"""Pydantic building blocks shared by every choosable part (losses, data, models, tasks, arms)."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """A frozen record of settings that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def setting(
    default: Any,
    description: str,
    *,
    title: str | None = None,
    unit: str | None = None,
    scale: Literal["linear", "log"] = "linear",
    **bounds: Any,
) -> Any:
    """A Pydantic field that carries all a form needs: title, sentence, unit, scale and bounds.

    ``default`` may be ``...`` for a required field; ``bounds`` go to :func:`pydantic.Field`
    (``gt``, ``ge``, ``lt``, ``le``, ``min_length``, ...). The unit and the scale travel in the
    JSON schema as ``unit`` and ``scale``.
    """
    extra: dict[str, Any] = {"scale": scale}
    if unit is not None:
        extra["unit"] = unit
    return Field(default, description=description, title=title, json_schema_extra=extra, **bounds)
