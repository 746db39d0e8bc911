import threading
from typing import Any

import pytest
import torch

from newton_core.training.run import run
from newton_core.training.side_by_side import SideBySide
from tests.newton_core.training.specs import ARMS, small_spec
from tests.newton_core.training.test_run import numbers

SPECS: dict[str, dict[str, Any]] = {
    "hessian, landscapes": {
        "loss": {"name": "neuralsort", "temperature": 0.1, "numerics": "bce_loss"},
        "landscape_every": 8,
    },
    "a loss of its own": {"arms": [*ARMS, {"loss": {"name": "softsort", "temperature": 0.5}}]},
    "an arm that diverges": {
        "task": {"name": "classification", "model": {"name": "mlp"}},
        "loss": {"name": "squared_error"},
        "arms": [{"optimizer": "sgd", "lr": 1e3, "momentum": 0.9}, {"curvature": "fisher"}],
        "steps": 60,
    },
    "a target": {
        "task": {"name": "classification", "model": {"name": "mlp"}},
        "loss": {"name": "cross_entropy"},
        "arms": [{"lr": 1e-2}, {"lr": 1e-8}],
        "steps": 60,
        "target": 0.3,
    },
}


@pytest.mark.parametrize("fields", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("at_once", [2, 8])
def test_the_numbers_do_not_depend_on_how_many_arms_compute_at_once(
    fields: dict[str, Any], at_once: int
) -> None:
    spec = small_spec(**fields)
    alone = list(run(spec))
    together = list(run(spec, arms_at_once=at_once))
    assert alone[-1].type == together[-1].type == "finished"
    assert numbers(together) == numbers(alone)
    statuses = [[arm.status for arm in log[-1].summary.arms] for log in (alone, together)]
    assert statuses[0] == statuses[1]


def test_calls_are_made_at_the_same_time_and_answer_in_order() -> None:
    both = threading.Barrier(2)

    def call(item: int) -> int:
        both.wait(timeout=30)  # breaks unless two calls meet
        return item * item

    with SideBySide(2) as side_by_side:
        assert side_by_side.map(call, [3, 2, 5, 4]) == [9, 4, 25, 16]


def test_threads_compute_with_as_many_torch_threads_as_the_caller() -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with SideBySide(2) as side_by_side:
            assert side_by_side.map(lambda _: torch.get_num_threads(), [0, 1]) == [3, 3]
    finally:
        torch.set_num_threads(threads)


def test_the_first_error_is_raised_after_all_calls_have_ended() -> None:
    ended: list[int] = []

    def call(item: int) -> None:
        if item < 2:
            raise ArithmeticError(f"arm {item}")
        ended.append(item)

    with SideBySide(2) as side_by_side, pytest.raises(ArithmeticError, match="arm 0"):
        side_by_side.map(call, [0, 1, 2, 3])
    assert ended == [2, 3]


def test_no_thread_outlives_its_run() -> None:
    before = threading.active_count()
    events = run(small_spec(), arms_at_once=2)
    for event in events:
        if event.type == "metrics":
            break
    assert threading.active_count() > before
    events.close()
    assert threading.active_count() == before
