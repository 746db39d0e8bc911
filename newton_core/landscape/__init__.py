"""Loss landscapes: a loss on a plane or a line, as functions that return arrays.

- Network weights: :func:`parameter_landscape` and :func:`line_landscape`, over the planes of
  :func:`filter_normalised_plane`, :func:`descent_plane` and :func:`principal_plane`.
- Network outputs: :func:`output_landscape`.
- Surfaces, which are losses of two numbers: :func:`surface_landscape`.
- Sorting three numbers: :func:`three_numbers_landscape` and :func:`three_numbers_descents`.
- One score of a sorting loss: :func:`gradient_field` and :func:`numerics_field`.

:func:`evaluate_coarse_to_fine` refines a landscape step by step. Descents of any loss are in
:mod:`newton_core.descent`. :func:`newton_core.records.to_json` turns every result into JSON-ready
lists.
"""

from newton_core.landscape.gradient_field import (
    GradientCurve,
    GradientField,
    gradient_field,
    numerics_field,
)
from newton_core.landscape.grid import (
    Grid,
    GridValues,
    evaluate_coarse_to_fine,
    evaluate_grid,
)
from newton_core.landscape.outputs import (
    Arrow,
    OutputFunction,
    OutputLandscape,
    OutputPlane,
    Surrogate,
    output_landscape,
)
from newton_core.landscape.parameters import (
    LineLandscape,
    ParameterFunction,
    line_landscape,
    parameter_landscape,
)
from newton_core.landscape.planes import (
    ParameterPlane,
    PlaneError,
    Projection,
    coordinate_plane,
    descent_plane,
    filter_normalised_plane,
    fitting_spans,
    model_weights,
    principal_plane,
    project,
)
from newton_core.landscape.surface import SurfaceLandscape, surface_landscape
from newton_core.landscape.three_numbers import (
    ThreeNumbersDescent,
    ThreeNumbersLandscape,
    Wedge,
    three_numbers_descents,
    three_numbers_landscape,
)

__all__ = [
    "Arrow",
    "GradientCurve",
    "GradientField",
    "Grid",
    "GridValues",
    "LineLandscape",
    "OutputFunction",
    "OutputLandscape",
    "OutputPlane",
    "ParameterFunction",
    "ParameterPlane",
    "PlaneError",
    "Projection",
    "SurfaceLandscape",
    "Surrogate",
    "ThreeNumbersDescent",
    "ThreeNumbersLandscape",
    "Wedge",
    "coordinate_plane",
    "descent_plane",
    "evaluate_coarse_to_fine",
    "evaluate_grid",
    "filter_normalised_plane",
    "fitting_spans",
    "gradient_field",
    "line_landscape",
    "model_weights",
    "numerics_field",
    "output_landscape",
    "parameter_landscape",
    "principal_plane",
    "project",
    "surface_landscape",
    "three_numbers_descents",
    "three_numbers_landscape",
]
