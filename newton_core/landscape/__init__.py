"""Slices of a loss, as functions that return arrays.

Output space: :func:`output_slice`; sorting three numbers: :func:`three_numbers_landscape` and
:func:`three_numbers_walks`; two-dimensional surfaces: :func:`surface_picture` (and
:func:`newton_core.descent.walk`); network weights: :func:`parameter_slice`, :func:`line_slice`,
over the planes of :func:`filter_normalised_plane`, :func:`descent_plane`, :func:`principal_plane`.

:func:`progressive_slice` gives any of the slices over a plane coarse to fine.
:func:`newton_core.records.to_json` turns every result into JSON-ready lists.
"""

from newton_core.landscape.grid import Grid, GridPatch, full_slice, progressive_slice
from newton_core.landscape.outputs import (
    Arrow,
    OutputFunction,
    OutputPlane,
    OutputSlice,
    Surrogate,
    output_slice,
)
from newton_core.landscape.parameters import (
    LineSlice,
    ParameterFunction,
    line_slice,
    parameter_slice,
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
from newton_core.landscape.surface import SurfacePicture, surface_picture
from newton_core.landscape.three_numbers import (
    ThreeNumbers,
    ThreeNumbersWalk,
    Wedge,
    three_numbers_landscape,
    three_numbers_walks,
)

__all__ = [
    "Arrow",
    "Grid",
    "GridPatch",
    "LineSlice",
    "OutputFunction",
    "OutputPlane",
    "OutputSlice",
    "ParameterFunction",
    "ParameterPlane",
    "PlaneError",
    "Projection",
    "SurfacePicture",
    "Surrogate",
    "ThreeNumbers",
    "ThreeNumbersWalk",
    "Wedge",
    "coordinate_plane",
    "descent_plane",
    "filter_normalised_plane",
    "fitting_spans",
    "full_slice",
    "line_slice",
    "model_weights",
    "output_slice",
    "parameter_slice",
    "principal_plane",
    "progressive_slice",
    "project",
    "surface_picture",
    "three_numbers_landscape",
    "three_numbers_walks",
]
