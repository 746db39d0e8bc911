"""Small real specs that train in about a second."""

from typing import Any

from newton_core.experiment.spec import ExperimentSpec

ARMS: list[dict[str, Any]] = [
    {"curvature": "none"},
    {"curvature": "hessian", "tikhonov": 0.1},
    {"curvature": "fisher", "tikhonov": 0.01},
]


def small_record(**fields: Any) -> dict[str, Any]:
    """A ranking of five numbers, three arms, few steps, as JSON-ready fields."""
    record: dict[str, Any] = {
        "task": {"name": "ranking", "n": 5, "test_sets": 50, "model": {"name": "mlp"}},
        "loss": {"name": "neuralsort", "temperature": 1.0},
        "arms": ARMS,
        "steps": 24,
        "batch_size": 8,
        "evaluate_every": 8,
    }
    return {**record, **fields}


def small_spec(**fields: Any) -> ExperimentSpec:
    """:func:`small_record`, validated."""
    return ExperimentSpec.model_validate(small_record(**fields))
