import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from tslearn.metrics import SoftDTW, SquaredEuclidean, dtw_path

from newton_core import build_loss
from newton_core.algorithms.alignment import SoftAlignment, hard_alignments
from newton_core.losses import autodiff_derivatives
from tests.newton_core.losses.checks import LossCase, assert_same, family_test


class Draw:
    """Series and true ones, with ``values`` numbers a step (none: one, without an axis)."""

    def __init__(self, steps: int, true_steps: int, *values: int) -> None:
        self.steps, self.true_steps, self.values = steps, true_steps, values

    def __call__(self, samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        y, target = (
            torch.randn(samples, steps, *self.values, generator=generator, dtype=torch.float64)
            for steps in (self.steps, self.true_steps)
        )
        return y, target


def case(draw: Draw, **parameters: Any) -> LossCase:
    best = (lambda y, target: target) if parameters.get("normalised") else None
    return LossCase("soft_dtw", draw, best, parameters)


test_family = family_test(
    [
        case(Draw(5, 6)),
        case(Draw(6, 6), normalised=True, temperature=1.0),
        case(Draw(4, 3, 2), window=2, temperature=0.3),
        case(Draw(4, 4, 2), normalised=True, window=1),
        case(Draw(1, 1)),
    ]
)

SETTINGS: list[tuple[Draw, dict[str, Any]]] = [
    (Draw(7, 9), {"temperature": 0.1}),
    (Draw(7, 7, 2), {"temperature": 1.0, "normalised": True}),
    (Draw(8, 6), {"temperature": 0.5, "window": 3, "normalised": True}),
]


@pytest.mark.parametrize(("draw", "parameters"), SETTINGS)
def test_derivatives_are_autograd_s_through_the_recursion(
    draw: Draw, parameters: dict[str, Any]
) -> None:
    loss = build_loss("soft_dtw", **parameters)
    y, target = draw(5, torch.Generator().manual_seed(0))
    alignment = SoftAlignment(
        parameters["temperature"], parameters.get("window"), parameters.get("normalised", False)
    )

    def recursion(y: Tensor, target: Tensor) -> Tensor:
        a, b = (part if part.ndim == 3 else part[..., None] for part in (y, target))
        return alignment.by_torch(a, b)

    expected = autodiff_derivatives(recursion, y, target)
    assert_same(loss.derivatives(y, target), expected)
    assert_same(autodiff_derivatives(loss, y, target), expected)


def alignments(n: int, k: int) -> Iterator[np.ndarray]:
    """All walks from the first cell to the last one, as 0/1 tables (n, k)."""

    def walks(i: int, j: int) -> Iterator[list[tuple[int, int]]]:
        if (i, j) == (0, 0):
            yield [(0, 0)]
        for di, dj in ((1, 1), (1, 0), (0, 1)):
            if i >= di and j >= dj:
                yield from ([*walk, (i, j)] for walk in walks(i - di, j - dj))

    for walk in walks(n - 1, k - 1):
        table = np.zeros((n, k))
        table[tuple(zip(*walk, strict=True))] = 1
        yield table


@pytest.mark.parametrize(("n", "k"), [(1, 3), (3, 3), (4, 3)])
def test_all_alignments_together_give_value_gradient_and_hessian(n: int, k: int) -> None:
    temperature = 0.7
    y, target = Draw(n, k)(1, torch.Generator().manual_seed(n))
    apart = (y[0, :, None] - target[0]).numpy()
    tables = np.stack(list(alignments(n, k)))
    shares = np.exp(-(tables * apart**2).sum((1, 2)) / temperature)
    value = -temperature * math.log(shares.sum())
    shares /= shares.sum()
    slopes = (tables * 2 * apart).sum(2)
    mean = shares @ slopes
    spread = (slopes - mean).T @ (shares[:, None] * (slopes - mean))
    counts = (shares @ tables.reshape(len(tables), -1)).reshape(n, k).sum(1)
    found = build_loss("soft_dtw", temperature=temperature).derivatives(y, target)
    assert_close(found.value[0].item(), value)
    assert_close(found.gradient[0].numpy(), mean)
    assert found.hessian is not None
    assert_close(found.hessian[0].numpy(), 2 * np.diag(counts) - spread / temperature)


@pytest.mark.parametrize("values", [1, 3])
def test_value_and_gradient_are_the_peer_s(values: int) -> None:
    y, target = Draw(12, 15, values)(3, torch.Generator().manual_seed(0))
    found = build_loss("soft_dtw", temperature=0.2).derivatives(y, target)
    for i, (a, b) in enumerate(zip(y.numpy(), target.numpy(), strict=True)):
        costs = SquaredEuclidean(a, b)
        peer = SoftDTW(costs, gamma=0.2)
        assert peer.compute() == pytest.approx(found.value[i].item(), abs=1e-9)
        gradient = costs.jacobian_product(peer.grad())
        assert_close(found.gradient[i].numpy(), gradient.ravel())


def test_a_low_temperature_is_dynamic_time_warping_with_a_diagonal_hessian() -> None:
    y, target = Draw(9, 12)(4, torch.Generator().manual_seed(0))
    cold = build_loss("soft_dtw", temperature=1e-4).derivatives(y, target)
    costs, paths = hard_alignments(y, target)
    assert_close(cold.value, costs, rtol=0, atol=1e-3)
    assert cold.hessian is not None
    for i, path in enumerate(paths):
        peer, distance = dtw_path(y[i].numpy(), target[i].numpy())
        assert [tuple(cell) for cell in path] == peer
        assert costs[i].item() == pytest.approx(distance**2)
        aligned = np.bincount(path[:, 0], minlength=9)
        expected = 2 * torch.diag(torch.from_numpy(aligned)).double()
        assert_close(cold.hessian[i], expected, rtol=0, atol=1e-4)


def test_a_window_of_no_steps_is_the_squared_error() -> None:
    y, target = Draw(8, 8)(4, torch.Generator().manual_seed(0))
    found = build_loss("soft_dtw", window=0).derivatives(y, target)
    assert_close(found.value, (y - target).square().sum(1))
    assert_close(found.gradient, 2 * (y - target))
    assert found.hessian is not None
    assert_close(found.hessian, 2 * torch.eye(8).double().expand(4, -1, -1))


def test_the_divergence_is_zero_for_equal_series_alone() -> None:
    y, target = Draw(10, 10)(50, torch.Generator().manual_seed(0))
    loss = build_loss("soft_dtw", normalised=True, temperature=1.0)
    assert (loss(y, target) > 0).all()
    same = loss.derivatives(target, target)
    assert_close(same.value, torch.zeros(50).double())
    assert_close(same.gradient, torch.zeros(50, 10).double())
    assert (build_loss("soft_dtw", temperature=1.0)(target, target) < 0).all()


def test_a_decided_alignment_has_a_definite_hessian_and_others_may_not() -> None:
    y, target = Draw(10, 10)(50, torch.Generator().manual_seed(0))
    least = {}
    for temperature in (1e-4, 1.0):
        hessian = build_loss("soft_dtw", temperature=temperature).derivatives(y, target).hessian
        assert hessian is not None
        least[temperature] = torch.linalg.eigvalsh(hessian)[:, 0]
    assert least[1e-4].median() >= 2 - 1e-6  # each step has at least one partner
    assert (least[1.0] < 0).any()


def test_threads_do_not_change_the_numbers() -> None:
    y, target = Draw(6, 6)(7, torch.Generator().manual_seed(0))
    loss = build_loss("soft_dtw", normalised=True)
    alone = loss.derivatives(y, target)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert torch.equal(loss.derivatives(y, target).gradient, alone.gradient)
    finally:
        torch.set_num_threads(threads)


def test_a_third_derivative_is_refused() -> None:
    y, target = Draw(4, 4)(1, torch.Generator().manual_seed(0))
    y.requires_grad_(True)
    (first,) = torch.autograd.grad(build_loss("soft_dtw")(y, target).sum(), y, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), y, create_graph=True)
    with pytest.raises(RuntimeError, match="no third derivative"):
        second.sum().backward()


