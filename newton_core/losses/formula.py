"""A surface given by the user's own formula in x and y."""

from typing import ClassVar, Literal

from jaxtyping import Float
from pydantic import field_validator
from pydantic_core import PydanticCustomError
from torch import Tensor

from newton_core.algorithms.expressions import (
    FUNCTIONS,
    MOST_CHARACTERS,
    FormulaError,
    parse_formula,
)
from newton_core.losses.base import Loss, LossParameters, TargetKind, register_loss
from newton_core.settings import setting
from newton_core.tensors import coordinates


class FormulaParameters(LossParameters):
    """A formula of your own."""

    name: Literal["formula"] = "formula"
    expression: str = setting(
        "(1 - x)**2 + 100*(y - x**2)**2",
        "The surface's height at (x, y): numbers, x, y, pi, e, + - * / **, parentheses, and"
        f" {', '.join(FUNCTIONS)}.",
        title="f(x, y)", max_length=MOST_CHARACTERS,
    )  # fmt: skip

    @field_validator("expression")
    @classmethod
    def _parses(cls, expression: str) -> str:
        try:
            parse_formula(expression)
        except FormulaError as error:
            raise PydanticCustomError(
                "formula",
                "{reason} (at character {character})",
                {"reason": error.reason, "character": error.position + 1},
            ) from None
        return expression


@register_loss
class Formula(Loss[FormulaParameters]):
    """The value of a formula at each point: y (N, 2), no target.

    Nothing is known about its shape: it may be indefinite, unbounded, or have no value in
    places (NaN there). Derivatives are exact, by automatic differentiation.
    """

    Parameters = FormulaParameters
    target_kind: ClassVar[TargetKind] = "none"

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)
        self._formula = parse_formula(self.settings.expression)

    def forward(self, y: Float[Tensor, "N 2"], target: Tensor | None = None) -> Float[Tensor, " N"]:
        """The height at each point (x, y)."""
        return self._formula(*coordinates(y))
