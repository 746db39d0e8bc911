"""What protocols share: the tasks of each scale, and the losses with their settings."""

from typing import Final

from newton_core.evidence.protocols.base import Budget, Plan, Record, Row, ScaleName

NUMERICS: Final = {"bce_loss": "as the literature computes it", "log_domain": "log domain"}

SORTING_LOSSES: Final[dict[str, Record]] = {
    "NeuralSort": {"name": "neuralsort", "temperature": 0.03},
    "SoftSort": {"name": "softsort", "temperature": 0.03},
    "Logistic DSN": {"name": "logistic_dsn", "inverse_temperature": 30.0},
    "Cauchy DSN": {"name": "cauchy_dsn", "inverse_temperature": 10.0},
}
"""As sharp as they have to be for few updates to spread the scores until they saturate."""

PAPER_SORTING_LOSSES: Final[dict[str, Record]] = {
    "NeuralSort": {"name": "neuralsort", "temperature": 1.0},
    "SoftSort": {"name": "softsort", "temperature": 1.0},
    "Logistic DSN": {"name": "logistic_dsn", "inverse_temperature": 10.0},
    "Cauchy DSN": {"name": "cauchy_dsn", "inverse_temperature": 10.0},
}
"""Of the literature; the paper does not give its own, this is our reading."""

NOISE_LOSSES: Final[dict[str, Record]] = {
    "Smoothing of the loss": {"name": "smoothed_loss", "sigma": 0.2},
    "Smoothing of the algorithm": {"name": "smoothed_algorithm", "sigma": 0.5},
    "Perturbed optimizer, Fenchel-Young": {"name": "perturbed_fy", "sigma": 0.5},
}

PAPER_STEPS_RANKING: Final = 100_000
PAPER_STEPS_PATHS: Final = 7_150
"""50 epochs of 10,000 maps in batches of 70."""


def sorting_loss(name: str, scale: ScaleName, numerics: str) -> Record:
    """JSON of a sorting loss."""
    losses = SORTING_LOSSES if scale in ("tiny", "small") else PAPER_SORTING_LOSSES
    return {**losses[name], "numerics": numerics}


def ranking(scale: ScaleName, n: int) -> Record:
    """JSON of the ranking task: 8 x 8 digits, or MNIST."""
    task: Record = {"name": "ranking", "n": n}
    match scale:
        case "tiny":
            return {**task, "model": {"name": "mlp", "hidden": [8]}, "test_sets": 20}
        case "small":
            return task
        case "mnist":
            return {**task, "data": {"name": "mnist", "size": 14}}
        case "paper":
            return {
                **task,
                "data": {"name": "mnist"},
                "model": {"name": "cnn"},
                "test_sets": 10_000,
            }


def maps(scale: ScaleName, side: int = 12) -> Record:
    """JSON of the shortest-path task: generated terrain, or the public maps.

    Args:
        scale: of the protocol.
        side: tiles of a generated map's side.
    """
    task: Record = {"name": "shortest_path", "model": {"name": "tile_cnn"}}
    if scale == "paper":
        return {
            **task,
            "data": {"name": "warcraft", "size": 12},
            "model": {"name": "resnet18_block"},
        }
    if scale == "tiny":
        counts = {"height": 4, "width": 4, "train_maps": 20, "test_maps": 10}
        return {**task, "data": {"name": "terrain", **counts}}
    return {**task, "data": {"name": "terrain", "height": side, "width": side}}


def milestones() -> list[int]:
    """After 60 % and 80 % of the epochs, as in the literature on the public maps."""
    return [PAPER_STEPS_PATHS * 6 // 10, PAPER_STEPS_PATHS * 8 // 10]


def path_metric(scale: ScaleName) -> str:
    """The paper's metric at its scale; elsewhere empty: the task's own, as paths can tie."""
    return "perfect_match" if scale == "paper" else ""


def tiny_paths(rows: tuple[Row, ...]) -> Plan:
    """Every arm for a few updates."""
    return Plan(rows, seeds=2)


def small_paths(rows: tuple[Row, ...]) -> Plan:
    """Generated maps of 12 x 12 tiles."""
    return Plan(
        rows,
        seeds=10,
        budget=Budget(points=9, seeds=2),
        note="Generated terrain and a small CNN; measured is the share of maps on which the found"
        " path costs as little as the best, because maps have several best paths.",
    )


def paper_paths(rows: tuple[Row, ...]) -> Plan:
    """The public maps, the first block of a ResNet-18; tuned for a tenth of the updates."""
    return Plan(rows, seeds=10, budget=Budget(points=9, seeds=1, steps=PAPER_STEPS_PATHS // 10))
