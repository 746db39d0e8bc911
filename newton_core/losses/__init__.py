"""One file per loss, the two-dimensional surfaces together in one.

Importing the package registers our own losses; those of other packages follow when the registry
is first read.
"""

from newton_core.losses.approx_ndcg import ApproxNdcg
from newton_core.losses.base import (
    Derivatives,
    Loss,
    LossParameters,
    autodiff_derivatives,
    build_loss,
    list_losses,
    register_loss,
)
from newton_core.losses.bellman_ford import BellmanFord
from newton_core.losses.binary_cross_entropy import BinaryCrossEntropy
from newton_core.losses.check import LossCheckError, LossReport, check_loss
from newton_core.losses.cross_entropy import CrossEntropy
from newton_core.losses.dsn import (
    CauchyDsn,
    GaussianDsn,
    LogisticDsn,
    OptimalDsn,
    ReciprocalDsn,
)
from newton_core.losses.formula import Formula
from newton_core.losses.heat import Heat
from newton_core.losses.neuralsort import NeuralSort
from newton_core.losses.opacity import OpaqueLossError
from newton_core.losses.perturbed_fy import PerturbedFy
from newton_core.losses.simulator import SimulatorLoss
from newton_core.losses.sinkhorn import Sinkhorn
from newton_core.losses.smoothed_algorithm import SmoothedAlgorithm
from newton_core.losses.smoothed_loss import SmoothedLoss
from newton_core.losses.soft_disc import SoftDisc
from newton_core.losses.soft_dtw import SoftDtw
from newton_core.losses.soft_rank import SoftRank
from newton_core.losses.softsort import SoftSort
from newton_core.losses.squared_error import SquaredError
from newton_core.losses.surfaces import Surface
from newton_core.losses.top_k_cross_entropy import TopKCrossEntropy
from newton_core.losses.trajectory import Trajectory

__all__ = [
    "ApproxNdcg",
    "BellmanFord",
    "BinaryCrossEntropy",
    "CauchyDsn",
    "CrossEntropy",
    "Derivatives",
    "Formula",
    "GaussianDsn",
    "Heat",
    "LogisticDsn",
    "Loss",
    "LossCheckError",
    "LossParameters",
    "LossReport",
    "NeuralSort",
    "OpaqueLossError",
    "OptimalDsn",
    "PerturbedFy",
    "ReciprocalDsn",
    "SimulatorLoss",
    "Sinkhorn",
    "SmoothedAlgorithm",
    "SmoothedLoss",
    "SoftDisc",
    "SoftDtw",
    "SoftRank",
    "SoftSort",
    "SquaredError",
    "Surface",
    "TopKCrossEntropy",
    "Trajectory",
    "autodiff_derivatives",
    "build_loss",
    "check_loss",
    "list_losses",
    "register_loss",
]
