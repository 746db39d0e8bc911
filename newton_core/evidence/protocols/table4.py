"""Table 4: the control, classification, where curvature has nothing to mend."""

from newton_core.evidence.protocols.base import (
    VANILLA,
    Budget,
    Plan,
    Protocol,
    Published,
    Record,
    Row,
    ScaleName,
    published_arms,
    spec,
)

NETWORKS: dict[str, Record] = {
    "Linear": {"name": "mlp", "hidden": []},
    "Perceptron, one hidden layer": {"name": "mlp", "hidden": [128]},
    "Perceptron, two hidden layers": {"name": "mlp"},
    "CNN": {"name": "cnn"},
    "LeNet-5 with sigmoids, as published": {"name": "lenet5", "activation": "sigmoid"},
    "LeNet-5 with tanh, repaired": {"name": "lenet5", "activation": "tanh"},
}
"""The paper's five are not described in what we have; these five are alike, and one is repaired."""

OPTIMIZERS: dict[str, Record] = {
    "SGD": {"optimizer": "sgd", "lr": 0.1},
    "Adam": {"optimizer": "adam", "lr": 1e-3},
}
PAPER = {
    ("LeNet-5 with sigmoids, as published", "SGD"): {VANILLA: Published(0.1057)},
}
"""Accuracy; the paper's control that stayed at chance."""

MILLISECONDS = {"CNN": 7.0, "LeNet-5": 2.5}


def _task(scale: ScaleName, model: Record) -> Record:
    if scale == "tiny":
        return {"name": "classification", "model": model, "test_images": 20}
    data: dict[ScaleName, Record] = {
        "small": {"name": "digits"},
        "mnist": {"name": "mnist", "size": 14},
        "paper": {"name": "mnist"},
    }
    tested = 10_000 if scale == "paper" else 2000
    return {
        "name": "classification",
        "data": data[scale],
        "model": model,
        "test_images": tested,
    }


def _rows(scale: ScaleName, steps: int, batch_size: int) -> tuple[Row, ...]:
    return tuple(
        Row(
            title=f"{title}, {optimizer}",
            specs=(
                spec(
                    _task(scale, model),
                    {"name": "cross_entropy"},
                    published_arms(0.1, 0.1, **settings),
                    steps,
                    batch_size,
                ),
            ),
            paper=PAPER.get((title, optimizer), {}),
            milliseconds=MILLISECONDS.get(title.split(" ")[0], 1.2)
            * (1 if scale != "paper" else 8),
        )
        for title, model in NETWORKS.items()
        for optimizer, settings in OPTIMIZERS.items()
    )


def tiny() -> Plan:
    """Every arm for a few updates."""
    return Plan(_rows("tiny", steps=3, batch_size=4), seeds=2)


def small() -> Plan:
    """8 x 8 digits, 400 updates."""
    return Plan(
        _rows("small", steps=400, batch_size=100),
        seeds=10,
        budget=Budget(points=9, seeds=1),
        note="8 x 8 digits; the networks are like the paper's, which are not described further.",
    )


def mnist() -> Plan:
    """MNIST at 14 x 14 pixels, 2,000 updates."""
    return Plan(
        _rows("mnist", steps=2000, batch_size=100),
        seeds=5,
        budget=Budget(points=9, seeds=1, steps=500),
    )


def paper() -> Plan:
    """MNIST at full size, 20,000 updates."""
    return Plan(
        _rows("paper", steps=20_000, batch_size=100),
        seeds=10,
        budget=Budget(points=9, seeds=1, steps=2000),
    )


PROTOCOL = Protocol(
    "table4",
    "The control: classification, six networks by two optimizers",
    "the paper's classification control; its number in the text is our reading of the order",
    {"tiny": tiny, "small": small, "mnist": mnist, "paper": paper},
)
