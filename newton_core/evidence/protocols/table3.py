"""Table 3: shortest paths by stochastic smoothing and by perturbed optimizers."""

from newton_core.evidence.protocols.base import (
    FISHER,
    VANILLA,
    Plan,
    Protocol,
    Published,
    Record,
    Row,
    ScaleName,
    published_arms,
    spec,
)
from newton_core.evidence.protocols.parts import (
    NOISE_LOSSES,
    PAPER_STEPS_PATHS,
    maps,
    milestones,
    paper_paths,
    path_metric,
    small_paths,
    tiny_paths,
)

SAMPLES = (3, 10, 30)
TIKHONOV = {
    "smoothed_loss": (300.0, 100.0),
    "smoothed_algorithm": (30.0, 30.0),
    "perturbed_fy": (3.0, 0.1),
}
"""Strengths of Hessian and Fisher that tuning begins at."""

PAPER = {
    ("Smoothing of the loss", 3): {VANILLA: Published(0.6283), FISHER: Published(0.5880)},
}
"""Perfect match, from the paper's Table 3."""


def _rows(scale: ScaleName, steps: int, batch_size: int, settings: Record) -> tuple[Row, ...]:
    return tuple(
        Row(
            title=f"{name}, {samples} samples",
            specs=(
                spec(
                    maps(scale),
                    {**loss, "samples": samples},
                    published_arms(*TIKHONOV[loss["name"]], **settings),
                    steps,
                    batch_size,
                ),
            ),
            paper=PAPER.get((name, samples), {}),
            metric=path_metric(scale),
            milliseconds=(15.0 + samples / 6) * (25 if scale == "paper" else 1),
        )
        for name, loss in NOISE_LOSSES.items()
        for samples in SAMPLES
    )


def tiny() -> Plan:
    """Every arm for a few updates."""
    return tiny_paths(_rows("tiny", steps=2, batch_size=4, settings={}))


def small() -> Plan:
    """Generated maps of 12 x 12 tiles, 200 updates."""
    return small_paths(_rows("small", steps=200, batch_size=70, settings={"lr": 3e-3}))


def paper() -> Plan:
    """The public maps, the first block of a ResNet-18, 50 epochs."""
    return paper_paths(
        _rows("paper", PAPER_STEPS_PATHS, 70, {"lr": 5e-4, "lr_milestones": milestones()})
    )


PROTOCOL = Protocol(
    "table3",
    "Shortest paths by smoothing and by perturbed optimizers",
    "the paper's Table 3",
    {"tiny": tiny, "small": small, "paper": paper},
)
