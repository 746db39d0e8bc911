"""Newton Lab's science: Newton losses, differentiable algorithms, and the runs that compare them.

Every name loads on first use: who only wraps a loss does without the tasks and data sets, and a
server starts its workers (``newton_core.workers``) before it loads torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newton_core.algorithms.oracles import build_oracle, register_oracle
    from newton_core.algorithms.permutations import permutation_matrix
    from newton_core.curvature import CurvatureError, NewtonStep, step_component
    from newton_core.data import register_dataset
    from newton_core.experiment.comparison import Comparison, compare_runs
    from newton_core.experiment.spec import ExperimentSpec
    from newton_core.losses import (
        Derivatives,
        Loss,
        LossCheckError,
        LossParameters,
        LossReport,
        OpaqueLossError,
        build_loss,
        check_loss,
        list_losses,
        register_loss,
    )
    from newton_core.models import register_network
    from newton_core.newton import NewtonLoss, inject_fisher, newton_direction, newton_target
    from newton_core.tasks import register_task
    from newton_core.training.run import run

__all__ = [
    "Comparison",
    "CurvatureError",
    "Derivatives",
    "ExperimentSpec",
    "Loss",
    "LossCheckError",
    "LossParameters",
    "LossReport",
    "NewtonLoss",
    "NewtonStep",
    "OpaqueLossError",
    "build_loss",
    "build_oracle",
    "check_loss",
    "compare_runs",
    "inject_fisher",
    "list_losses",
    "newton_direction",
    "newton_target",
    "permutation_matrix",
    "register_dataset",
    "register_loss",
    "register_network",
    "register_oracle",
    "register_task",
    "run",
    "step_component",
]

_MODULES = {
    "Comparison": "experiment.comparison",
    "CurvatureError": "curvature",
    "Derivatives": "losses",
    "ExperimentSpec": "experiment.spec",
    "Loss": "losses",
    "LossCheckError": "losses",
    "LossParameters": "losses",
    "LossReport": "losses",
    "NewtonLoss": "newton",
    "NewtonStep": "curvature",
    "OpaqueLossError": "losses",
    "build_loss": "losses",
    "build_oracle": "algorithms.oracles",
    "check_loss": "losses",
    "compare_runs": "experiment.comparison",
    "inject_fisher": "newton",
    "list_losses": "losses",
    "newton_direction": "newton",
    "newton_target": "newton",
    "permutation_matrix": "algorithms.permutations",
    "register_dataset": "data",
    "register_loss": "losses",
    "register_network": "models",
    "register_oracle": "algorithms.oracles",
    "register_task": "tasks",
    "run": "training.run",
    "step_component": "curvature",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return found
