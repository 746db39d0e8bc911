"""Results as JSON: what the functions of this package return, ready to travel."""

import dataclasses
import math
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor


def finite(value: float) -> float | None:
    """The number, or None (null in JSON) if it is NaN or infinite."""
    return value if math.isfinite(value) else None


def to_json(value: object) -> Any:
    """Lists, dicts, numbers and text from a result; NaN and infinity become null (None).

    Takes tensors and arrays of any shape, frozen dataclasses (their fields), Pydantic records,
    and containers of these.

    Raises:
        TypeError: the value is none of these.
    """
    if isinstance(value, Tensor | np.ndarray):
        return _array(torch.as_tensor(value))
    if isinstance(value, BaseModel):
        return to_json(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(entry) for entry in value]
    if isinstance(value, float):
        return finite(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _array(array: Tensor) -> Any:
    values = array.detach().cpu()
    if not values.is_floating_point() or bool(torch.isfinite(values).all()):
        return values.tolist()
    return to_json(values.tolist())
