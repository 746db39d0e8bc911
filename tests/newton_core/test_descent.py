"""Descents: the optimizers of torch step for step, Newton's promises, and honest ends."""

from typing import Any

import pytest
import torch
from torch import Tensor

from newton_core import build_loss
from newton_core.curvature import fisher_direction
from newton_core.descent import DescentSettings, descend
from newton_core.records import to_json

START = torch.tensor([[-1.2, 1.0]], dtype=torch.float64)


def by_torch(kind: Any, start: Tensor, steps: int, **settings: float) -> list[Tensor]:
    loss = build_loss("rosenbrock")
    point = start.clone().requires_grad_(True)
    optimizer = kind([point], **settings)
    path = [point.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        loss(point, None).sum().backward()
        optimizer.step()
        path.append(point.detach().clone())
    return path


@pytest.mark.parametrize(
    ("method", "kind", "settings"),
    [
        (DescentSettings(lr=1e-3), torch.optim.SGD, {"lr": 1e-3}),
        (
            DescentSettings(method="momentum", lr=1e-4, momentum=0.8),
            torch.optim.SGD,
            {"lr": 1e-4, "momentum": 0.8},
        ),
        (DescentSettings(method="adam", lr=0.05), torch.optim.Adam, {"lr": 0.05}),
    ],
    ids=["gradient descent", "momentum", "adam"],
)
def test_first_order_methods_are_torchs(
    method: DescentSettings, kind: Any, settings: dict[str, float]
) -> None:
    (found,) = descend(build_loss("rosenbrock"), START, [method], steps=30)
    expected = torch.stack(by_torch(kind, START, 30, **settings))
    torch.testing.assert_close(found.positions, expected)
    torch.testing.assert_close(found.values[:, 0], build_loss("rosenbrock")(expected[:, 0]))


@pytest.mark.parametrize("method", ["gradient_descent", "momentum", "adam", "newton"])
def test_on_a_quadratic_the_local_model_is_trusted_fully(method: Any) -> None:
    loss = build_loss("formula", expression="3*x**2 + x*y + y**2 - 4*x")
    (found,) = descend(loss, START, [DescentSettings(method=method, lr=0.1)], steps=20)
    torch.testing.assert_close(found.actual, found.predicted)
    torch.testing.assert_close(found.trust, torch.ones_like(found.trust))


def test_newton_solves_a_quadratic_in_one_step() -> None:
    loss = build_loss("formula", expression="3*x**2 + x*y + y**2 - 4*x")
    (found,) = descend(loss, START, [DescentSettings(method="newton", tikhonov=1e-12)], steps=2)
    torch.testing.assert_close(found.gradients[1], torch.zeros_like(found.gradients[1]))


def test_newton_finds_the_end_of_the_valley_where_gradient_descent_creeps() -> None:
    methods = [
        DescentSettings(lr=1e-3),
        DescentSettings(method="newton", tikhonov=1e-6),
        DescentSettings(method="newton", definiteness="saddle_free", tikhonov=1e-3),
    ]
    creeping, newton, saddle_free = descend(build_loss("rosenbrock"), START, methods, steps=60)
    assert newton.values[-1].item() < 1e-12
    assert saddle_free.values[-1].item() < 1e-6
    assert creeping.values[-1].item() > 1


def test_raw_newton_climbs_to_a_saddle_and_saddle_free_leaves_it() -> None:
    start = torch.tensor([[1.0, 0.1]])
    methods = [
        DescentSettings(method="newton", tikhonov=1e-6, definiteness="raw"),
        DescentSettings(method="newton", tikhonov=1e-6, definiteness="saddle_free"),
        DescentSettings(method="newton", tikhonov=1e-3, definiteness="clip"),
    ]
    raw, saddle_free, clip = descend(build_loss("saddle"), start, methods, steps=3)
    assert raw.positions[-1].abs().max() < 1e-5
    for off in (saddle_free, clip):
        assert off.positions[-1, 0, 1].abs() > 0.5
        assert off.values[-1] < 0
    assert torch.linalg.eigvalsh(raw.curvatures[0, 0])[0] == -2
    assert torch.linalg.eigvalsh(saddle_free.curvatures[0, 0])[0] == 2
    assert torch.linalg.eigvalsh(clip.curvatures[0, 0])[0] == 0
    assert raw.positions[1, 0, 1].abs() < 0.1, "it climbs along the second axis"


def test_the_local_quadratic_touches_the_surface_where_the_descent_is() -> None:
    loss = build_loss("himmelblau")
    (found,) = descend(loss, torch.tensor([[0.3, -1.0]]), [DescentSettings(lr=0.01)], steps=4)
    d = loss.derivatives(found.positions[3], None)
    torch.testing.assert_close(found.gradients[3], d.gradient)
    torch.testing.assert_close(found.curvatures[3].float(), d.hessian)
    step = (found.positions[4] - found.positions[3]).double()
    model = (d.gradient * step).sum() + (step @ d.hessian[0].double() @ step.T).sum() / 2
    torch.testing.assert_close(found.predicted[3, 0], -model)


def test_the_fisher_of_one_start_follows_the_gradient_at_a_bounded_length() -> None:
    method = DescentSettings(method="newton", curvature="fisher", tikhonov=0.01)
    (found,) = descend(build_loss("rosenbrock"), START, [method], steps=5)
    for k in range(5):
        step = found.positions[k + 1] - found.positions[k]
        g = found.gradients[k]
        torch.testing.assert_close(step, -g / (g.square().sum() + 0.01))
        assert step.norm() <= 1 / (2 * 0.01**0.5) + 1e-12


def test_starts_are_one_batch() -> None:
    starts = torch.tensor([[-1.2, 1.0], [0.5, 0.5], [1.5, -0.5]], dtype=torch.float64)
    method = DescentSettings(method="newton", curvature="fisher", tikhonov=0.5)
    (found,) = descend(build_loss("rosenbrock"), starts, [method], steps=1)
    expected = starts - fisher_direction(found.gradients[0], 0.5)
    torch.testing.assert_close(found.positions[1], expected)


def test_methods_do_not_see_each_other() -> None:
    methods = [
        DescentSettings(method="newton", curvature="fisher"),
        DescentSettings(lr=1e-3),
        DescentSettings(method="newton", hessian="batch_mean", definiteness="clip"),
    ]
    starts = torch.tensor([[-1.2, 1.0], [0.5, 0.5]], dtype=torch.float64)
    loss = build_loss("rosenbrock")
    together = descend(loss, starts, methods, steps=8)
    for method, found in zip(methods, together, strict=True):
        (alone,) = descend(loss, starts, [method], steps=8)
        torch.testing.assert_close(found.positions, alone.positions)


def test_a_descent_that_flies_off_ends_and_the_others_go_on() -> None:
    starts = torch.tensor([[-1.2, 1.0], [1.0, 1.0]])
    far, near = descend(
        build_loss("rosenbrock"),
        starts,
        [DescentSettings(lr=1.0), DescentSettings(lr=1e-4)],
        steps=20,
    )
    ended = far.ended.tolist()
    assert 0 < ended[0] < 20
    assert ended[1] == 20, "a start in the minimum stays there"
    assert far.problem is not None
    assert "not finite" in far.problem
    assert torch.isfinite(far.positions[: ended[0] + 1, 0]).all()
    assert far.positions[ended[0] + 1 :, 0].isnan().all()
    assert torch.isfinite(far.positions[:, 1]).all()
    assert near.ended.tolist() == [20, 20]
    assert near.problem is None
    assert to_json(far)["positions"][-1][0] == [None, None]


def test_a_singular_newton_system_ends_the_descent_in_words() -> None:
    loss = build_loss("formula", expression="-(x**2 + y**2)/2")
    (found,) = descend(loss, START, [DescentSettings(method="newton", tikhonov=1.0)], steps=3)
    assert found.ended.tolist() == [0]
    assert found.problem is not None
    assert "singular" in found.problem


def test_a_step_of_zero_has_no_trust() -> None:
    (found,) = descend(
        build_loss("rosenbrock"), torch.ones(1, 2), [DescentSettings(lr=0.1)], steps=2
    )
    assert found.trust.isnan().all()
    assert found.actual.tolist() == [[0.0], [0.0]]


def test_labels_name_the_method() -> None:
    assert DescentSettings().label == "Gradient descent"
    assert (
        DescentSettings(method="newton", definiteness="saddle_free").label == "Newton, saddle-free"
    )
    assert DescentSettings(method="newton", curvature="fisher").label == "Fisher"
    assert DescentSettings(label="mine").label == "mine"


@pytest.mark.parametrize(("methods", "steps"), [([], 3), ([DescentSettings()], 0)])
def test_nothing_to_descend_is_an_error(methods: list[DescentSettings], steps: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        descend(build_loss("rosenbrock"), START, methods, steps=steps)
