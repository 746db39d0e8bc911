"""Newton Lab's science: Newton losses, differentiable algorithms, and the runs that compare them.

What brings the tasks, data sets and networks along loads on first use: someone who only wraps a
loss does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from newton_core.algorithms.permutations import permutation_matrix
from newton_core.curvature import CurvatureError, NewtonStep
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
    from newton_core.data import register_dataset
    from newton_core.experiment.spec import ExperimentSpec
    from newton_core.models import register_network
    from newton_core.tasks import register_task
    from newton_core.training.run import run

_LOADED_ON_USE = {
    "ExperimentSpec": "newton_core.experiment.spec",
    "register_dataset": "newton_core.data",
    "register_network": "newton_core.models",
    "register_task": "newton_core.tasks",
    "run": "newton_core.training.run",
}

__all__ = [
    "CurvatureError",
    "Derivatives",
    "ExperimentSpec",
    "Loss",
    "LossParameters",
    "NewtonLoss",
    "NewtonStep",
    "build_loss",
    "inject_fisher",
    "list_losses",
    "newton_direction",
    "newton_target",
    "permutation_matrix",
    "register_dataset",
    "register_loss",
    "register_network",
    "register_task",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in _LOADED_ON_USE:
        return getattr(import_module(_LOADED_ON_USE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
