"""Curvature in output space: Newton steps, damped solves, definiteness rules and spectra."""

from newton_core.curvature.components import (
    Component,
    ComponentOf,
    step_component,
    step_sizes,
    turn,
)
from newton_core.curvature.damping import LevenbergMarquardt, TikhonovRule
from newton_core.curvature.fisher import fisher_direction
from newton_core.curvature.hessian import Definiteness, HessianKind, hessian_direction
from newton_core.curvature.spectrum import Spectrum, fisher_spectrum, hessian_spectrum
from newton_core.curvature.step import Curvature, NewtonStep
from newton_core.curvature.systems import CurvatureError
from newton_core.curvature.turning import TurnCurve, turn_over_tikhonov

__all__ = [
    "Component",
    "ComponentOf",
    "Curvature",
    "CurvatureError",
    "Definiteness",
    "HessianKind",
    "LevenbergMarquardt",
    "NewtonStep",
    "Spectrum",
    "TikhonovRule",
    "TurnCurve",
    "fisher_direction",
    "fisher_spectrum",
    "hessian_direction",
    "hessian_spectrum",
    "step_component",
    "step_sizes",
    "turn",
    "turn_over_tikhonov",
]
