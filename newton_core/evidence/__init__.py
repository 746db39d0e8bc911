"""Evidence: many runs, each computed once, to choose settings and to test claims."""

from newton_core.evidence.cells import CellStore, cell_key
from newton_core.evidence.computing import CellError, CellsStoppedError, compute_cells
from newton_core.evidence.grid import Axis, Cell, GridError, expand
from newton_core.evidence.seeds import (
    FIRST_TUNING_SEED,
    SeedError,
    check_report_seeds,
    check_tuning_seeds,
    with_seeds,
)
from newton_core.evidence.sweep import Sweep, SweptCell, confirm, gathered, sweep
from newton_core.evidence.tuning import ArmTuning, Trial, Tuning, tune

__all__ = [
    "FIRST_TUNING_SEED",
    "ArmTuning",
    "Axis",
    "Cell",
    "CellError",
    "CellStore",
    "CellsStoppedError",
    "GridError",
    "SeedError",
    "Sweep",
    "SweptCell",
    "Trial",
    "Tuning",
    "cell_key",
    "check_report_seeds",
    "check_tuning_seeds",
    "compute_cells",
    "confirm",
    "expand",
    "gathered",
    "sweep",
    "tune",
    "with_seeds",
]
