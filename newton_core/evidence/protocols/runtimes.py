"""The paper's runtimes: what a curvature costs beside the plain gradient."""

from newton_core.evidence.protocols.base import (
    FISHER,
    HESSIAN,
    VANILLA,
    Plan,
    Protocol,
    Published,
    Row,
    ScaleName,
    arm,
    published_arms,
    spec,
)
from newton_core.evidence.protocols.parts import (
    NOISE_LOSSES,
    SORTING_LOSSES,
    maps,
    ranking,
    sorting_loss,
)

MINUTES = {
    ("SoftSort", 5): {VANILLA: (1, 1), FISHER: (1, 2)},
    ("Logistic DSN", 10): {VANILLA: (1, 43), FISHER: (1, 44), HESSIAN: (6, 17)},
}
"""Minutes and seconds of a training, from the paper; its Hessian is by automatic differentiation.

It says DSN without saying which; that it is the logistic one is our reading.
"""


def _paper(loss: str, n: int) -> dict[str, Published]:
    """The paper's times as multiples of the plain gradient's."""
    times = {
        label: 60 * minutes + seconds
        for label, (minutes, seconds) in MINUTES.get((loss, n), {}).items()
    }
    return {label: Published(time / times[VANILLA]) for label, time in times.items()}


def _rows(scale: ScaleName, steps: int, batch_size: int) -> tuple[Row, ...]:
    sorting = [
        Row(
            title=f"{loss}, n = {n}",
            specs=(
                spec(
                    ranking(scale, n),
                    sorting_loss(loss, scale, "bce_loss"),
                    published_arms(1.0, 1.0),
                    steps,
                    batch_size,
                ),
            ),
            paper=_paper(loss, n),
            metric="relative_seconds",
            milliseconds=3.0,
        )
        for loss in SORTING_LOSSES
        for n in (5, 10)
    ]
    smoothed = [
        Row(
            title=f"{name}, 10 samples",
            specs=(
                spec(
                    maps(scale),
                    {**loss, "samples": 10},
                    published_arms(100.0, 100.0),
                    max(1, steps // 5),
                    min(70, batch_size),
                ),
            ),
            metric="relative_seconds",
            milliseconds=16.0,
        )
        for name, loss in NOISE_LOSSES.items()
    ]
    relaxed = Row(
        title="Bellman-Ford, for loop, L1",
        specs=(
            spec(
                maps(scale),
                {"name": "bellman_ford", "inverse_temperature": 10.0},
                [arm(VANILLA), arm(FISHER, curvature="fisher", tikhonov=10.0)],
                max(1, steps // 10),
                min(70, batch_size),
            ),
        ),
        metric="relative_seconds",
        milliseconds=60.0,
    )
    return (*sorting, *smoothed, relaxed)


def tiny() -> Plan:
    """A few updates."""
    return Plan(_rows("tiny", steps=3, batch_size=4), seeds=2)


def small() -> Plan:
    """200 updates in batches of 100, as long as the paper's are large."""
    return Plan(
        _rows("small", steps=200, batch_size=100),
        seeds=10,
        note="On one core of a CPU and with a small network, so that the loss weighs more beside"
        " the network than on the paper's GPU. Arms of one run take turns, step by step.",
    )


def mnist() -> Plan:
    """MNIST at 14 x 14 pixels."""
    return Plan(_rows("mnist", steps=200, batch_size=100), seeds=5)


def paper() -> Plan:
    """The literature's networks."""
    return Plan(_rows("paper", steps=1000, batch_size=100), seeds=10)


PROTOCOL = Protocol(
    "runtimes",
    "What a curvature costs: time of an update beside vanilla's",
    "the paper's runtimes",
    {"tiny": tiny, "small": small, "mnist": mnist, "paper": paper},
)
