"""What keeps arms from learning is said, with the reason."""

from typing import Any

import pytest
import torch

from newton_core.experiment.events import Notice, parse_event
from newton_core.losses import build_loss
from newton_core.training.notices import swallowed, vanished
from newton_core.training.run import run
from tests.newton_core.training.specs import small_spec


def notices_of(**fields: Any) -> list[Notice]:
    return [event for event in run(small_spec(**fields)) if isinstance(event, Notice)]


def test_a_gradient_that_is_mostly_zero_is_said_with_the_loss_s_reason() -> None:
    loss = build_loss("softsort")
    assert vanished([0.0] * 60, loss).startswith("gradient zero in 60 of 60 steps: SoftSort has")
    assert vanished([0.0, 1e-9] * 5, loss).startswith("gradient zero in 5 of 10 steps")
    assert vanished([0.0, 1e-9, 1e-9], loss) is None
    assert vanished([], loss) is None


def test_softsort_at_equal_scores_has_no_gradient() -> None:
    y, target = torch.zeros(2, 3), torch.eye(3).expand(2, 3, 3)
    assert bool((build_loss("softsort").derivatives(y, target).gradient == 0).all())


def test_too_little_noise_for_a_path_is_said() -> None:
    terrain = {"name": "terrain", "height": 4, "width": 4, "train_maps": 10, "test_maps": 10}
    found = notices_of(
        task={"name": "shortest_path", "data": terrain},
        loss={"name": "smoothed_loss", "sigma": 1e-6, "samples": 3},
        arms=[{}], steps=12, batch_size=2, evaluate_every=6,
    )  # fmt: skip
    assert [(event.kind, event.step) for event in found] == [("vanished", 6), ("vanished", 12)]
    assert found[-1].message == (
        "gradient zero in 12 of 12 steps: no noise sample finds another answer; σ = 1e-06 may be"
        " too small, or 3 samples too few"
    )
    assert parse_event(found[0].model_dump_json()) == found[0]


def test_a_loss_that_stops_at_its_limit_says_how_far_off_it_is() -> None:
    with pytest.warns(RuntimeWarning, match="sinkhorn"):
        found = notices_of(
            loss={"name": "sinkhorn", "sweeps": 1, "temperature": 0.01},
            arms=[{}], steps=2, evaluate_every=2,
        )  # fmt: skip
    assert [(event.kind, event.step) for event in found] == [("inexact", 0), ("inexact", 2)]
    assert " plans are not balanced to 1e-06 after 1 sweeps (a column's sum is off by " in (
        found[-1].message
    )
    assert parse_event(found[0].model_dump_json()) == found[0]


@pytest.mark.parametrize(("tikhonov", "said"), [(0.1, []), (1e6, ["swallowed"] * 2)])
def test_a_damping_that_meets_adam_s_eps_is_said(tikhonov: float, said: list[str]) -> None:
    arms = [{"curvature": "fisher", "tikhonov": tikhonov}]
    found = notices_of(arms=arms, steps=6, evaluate_every=3)
    assert [event.kind for event in found] == said
    assert all("Adam's eps takes" in event.message for event in found)


def test_sgd_has_no_eps_and_nothing_is_said_before_the_first_step() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    assert swallowed(torch.optim.SGD([weight], lr=0.1)) is None
    adam = torch.optim.Adam([weight], lr=0.1)
    assert swallowed(adam) is None
    weight.grad = torch.tensor([1e-8, 1e-8, 0.0])
    adam.step()
    assert swallowed(adam).startswith("Adam's eps takes 50% of the step")
