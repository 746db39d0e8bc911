"""What every linear oracle is, the checks of its answers, and the registry that names it."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, TypeVar

import torch
from jaxtyping import Bool, Float64
from pydantic import BeforeValidator
from torch import Tensor

from newton_core.entry_points import EntryPoints
from newton_core.registry import AnyOf, Registry, declared_name, require_subclass
from newton_core.settings import Named


class OracleError(ValueError):
    """An oracle gave an answer that is none: a wrong shape, or outside its set."""


class Oracle(Named):
    """The solver of min <y, w> over a finite set of w, with its parameters.

    What is to be picked enters as a negative cost. A subclass fixes ``name`` to a ``Literal``, adds
    its parameters as fields and defines :meth:`solve`. It overrides :meth:`check_shape` where not
    every shape will do, and :meth:`feasible` and :meth:`wanted` where an answer is more than zeros
    and ones.
    """

    @abstractmethod
    def solve(self, costs: Float64[Tensor, "B ..."]) -> Tensor:
        """The cheapest w of each row, (B, *S), of any dtype.

        Args:
            costs: (B, *S) finite and contiguous, on the CPU, of a shape that was checked. They are
                the caller's: change a copy.
        """

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Refuses the shape of a batch of costs, (N, *S).

        Raises:
            ValueError: the oracle has no answer for that shape.
        """
        self.check_vector(shape)

    def feasible(self, answers: Tensor) -> Bool[Tensor, " B"]:
        """Which answers (B, *S) are of the set; unless a subclass says more, zeros and ones."""
        return ((answers == 0) | (answers == 1)).flatten(1).all(dim=1)

    def wanted(self) -> str:
        """What an answer is, in words, for whoever gave another."""
        plain = type(self).feasible is Oracle.feasible
        return "zeros and ones" if plain else "what the oracle's feasible() takes"

    def possible(self, targets: Tensor) -> Bool[Tensor, " B"]:
        """Which targets (B, *S) can be an answer; unless a subclass looks closer, the feasible."""
        return self.feasible(targets)

    def check_target(self, targets: Tensor) -> None:
        """Refuses targets that are an answer at no costs.

        Raises:
            ValueError: a target is none; the message names the first one and what would be one.
        """
        possible = self.possible(targets)
        if not possible.all():
            row = int((~possible).nonzero()[0, 0])
            raise ValueError(
                f"the target of sample {row} ({_shown(targets[row])}) is no answer of the oracle"
                f" {self.name!r}: it must be {self.wanted()}"
            )

    def defined_at(self, costs: Tensor) -> Bool[Tensor, " N"]:
        """Which rows have an answer: those of finite costs."""
        return torch.isfinite(costs).flatten(1).all(dim=1)

    def check_costs(self, costs: Tensor) -> None:
        """Refuses costs without a cheapest answer.

        Raises:
            ValueError: a cost is not finite; the message names the sample and its value.
        """
        if torch.isfinite(costs).all():
            return
        place = [int(i) for i in (~torch.isfinite(costs)).nonzero()[0]]
        raise ValueError(
            f"costs must be finite, but sample {place[0]} has {costs[tuple(place)].item():g}"
            f" at position {tuple(place[1:])}"
        )

    def admit(self, perturbed: Float64[Tensor, "B ..."]) -> Float64[Tensor, "B ..."]:
        """Costs with noise on them, moved in place to where the oracle has answers."""
        return perturbed

    def answer(self, costs: Float64[Tensor, "B ..."]) -> Tensor:
        """:meth:`solve`, and the check of what it gives.

        Raises:
            OracleError: the answer has another shape, or is not of the oracle's set.
        """
        found = self.solve(costs)
        known = isinstance(found, Tensor) and not found.is_complex()
        if not known or found.shape != costs.shape:
            given = tuple(found.shape) if known else type(found).__name__
            raise OracleError(
                f"the oracle {self.name!r} must answer with real numbers in the shape of the costs"
                f" {tuple(costs.shape)}, but gave {given}"
            )
        possible = self.feasible(found)
        if not possible.all():
            row = int((~possible).nonzero()[0, 0])
            raise OracleError(
                f"the oracle {self.name!r} gave an answer outside its set for row {row}:"
                f" {_shown(found[row])}; an answer is {self.wanted()}"
            )
        return found

    def check_vector(self, shape: tuple[int, ...], words: str = "costs of m items") -> None:
        """Refuses what is not (N, m) with m > 0.

        Raises:
            ValueError: the shape is another.
        """
        if len(shape) != 2 or shape[1] == 0:
            raise ValueError(
                f"the oracle {self.name!r} needs {words}, shape (N, m), got {tuple(shape)}"
            )


def _shown(answer: Tensor) -> str:
    """The first numbers of an answer."""
    numbers = ", ".join(f"{value:g}" for value in answer.flatten()[:8].tolist())
    return numbers + (", ..." if answer.numel() > 8 else "")


OracleClass = TypeVar("OracleClass", bound=type[Oracle])


def register_oracle(cls: OracleClass) -> OracleClass:
    """Class decorator: enters an oracle under the name that it declares.

    Raises:
        DuplicateNameError: the name is taken.
        TypeError: the class declares no name.
    """
    require_subclass("register_oracle", cls, Oracle)
    ORACLES.register(declared_name(cls))(cls)
    return cls


ORACLES: Registry[type[Oracle]] = Registry(
    "linear oracle", discover=EntryPoints("newton_lab.oracles", Oracle, register_oracle).load
)


def build_oracle(name: str, **parameters: object) -> Oracle:
    """The oracle called ``name`` with the given parameters.

    Raises:
        UnknownNameError: no such oracle; the message lists the known ones.
        pydantic.ValidationError: a parameter is unknown or out of its range.
    """
    return ORACLES.get(name).model_validate({"name": name, **parameters})


def _by_name(given: object) -> object:
    """A bare name stands for an oracle with its defaults.

    Raises:
        ValueError: it is neither a name nor a record.
    """
    if isinstance(given, str):
        return {"name": given}
    if not isinstance(given, Mapping | Oracle):
        raise ValueError(
            "an oracle is its name, or a record of its name and parameters, such as"
            f' {{"name": "top_k", "k": 3}}; got {given!r:.40}'
        )
    return given


# What a loss's field is declared as: any registered oracle, by its name or as a record.
if TYPE_CHECKING:
    AnyOracle = Oracle
else:
    AnyOracle = Annotated[object, AnyOf(ORACLES.values), BeforeValidator(_by_name)]
