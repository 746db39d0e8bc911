"""The parts of a chart template as types; importing them needs no plotly."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.figures.palette import Palette

Role = Literal[
    "ghost", "band", "raw", "smooth", "label", "heat", "fan", "line",
    "contour", "layer", "path", "here", "border", "arrow", "name", "surface", "path3d",
]  # fmt: skip
Source = Literal["metrics", "evaluation", "curvature", "landscape"]
Span = Literal["hero", "small", "half"]
Kind = Literal["curves", "fan", "heat", "plane", "lines"]


@dataclass(frozen=True)
class Choice:
    """One metric that a chart can show.

    Attributes:
        metric: its name in the events; ``a.b`` reads field b of record a of a curvature event,
            and ``own.b`` the record of the curvature that the arm trains with.
        title: what the chart is called while it shows this metric.
        unit: unit and meaning in words, without the scale.
        hover: how Plotly writes one value, in its own template language.
        description: one sentence that explains it.
        log: whether the value axis is logarithmic at first.
        signed: whether its logarithmic axis goes to both sides of zero.
        factor: multiplies the events' values (100: shares become per cent).
        bounds: values that the axis need not pass, where the metric has such.
        source: the events that it is read from; None means those of its chart.
        task: the task whose words these are, where it describes a metric of this name in its own;
            None means all other tasks.
    """

    metric: str
    title: str
    unit: str
    hover: str
    description: str
    log: bool = False
    signed: bool = False
    factor: float = 1.0
    bounds: tuple[float | None, float | None] = (None, None)
    source: Source | None = None
    task: str | None = None


class Palettes(BaseModel):
    """The colours of both themes."""

    light: Palette
    dark: Palette


class TemplateMeta(BaseModel):
    """What a template is: ``layout.meta``."""

    chart: str
    kind: Kind
    source: Source
    span: Span
    choices: list[Choice]
    palettes: Palettes


class TraceMeta(BaseModel):
    """What a prototype of a trace is for; ``arm`` is a number once the page has made one of it."""

    arm: int | Literal["*"]
    metric: str
    role: Role


class TemplateTrace(BaseModel):
    """A prototype of a trace: Plotly's own fields, and what it is for."""

    model_config = ConfigDict(extra="allow")

    meta: TraceMeta


class Margin(BaseModel):
    """Pixels around the axes: left, right, top, bottom, and between axes and plot."""

    left: int = Field(alias="l")
    right: int = Field(alias="r")
    top: int = Field(alias="t")
    bottom: int = Field(alias="b")
    pad: int


class TemplateLayout(BaseModel):
    """A layout: Plotly's own fields, and what the template is."""

    model_config = ConfigDict(extra="allow")

    meta: TemplateMeta
    margin: Margin


class Template(BaseModel):
    """A figure of Plotly without data."""

    data: list[TemplateTrace]
    layout: TemplateLayout
