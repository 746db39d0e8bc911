"""Figure 4: how much the Tikhonov strength matters, NeuralSort and SoftSort, five numbers."""

from newton_core.evidence.protocols.base import (
    Plan,
    Protocol,
    Row,
    ScaleName,
    published_arms,
    spec,
)
from newton_core.evidence.protocols.parts import (
    PAPER_STEPS_RANKING,
    ranking,
    sorting_loss,
)

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3)
LOSSES = ("NeuralSort", "SoftSort")


def _rows(
    scale: ScaleName, strengths: tuple[float, ...], steps: int, batch_size: int, lr: float
) -> tuple[Row, ...]:
    return tuple(
        Row(
            title=f"{loss}, λ = {tikhonov:g}",
            specs=(
                spec(
                    ranking(scale, 5),
                    sorting_loss(loss, scale, "bce_loss"),
                    published_arms(tikhonov, tikhonov, lr=lr),
                    steps,
                    batch_size,
                ),
            ),
            metric="elementwise",
            note="The paper: SoftSort works from 0.01 to 1,000." if loss == "SoftSort" else "",
            milliseconds=50.0 if scale == "paper" else 1.8,
        )
        for loss in LOSSES
        for tikhonov in strengths
    )


def tiny() -> Plan:
    """Two strengths for a few updates."""
    return Plan(_rows("tiny", (0.1, 10.0), steps=3, batch_size=4, lr=3e-3), seeds=2)


def small() -> Plan:
    """8 x 8 digits, 1,000 updates, one learning rate for all."""
    return Plan(
        _rows("small", STRENGTHS, steps=1000, batch_size=20, lr=3e-3),
        seeds=10,
        note="Every strength is shown and none is chosen, so that nothing is tuned.",
    )


def mnist() -> Plan:
    """MNIST at 14 x 14 pixels, 4,000 updates."""
    return Plan(_rows("mnist", STRENGTHS, steps=4000, batch_size=100, lr=1e-3), seeds=5)


def paper() -> Plan:
    """The literature's protocol."""
    return Plan(_rows("paper", STRENGTHS, PAPER_STEPS_RANKING, batch_size=100, lr=1e-3), seeds=10)


PROTOCOL = Protocol(
    "figure4",
    "How much the Tikhonov strength matters",
    "the paper's Figure 4",
    {"tiny": tiny, "small": small, "mnist": mnist, "paper": paper},
)
