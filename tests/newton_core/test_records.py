"""Results as JSON."""

import json
import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from newton_core.landscape import Grid
from newton_core.records import to_json


@dataclass(frozen=True)
class Result:
    values: torch.Tensor
    name: str
    parts: tuple[object, ...]


def test_everything_becomes_lists_and_numbers() -> None:
    result = Result(torch.tensor([[1.5, math.nan]]), "x", (Grid(points=5), {"k": -math.inf}, None))
    found = to_json(result)
    assert found["values"] == [[1.5, None]]
    assert found["parts"][0] == {"points": 5, "span": 1.0, "second_span": None}
    assert found["parts"][1:] == [{"k": None}, None]
    json.dumps(found, allow_nan=False)


def test_integers_and_truths_keep_their_kind() -> None:
    assert to_json(torch.tensor([1, 2])) == [1, 2]
    assert to_json(torch.tensor([True])) == [True]
    assert to_json(np.arange(2.0)) == [0.0, 1.0]
    assert to_json(torch.tensor(3.0)) == 3.0
    assert to_json(torch.tensor(math.inf)) is None


def test_other_things_are_refused() -> None:
    with pytest.raises(TypeError, match="function"):
        to_json(len)
