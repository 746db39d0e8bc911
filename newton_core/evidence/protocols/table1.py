"""Table 1: ranking supervision by four sorting losses, five and ten numbers."""

from newton_core.evidence.protocols.base import (
    FISHER,
    HESSIAN,
    VANILLA,
    Budget,
    Plan,
    Protocol,
    Published,
    Record,
    Row,
    ScaleName,
    arm,
    published_arms,
    spec,
)
from newton_core.evidence.protocols.parts import (
    NUMERICS,
    PAPER_STEPS_RANKING,
    SORTING_LOSSES,
    ranking,
    sorting_loss,
)

PAPER = {
    ("NeuralSort", 5): {VANILLA: Published(0.7133), FISHER: Published(0.8393)},
    ("Cauchy DSN", 5): {VANILLA: Published(0.8509, 0.0077), HESSIAN: Published(0.8511, 0.0078)},
    ("NeuralSort", 10): {
        VANILLA: Published(0.2426),
        HESSIAN: Published(0.4876),
        FISHER: Published(0.3923),
    },
    ("SoftSort", 10): {
        VANILLA: Published(0.2746),
        HESSIAN: Published(0.5507),
        FISHER: Published(0.5400),
    },
    ("Logistic DSN", 10): {
        VANILLA: Published(0.1231, 0.1022),
        HESSIAN: Published(0.4214, 0.2230),
        FISHER: Published(0.2572, 0.2742),
    },
}
"""Exact match, from the paper's Table 1."""

STRENGTHS = {
    "NeuralSort": (100.0, 1.0),
    "SoftSort": (1.0, 1.0),
    "Logistic DSN": (30.0, 1.0),
    "Cauchy DSN": (1.0, 1.0),
}
"""Tikhonov strengths of Hessian and Fisher that tuning begins at.

A raw Hessian needs one above its negative eigenvalues, which rounding makes large.
"""

MILLISECONDS = {"NeuralSort": 1.8, "SoftSort": 1.8, "Logistic DSN": 3.0, "Cauchy DSN": 3.1}


def _rows(scale: ScaleName, steps: int, batch_size: int, lr: float) -> tuple[Row, ...]:
    return tuple(
        Row(
            title=f"{loss}, n = {n}, {words}",
            specs=(
                spec(
                    ranking(scale, n),
                    sorting_loss(loss, scale, numerics),
                    published_arms(*STRENGTHS[loss], lr=lr),
                    steps,
                    batch_size,
                ),
            ),
            # The paper computes the cross-entropy as the literature does.
            paper=PAPER.get((loss, n), {}) if numerics == "bce_loss" else {},
            milliseconds=MILLISECONDS[loss] * (30 if scale == "paper" else 1),
        )
        for n in (5, 10)
        for loss in SORTING_LOSSES
        for numerics, words in NUMERICS.items()
    )


def tiny() -> Plan:
    """Every arm for a few updates."""
    return Plan(_rows("tiny", steps=3, batch_size=4, lr=3e-3), seeds=2)


def small() -> Plan:
    """8 x 8 digits and 1,000 updates, at temperatures that saturate within them."""
    return Plan(
        _rows("small", steps=1000, batch_size=20, lr=3e-3),
        seeds=10,
        budget=Budget(points=9, seeds=2),
        note="8 x 8 digits, a small perceptron and 1,000 updates, so that the numbers themselves"
        " cannot be the paper's: look at the differences to vanilla.",
    )


def mnist() -> Plan:
    """NeuralSort, ten numbers of MNIST at 14 x 14 pixels, as the preset mnist trains."""
    return Plan(
        (
            Row(
                title="NeuralSort, n = 10, MNIST at 14 x 14",
                specs=(
                    spec(
                        ranking("mnist", 10),
                        sorting_loss("NeuralSort", "mnist", "bce_loss"),
                        _mnist_arms(),
                        steps=10_000,
                        batch_size=100,
                    ),
                ),
                paper=PAPER["NeuralSort", 10],
                milliseconds=11.0,
            ),
        ),
        seeds=5,
        budget=Budget(points=6, seeds=1, steps=2000),
        note="A perceptron on digits of 14 x 14 pixels and 10,000 updates in place of the paper's"
        " CNN and 100,000.",
    )


def _mnist_arms() -> list[Record]:
    log_domain = sorting_loss("NeuralSort", "mnist", "log_domain")
    return [
        arm(VANILLA),
        arm(HESSIAN, curvature="hessian", tikhonov=1e-2),
        arm(FISHER, curvature="fisher", tikhonov=1e-4),
        arm("Normalised", gradient="normalise"),
        arm("Vanilla, log domain", loss=log_domain),
    ]


def paper() -> Plan:
    """The literature's protocol: MNIST at full size, its CNN, 100,000 updates."""
    return Plan(
        _rows("paper", steps=PAPER_STEPS_RANKING, batch_size=100, lr=1e-3),
        seeds=10,
        budget=Budget(points=9, seeds=1, steps=10_000),
        note="The paper gives neither its temperatures nor its settings: those of the literature,"
        " and arms tuned on a tenth of the updates.",
    )


PROTOCOL = Protocol(
    "table1",
    "Ranking supervision by four sorting losses",
    "the paper's Table 1",
    {"tiny": tiny, "small": small, "mnist": mnist, "paper": paper},
)
