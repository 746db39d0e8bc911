"""Figure 6: the gradient of one score as it moves away from the others, raw and behind Fisher."""

from newton_core.evidence.protocols.base import GradientRow, Plan, Protocol
from newton_core.evidence.protocols.parts import NUMERICS, PAPER_SORTING_LOSSES

LOSSES = ("NeuralSort", "Logistic DSN")


def _rows(points: int, sets: int) -> tuple[GradientRow, ...]:
    return tuple(
        GradientRow(
            title=f"{loss}, n = {n}, {words}",
            loss={**PAPER_SORTING_LOSSES[loss], "numerics": numerics},
            n=n,
            sets=sets,
            spread=10.0,
            reach=100.0,
            points=points,
            tikhonov=0.1,
        )
        for loss in LOSSES
        for n in (5, 10)
        for numerics, words in NUMERICS.items()
    )


def tiny() -> Plan:
    """Few points of the sweep."""
    return Plan(_rows(points=11, sets=4), seeds=2)


def small() -> Plan:
    """All of it: it takes seconds."""
    return Plan(
        _rows(points=201, sets=20),
        seeds=20,
        note="Each seed draws other scores; the number is the largest entry of the gradient, or of"
        " the Newton direction, that the moving score meets.",
    )


PROTOCOL = Protocol(
    "figure6",
    "The gradient of one score as it moves away from the others",
    "the paper's Figure 6",
    {"tiny": tiny, "small": small, "paper": small},
)
