"""Figure 3: accuracy during training by smoothing of the loss with ten samples."""

from newton_core.evidence.protocols.base import (
    Budget,
    Plan,
    Protocol,
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
    tiny_paths,
)
from newton_core.evidence.protocols.table3 import TIKHONOV


def _rows(
    scale: ScaleName, steps: tuple[int, ...], batch_size: int, settings: Record
) -> tuple[Row, ...]:
    # A run of fewer steps is the beginning of a longer one, so that these are points of a curve.
    loss = NOISE_LOSSES["Smoothing of the loss"]
    return tuple(
        Row(
            title=f"After {count:,} updates",
            specs=(
                spec(
                    maps(scale),
                    {**loss, "samples": 10},
                    published_arms(*TIKHONOV[loss["name"]], **settings),
                    count,
                    batch_size,
                ),
            ),
            metric=path_metric(scale),
            milliseconds=400.0 if scale == "paper" else 17.0,
        )
        for count in steps
    )


def tiny() -> Plan:
    """Two points for a few updates."""
    return tiny_paths(_rows("tiny", (1, 2), batch_size=4, settings={}))


def small() -> Plan:
    """Generated maps, five points up to 300 updates, arms tuned at the last."""
    return Plan(
        _rows("small", (60, 120, 180, 240, 300), batch_size=70, settings={"lr": 3e-3}),
        seeds=10,
        budget=Budget(points=9, seeds=2, steps=300),
        note="Generated terrain and a small CNN; the curve is the mean over seeds at each point.",
    )


def paper() -> Plan:
    """The public maps, five points up to 50 epochs."""
    steps = tuple(PAPER_STEPS_PATHS * k // 5 for k in range(1, 6))
    return paper_paths(_rows("paper", steps, 70, {"lr": 5e-4, "lr_milestones": milestones()}))


PROTOCOL = Protocol(
    "figure3",
    "Accuracy during training: smoothing of the loss, ten samples",
    "the paper's Figure 3",
    {"tiny": tiny, "small": small, "paper": paper},
)
