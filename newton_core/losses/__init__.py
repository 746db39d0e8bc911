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

__all__ = [
    "Derivatives",
    "Loss",
    "LossParameters",
    "NeuralSort",
    "autodiff_derivatives",
    "build_loss",
    "list_losses",
    "register_loss",
]