SERIES = torch.zeros(2, 5)
WRONG: list[tuple[dict[str, Any], Tensor, Tensor | None, str]] = [
    ({}, torch.zeros(2, 0), SERIES, r"n >= 1 steps; got \(2, 0\)"),
    ({}, torch.zeros(2), SERIES, r"shape \(N, n\).*; got \(2,\)"),
    ({}, SERIES, None, r"shape \(2, k\).*; got none"),
    ({}, SERIES, torch.zeros(3, 5), r"shape \(2, k\).*; got \(3, 5\)"),
    ({}, torch.zeros(2, 5, 3), torch.zeros(2, 5, 2), r"shape \(2, k, 3\).*; got \(2, 5, 2\)"),
    ({}, SERIES, torch.zeros(2, 0), "the true series are empty"),
    ({}, SERIES, torch.tensor([[0.0], [math.nan]]), "sample 1 has values that are not finite"),
    ({"window": 2}, SERIES, torch.zeros(2, 9), "a window of 2 steps .* must be at least 4"),
]


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(("parameters", "y", "target", "words"), WRONG)
def test_says_what_would_be_right(
    parameters: dict[str, Any], y: Tensor, target: Tensor | None, words: str
) -> None:
    loss = build_loss("soft_dtw", **parameters)
    for call in (loss, loss.derivatives):
        with pytest.raises(ValueError, match=words):
            call(y, target)
