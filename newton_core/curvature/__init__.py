"""Curvature in output space: Newton steps, damped solves, definiteness rules and spectra."""

from newton_core.curvature.fisher import fisher_direction
from newton_core.curvature.hessian import (
    Curvature,
    Definiteness,
    HessianKind,
    Spectrum,
    check_choices,
    damped_direction,
    fisher_spectrum,
    hessian_direction,
    hessian_spectrum,
)
from newton_core.curvature.systems import CurvatureError

__all__ = [
    "Curvature",
    "CurvatureError",
    "Definiteness",
    "HessianKind",
    "Spectrum",
    "check_choices",
    "damped_direction",
    "fisher_direction",
    "fisher_spectrum",
    "hessian_direction",
    "hessian_spectrum",
]
