"""Newton Lab's science: Newton losses, differentiable algorithms, and the runs that compare them.

``ExperimentSpec`` and ``run`` load on first use: they bring the tasks and data sets along, which
someone who only wraps a loss does without.
"""

from typing import TYPE_CHECKING, Any

from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature import CurvatureError
from newton_core.losses import (
    Derivatives,
    Loss,
    LossParameters,
    build_loss,
    list_losses,
    register_loss,
)
from newton_core.newton import NewtonLoss, inject_fisher, newton_direction, newton_target

if TYPE_CHECKING:
    from newton_core.experiment.spec import ExperimentSpec
    from newton_core.training.run import run

__all__ = [
    "CurvatureError",
    "Derivatives",
    "ExperimentSpec",
    "Loss",
    "LossParameters",
    "NewtonLoss",
    "build_loss",
    "inject_fisher",
    "list_losses",
    "newton_direction",
    "newton_target",
    "permutation_matrix",
    "register_loss",
    "run",
]


def __getattr__(name: str) -> Any:
    if name == "run":
        from newton_core.training.run import run

        return run
    if name == "ExperimentSpec":
        from newton_core.experiment.spec import ExperimentSpec

        return ExperimentSpec
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
