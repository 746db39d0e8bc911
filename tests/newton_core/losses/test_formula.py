"""The user's own formula as a loss."""

import pytest
import torch
from pydantic import ValidationError

from newton_core.losses.formula import Formula


def test_value_and_derivatives_of_a_quadratic() -> None:
    loss = Formula(expression="x**2 + 3*x*y + y")
    d = loss.derivatives(torch.tensor([[1.0, 2.0], [0.0, 0.0]]))
    torch.testing.assert_close(d.value, torch.tensor([9.0, 0.0]))
    torch.testing.assert_close(d.gradient, torch.tensor([[8.0, 4.0], [0.0, 1.0]]))
    assert d.hessian is not None
    torch.testing.assert_close(d.hessian, torch.tensor([[2.0, 3.0], [3.0, 0.0]]).expand(2, 2, 2))


def test_a_bad_formula_is_a_validation_error_with_its_character() -> None:
    with pytest.raises(ValidationError, match="at character 3") as caught:
        Formula(expression="x + ^2".replace("+ ", ""))
    error = caught.value.errors()[0]
    assert error["loc"] == ("expression",)
    assert error["ctx"]["character"] == 3
