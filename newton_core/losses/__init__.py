"""One file per loss. Importing the package registers our own losses and those of entry points."""

from newton_core.losses.base import (
    Derivatives,
    Loss,
    LossParameters,
    autodiff_derivatives,
    build_loss,
    list_losses,
    register_loss,
)
from newton_core.losses.neuralsort import NeuralSort
from newton_core.losses.perturbed_fy import PerturbedFy
from newton_core.losses.smoothed_algorithm import SmoothedAlgorithm
from newton_core.losses.smoothed_loss import SmoothedLoss

__all__ = [
    "Derivatives",
    "Loss",
    "LossParameters",
    "NeuralSort",
    "PerturbedFy",
    "SmoothedAlgorithm",
    "SmoothedLoss",
    "autodiff_derivatives",
    "build_loss",
    "list_losses",
    "register_loss",
]
