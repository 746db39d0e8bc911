"""The colours of the charts: one record a theme, one style an arm, the same on the whole page.

Hues are those of Okabe and Ito ("Color Universal Design", 2008), which stay apart for people with
any of the common colour-vision deficiencies; the first arm, usually vanilla, is a neutral grey so
that what is added to it stands out. Every arm also has its own dash and marker.
"""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ArmColor:
    """One arm in one theme: ``color`` for lines and fills, ``ink`` for text (contrast >= 4.5)."""

    color: str
    ink: str


@dataclass(frozen=True)
class Palette:
    """What a theme fixes; every colour is #rrggbb.

    ``gradient``, ``curvature`` and ``damping`` are the symbols g, C and λ, in formulas and
    pictures; a step has the colour of its arm.
    """

    panel: str
    ink: str
    soft: str
    faint: str
    line: str
    grid: str
    accent: str
    warn: str
    gradient: str
    curvature: str
    damping: str
    arms: tuple[ArmColor, ...]


@dataclass(frozen=True)
class ArmStyle:
    """What no theme changes: the colour's name, Plotly's names of a dash pattern and a marker."""

    name: str
    dash: str
    symbol: str


LIGHT = Palette(
    panel="#ffffff",
    ink="#1d2429",
    soft="#5d676f",
    faint="#6d767d",
    line="#e4e0d8",
    grid="#eeebe4",
    accent="#1b5e9c",
    warn="#b3261e",
    gradient="#a4123f",
    curvature="#6a3fb5",
    damping="#7a5200",
    arms=(
        ArmColor("#5b6770", "#5b6770"),
        ArmColor("#0072b2", "#0072b2"),
        ArmColor("#d55e00", "#b95000"),
        ArmColor("#009e73", "#007a59"),
        ArmColor("#c0679c", "#a9508a"),
        ArmColor("#b78300", "#8a6200"),
    ),
)
DARK = Palette(
    panel="#1b2024",
    ink="#e8e6e1",
    soft="#a6afb6",
    faint="#8a949d",
    line="#2d343a",
    grid="#272d32",
    accent="#7db7e8",
    warn="#ff8a80",
    gradient="#ff86a5",
    curvature="#c0a6ff",
    damping="#e0b060",
    arms=(
        ArmColor("#a9b4bc", "#a9b4bc"),
        ArmColor("#5ab4ee", "#5ab4ee"),
        ArmColor("#ff9a55", "#ff9a55"),
        ArmColor("#4cd3a5", "#4cd3a5"),
        ArmColor("#e8a5cb", "#e8a5cb"),
        ArmColor("#e9c34b", "#e9c34b"),
    ),
)
ARM_STYLES = (
    ArmStyle("grey", "solid", "circle"),
    ArmStyle("blue", "7px,3px", "square"),
    ArmStyle("orange", "2px,2px", "diamond"),
    ArmStyle("green", "10px,3px,2px,3px", "triangle-up"),
    ArmStyle("pink", "14px,4px", "triangle-down"),
    ArmStyle("ochre", "6px,2px,2px,2px,2px,2px", "cross"),
)


def palettes() -> dict[str, Any]:
    """``{"light": ..., "dark": ...}``, plain JSON.

    A page finds it in each template's ``layout.meta.palettes``.
    """
    return {"light": asdict(LIGHT), "dark": asdict(DARK)}
