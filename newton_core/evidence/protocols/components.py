"""Is it the curvature? Its length and its direction apart, beside plain controls, loss by loss."""

from newton_core.evidence.protocols.base import (
    FISHER,
    HESSIAN,
    VANILLA,
    Budget,
    Plan,
    Protocol,
    Record,
    Row,
    ScaleName,
    arm,
    spec,
)
from newton_core.evidence.protocols.parts import (
    NOISE_LOSSES,
    SORTING_LOSSES,
    maps,
    ranking,
    sorting_loss,
)
from newton_core.evidence.protocols.table3 import TIKHONOV


def arms(
    *, hessian: float, fisher: float, clip_norm: float, **settings: object
) -> tuple[list[Record], list[Record]]:
    """The nine arms, six in one run and three in another.

    The Hessian is saddle-free: rounding makes its negative curvature as large as its positive, and
    the other rules leave that undamped.

    Args:
        hessian: Tikhonov strength of the Hessian arms, before tuning.
        fisher: that of the Fisher arms.
        clip_norm: of the clipped arm.
        settings: of all arms.
    """
    controls = [
        arm(VANILLA, **settings),
        arm("Clipped", gradient="clip", clip_norm=clip_norm, **settings),
        arm("Normalised", gradient="normalise", **settings),
    ]
    halves: dict[str, list[Record]] = {}
    for label, strength in ((HESSIAN, hessian), (FISHER, fisher)):
        common: Record = {"curvature": label.lower(), "tikhonov": strength, **settings}
        if label == HESSIAN:
            common["definiteness"] = "saddle_free"
        halves[label] = [
            arm(label, **common),
            arm(f"{label}'s length", component="length", **common),
            arm(f"{label}'s direction", component="direction", **common),
        ]
    return [*controls, *halves[HESSIAN]], halves[FISHER]


def _row(
    title: str,
    task: Record,
    loss: Record,
    nine: tuple[list[Record], list[Record]],
    steps: int,
    batch_size: int,
    milliseconds: float,
) -> Row:
    return Row(
        title=title,
        specs=tuple(spec(task, loss, some, steps, batch_size) for some in nine),
        milliseconds=milliseconds,
    )


def _sorting(scale: ScaleName, steps: int) -> list[Row]:
    cost = {"NeuralSort": 2.0, "SoftSort": 2.0}
    return [
        _row(
            f"{loss}, n = 10",
            ranking(scale, 10),
            sorting_loss(loss, scale, "bce_loss"),
            arms(hessian=10.0, fisher=1.0, clip_norm=1.0, lr=3e-3),
            steps,
            20,
            cost.get(loss, 3.6),
        )
        for loss in SORTING_LOSSES
    ]


def _paths(scale: ScaleName, steps: int) -> list[Row]:
    rows = [
        _row(
            f"{name}, 10 samples",
            maps(scale, side=8),
            {**loss, "samples": 10},
            arms(
                hessian=TIKHONOV[loss["name"]][0],
                fisher=TIKHONOV[loss["name"]][1],
                clip_norm=1.0,
                lr=3e-3,
            ),
            steps,
            70 if scale != "tiny" else 4,
            8.0,
        )
        for name, loss in NOISE_LOSSES.items()
    ]
    relaxed = _row(
        "Bellman-Ford, for loop, L1",
        maps(scale, side=8),
        {"name": "bellman_ford", "inverse_temperature": 10.0},
        arms(hessian=10.0, fisher=10.0, clip_norm=1.0, lr=3e-3),
        max(2, steps // 2),
        30 if scale != "tiny" else 4,
        25.0,
    )
    return [*rows, relaxed]


def _classification(scale: ScaleName, steps: int) -> list[Row]:
    losses = {
        "Cross-entropy": "cross_entropy",
        "Binary cross-entropy": "binary_cross_entropy",
        "Squared error": "squared_error",
    }
    return [
        _row(
            f"{title}, classification",
            {"name": "classification", "test_images": 2000 if scale != "tiny" else 20},
            {"name": loss},
            arms(hessian=0.1, fisher=0.1, clip_norm=0.1),
            steps,
            100 if scale != "tiny" else 4,
            1.2,
        )
        for title, loss in losses.items()
    ]


def _simulators(steps: int, batch_size: int) -> list[Row]:
    trajectory = _row(
        "Trajectory, 64 steps of time",
        {
            "name": "trajectory",
            "steps": 64,
            "way_points": 3,
            "model": {"name": "mlp", "hidden": [64, 64]},
        },
        {"name": "trajectory"},
        arms(hessian=0.3, fisher=1.0, clip_norm=1.0, lr=1e-2),
        min(steps, 100),
        batch_size,
        2.0,
    )
    heat = _row(
        "Heat, digits behind blur",
        {"name": "heat", "noise": 0.02, "model": {"name": "mlp", "hidden": [128, 128]}},
        {"name": "heat", "time": 1.0},
        arms(hessian=3e-3, fisher=1e-2, clip_norm=0.1, lr=1e-2),
        steps,
        batch_size,
        1.5,
    )
    return [trajectory, heat]


def _rows(scale: ScaleName, steps: dict[str, int], batch_size: int) -> tuple[Row, ...]:
    return (
        *_simulators(steps["simulators"], batch_size),
        *_sorting(scale, steps["sorting"]),
        *_paths(scale, steps["paths"]),
        *_classification(scale, steps["classification"]),
    )


def tiny() -> Plan:
    """Every arm of every loss for two updates."""
    few = dict.fromkeys(("simulators", "sorting", "paths", "classification"), 2)
    return Plan(_rows("tiny", few, batch_size=4), seeds=2)


def small() -> Plan:
    """Embedded data; ten seeds: with fewer than nine, Holm over eight arms can say nothing."""
    steps = {"simulators": 400, "sorting": 1000, "paths": 200, "classification": 400}
    return Plan(
        _rows("small", steps, batch_size=64),
        seeds=10,
        budget=Budget(points=9, seeds=2),
        note="Vanilla and the controls are tuned under the same budget as the curvatures.",
    )


PROTOCOL = Protocol(
    "components",
    "Is it the curvature? Length and direction of the Newton step apart",
    "ours: the paper has no such table",
    {"tiny": tiny, "small": small},
)
