"""Table 2: shortest paths by relaxed Bellman-Ford, two loops by two distances."""

from newton_core.evidence.protocols.base import (
    FISHER,
    VANILLA,
    Plan,
    Protocol,
    Row,
    ScaleName,
    arm,
    spec,
)
from newton_core.evidence.protocols.parts import (
    PAPER_STEPS_PATHS,
    maps,
    milestones,
    paper_paths,
    path_metric,
    small_paths,
    tiny_paths,
)

DISTANCES = {"l1": "L1", "l2": "squared L2"}


def _rows(scale: ScaleName, steps: int, batch_size: int, **settings: object) -> tuple[Row, ...]:
    arms = [
        arm(VANILLA, **settings),
        arm(FISHER, curvature="fisher", tikhonov=10.0, **settings),
    ]
    return tuple(
        Row(
            title=f"Bellman-Ford, {loop} loop, {words}",
            specs=(
                spec(
                    maps(scale),
                    {
                        "name": "bellman_ford",
                        "inverse_temperature": 10.0,
                        "loop": loop,
                        "distance": distance,
                    },
                    arms,
                    steps,
                    batch_size,
                ),
            ),
            metric=path_metric(scale),
            note="The paper starts above 94 % here, and gains little.",
            milliseconds=300.0 if scale == "paper" else 30.0,
        )
        for loop in ("for", "while")
        for distance, words in DISTANCES.items()
    )


def tiny() -> Plan:
    """Every arm for a few updates."""
    return tiny_paths(_rows("tiny", steps=2, batch_size=4))


def small() -> Plan:
    """Generated maps of 12 x 12 tiles, 200 updates."""
    return small_paths(_rows("small", steps=200, batch_size=30, lr=3e-3))


def paper() -> Plan:
    """The public maps, the first block of a ResNet-18, 50 epochs."""
    return paper_paths(_rows("paper", PAPER_STEPS_PATHS, 70, lr=5e-4, lr_milestones=milestones()))


PROTOCOL = Protocol(
    "table2",
    "Shortest paths by relaxed Bellman-Ford",
    "the paper's Table 2",
    {"tiny": tiny, "small": small, "paper": paper},
)
