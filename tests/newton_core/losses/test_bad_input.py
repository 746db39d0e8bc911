"""Input that makes no sense to a loss gets one sentence: what was wrong, what would be right."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from newton_core import (
    LossCheckError,
    NewtonLoss,
    build_loss,
    build_oracle,
    check_loss,
    list_losses,
    newton_direction,
    permutation_matrix,
    run,
)
from newton_core.algorithms.oracles import Oracle, OracleError
from newton_core.losses.squared_error import SquaredError

NAN = math.nan
Parameters = dict[str, Any]


pytestmark = pytest.mark.usefixtures("as_users_run")


def ones(*shape: int, of: float = 1.0) -> Tensor:
    return torch.full(shape, of)


def whole(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.int64)


@pytest.mark.parametrize(
    ("name", "parameters", "y", "target", "sentence"),
    [
        ("trajectory", {}, ones(2, 7), ones(2, 7), r"accelerations have shape \(N, T, 2\)"),
        ("trajectory", {}, ones(2, 0, 2), ones(2, 0, 2), "T >= 1 steps, got"),
        ("trajectory", {}, whole(2, 4, 2), ones(2, 4, 2), "must be floating point"),
        ("trajectory", {}, ones(2, 4, 2), ones(2, 3, 2), r"each acceleration, \(2, 4, 2\); got"),
        ("trajectory", {}, ones(2, 4, 2), ones(2, 4, 2, of=NAN), "wanted path of sample 0 has val"),
        ("trajectory", {"way_points": 9}, ones(2, 4, 2), ones(2, 4, 2), "9 way-points need a path"),
        ("heat", {}, ones(2, 4), ones(2, 4), r"pictures have shape \(N, h, w\), got \(2, 4\)"),
        ("heat", {}, whole(2, 4, 4), ones(2, 4, 4), "must be floating point"),
        ("heat", {}, ones(2, 4, 4), ones(2, 5, 5), r"the shape of y, \(2, 4, 4\); got \(2, 5, 5\)"),
        ("heat", {}, ones(2, 4, 4), ones(2, 4, 4, of=NAN), "was seen of sample 0 has values"),
        ("soft_disc", {}, ones(2, 4), ones(2, 16, 16), "x, y and radius of K >= 1 discs, got"),
        ("soft_disc", {}, ones(2, 0, 3), ones(2, 16, 16), "of K >= 1 discs, got"),
        ("soft_disc", {}, whole(2, 1, 3), ones(2, 16, 16), "discs must be floating point"),
        ("soft_disc", {}, ones(2, 1, 3), ones(2, 8, 8), "a side of 16 pixels; got"),
        ("soft_dtw", {}, ones(2, 0), ones(2, 4), "n >= 1 steps; got"),
        ("soft_dtw", {}, ones(2, 4), ones(2, 0), "the true series are empty"),
        ("soft_dtw", {}, ones(0, 4), ones(0, 4), r"got \(0, 4\)"),
        ("soft_dtw", {}, whole(2, 4), ones(2, 4), "series must be floating point"),
        ("soft_dtw", {}, ones(2, 4), ones(2, 4, of=NAN), "true series of sample 0 has values"),
        ("soft_dtw", {"window": 1}, ones(2, 4), ones(2, 9), "it must be at least 5, or empty"),
        ("sinkhorn", {}, ones(2, 4, 5), ones(2, 4, 4), "n >= 2 items to as many places"),
        ("sinkhorn", {}, whole(2, 4), ones(2, 4, 4), "scores must be floating point"),
        ("top_k_cross_entropy", {"k": 5}, ones(2, 4), whole(2), "k = 5 needs at least 5 scores"),
        ("top_k_cross_entropy", {"k": 2}, ones(2, 4), 9 * whole(2), "classes from 0 to 3, got 9"),
        ("top_k_cross_entropy", {"k": 2}, ones(2, 4), ones(2), "one class index per sample, int"),
        *(
            (name, {}, ones(1, 3), torch.tensor([target]), "target is no permutation matrix: entr")
            for name in ("neuralsort", "softsort", "cauchy_dsn", "optimal_dsn", "sinkhorn")
            for target in (
                [[1.0, 0, 0], [1, 0, 0], [0, 0, 1]],
                [[1.0, 0, 0], [0, 1, 0], [0, 0, 0.5]],
                [[2.0, -1, 0], [-1, 2, 0], [0, 0, 1]],
                [[NAN, 0, 0], [0, 1, 0], [0, 0, 1]],
            )
        ),
        ("soft_rank", {}, ones(2, 1), ones(2, 1), r"\(N, n\) with n >= 2, got \(2, 1\)"),
        ("soft_rank", {}, ones(2, 4), ones(2, 4, of=NAN), "holds NaN or infinity: ranks and"),
        ("soft_rank", {"objective": "ndcg"}, ones(2, 4), -ones(2, 4), "must not be negative"),
        ("soft_rank", {}, ones(2, 4), ones(2, 4, 4), "target is no permutation matrix: entries"),
        ("soft_rank", {}, ones(2, 4), ones(2, 4, 4, of=NAN), "target is no permutation matrix"),
        ("approx_ndcg", {}, ones(2, 4), 0 * ones(2, 4, 4), "target is no permutation matrix"),
        ("sinkhorn", {}, ones(2, 4), ones(2, 4, 4), "target is no permutation matrix"),
        ("approx_ndcg", {}, ones(2, 4), ones(2, 5), r"target must be \(N, n\) = \(2, 4\) ranks"),
        ("approx_ndcg", {}, ones(2, 4), -ones(2, 4), "relevances must not be negative, got -1"),
    ],
)
def test_outputs_and_targets(
    name: str, parameters: Parameters, y: Tensor, target: Tensor, sentence: str
) -> None:
    loss = build_loss(name, **parameters)
    for call in (loss, loss.derivatives):
        with pytest.raises((ValueError, TypeError), match=sentence):
            call(y, target)
    with pytest.raises((ValueError, TypeError)):
        loss(y, None)


@pytest.mark.parametrize("name", list_losses())
@pytest.mark.parametrize(
    "y", [[[1.0, 2.0], [3.0]], np.ones((2, 4)), "12", None], ids=["ragged", "array", "text", "none"]
)
def test_what_is_no_tensor_is_refused_by_every_loss(name: str, y: Any) -> None:
    loss = build_loss(name)
    kind = type(y).__name__
    for call in (loss, loss.derivatives, NewtonLoss(loss)):
        with pytest.raises(TypeError, match=f"y must be a torch tensor, .* got {kind}: torch.as_"):
            call(y, None)
    if y is not None:
        with pytest.raises(TypeError, match=f"target must be a torch tensor, .* got {kind}: "):
            loss(ones(2, 4), y)


@pytest.mark.parametrize("name", list_losses())
def test_whole_numbers_have_no_derivatives(name: str) -> None:
    loss = build_loss(name)
    shape, target = {
        "heat": ((2, 4, 4), ones(2, 4, 4)),
        "trajectory": ((2, 4, 2), ones(2, 4, 2)),
        "soft_disc": ((2, 1, 3), ones(2, 16, 16)),
        "cross_entropy": ((2, 4), whole(2)),
        "top_k_cross_entropy": ((2, 6), whole(2)),
        "soft_dtw": ((2, 4), ones(2, 4)),
        "squared_error": ((2, 4), ones(2, 4)),
        "binary_cross_entropy": ((2, 4), ones(2, 4)),
    }.get(name, ((2, 2), torch.eye(2).expand(2, 2, 2)))
    if loss.target_kind == "path":
        shape, target = (2, 2, 2), torch.eye(2).expand(2, 2, 2)
    loss.derivatives(ones(*shape), target)
    for call in (loss, loss.derivatives):
        with pytest.raises(TypeError, match=r"must be floating point, got torch\.int64"):
            call(whole(*shape), target)


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4)])
def test_logits_of_another_shape_are_refused_by_the_mean_hessian_too(
    shape: tuple[int, ...],
) -> None:
    with pytest.raises(ValueError, match=r"cross-entropy needs logits \(N, m\), got"):
        newton_direction(build_loss("cross_entropy"), ones(*shape), whole(3))


def test_a_batch_of_no_maps_has_no_values() -> None:
    loss, none = build_loss("bellman_ford"), torch.empty(0, 3, 3)
    assert loss(none, none).shape == (0,)
    assert loss.derivatives(none, none).gradient.shape == (0, 9)


@pytest.mark.parametrize("base", ["neuralsort", None, SquaredError], ids=str)
def test_a_base_that_is_no_loss_is_refused(base: Any) -> None:
    for call in (
        lambda: NewtonLoss(base),
        lambda: newton_direction(base, ones(2, 3), ones(2, 3)),
        lambda: check_loss(base, ones(2, 3), ones(2, 3)),
    ):
        with pytest.raises(TypeError, match=r"the base is a loss, or a callable \(y, target\)"):
            call()


def test_values_that_are_no_real_numbers_are_refused() -> None:
    y = torch.randn(3, 2)
    with pytest.raises(ValueError, match=r"must give real numbers of shape \(3,\), got tensor"):
        newton_direction(lambda y, target: y.sum(1) * 1j, y)
    with pytest.raises(LossCheckError, match=r"floating-point numbers of shape \(3,\), got tensor"):
        check_loss(lambda y, target: (y > 0).sum(1), y)


def test_arguments_of_the_other_public_functions() -> None:
    with pytest.raises(TypeError, match="values must be a torch tensor, one row per sample, got l"):
        permutation_matrix([[1.0, 2.0]])
    with pytest.raises(TypeError, match="run takes an ExperimentSpec, got dict: Exper"):
        next(run({"task": {"name": "ranking"}}))
    with pytest.raises(
        ValueError, match=r"unknown linear oracle \{.name.: .top_k.\}; known: assign"
    ):
        build_oracle({"name": "top_k"})


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("trajectory", {"duration": 0}, "greater than or equal to 0.1"),
        ("trajectory", {"way_points": 2.5}, "a valid integer, got a number with a fractional part"),
        ("trajectory", {"drag": math.inf}, "a finite number"),
        ("heat", {"time": -1}, "greater than or equal to 0.001"),
        ("soft_disc", {"sharpness": NAN}, "a finite number"),
        ("soft_disc", {"side": 2}, "greater than or equal to 4"),
        ("soft_dtw", {"temperature": 0}, "greater than 0"),
        ("soft_dtw", {"window": -1}, "greater than or equal to 0"),
        ("sinkhorn", {"sweeps": 0}, "greater than or equal to 1"),
        ("top_k_cross_entropy", {"k": 0}, "greater than or equal to 1"),
        ("top_k_cross_entropy", {"k": 2.5}, "a valid integer"),
        ("top_k_cross_entropy", {"relaxation": "bubble"}, "should be 'neuralsort', 'softsort'"),
        ("perturbed_fy", {"sigma": -1}, "greater than 0"),
        ("perturbed_fy", {"samples": 0}, "greater than or equal to 1"),
        ("perturbed_fy", {"oracle": "tree"}, "does not match any of the expected tags"),
        ("perturbed_fy", {"oracle": 3}, "an oracle is its name, or a record of its name and"),
        ("perturbed_fy", {"oracle": {"name": "top_k", "k": 0}}, "greater than or equal to 1"),
        ("perturbed_fy", {"oracle": {"name": "top_k", "k": 1.5}}, "a valid integer"),
        ("perturbed_fy", {"oracle": {"name": "knapsack", "weights": [-1]}}, "greater than or eq"),
        ("perturbed_fy", {"oracle": {"name": "knapsack", "weights": [NAN]}}, "a finite number"),
        ("perturbed_fy", {"oracle": {"name": "knapsack", "capacity": -1}}, "greater than or equal"),
        ("perturbed_fy", {"oracle": {"name": "knapsack", "capacity": NAN}}, "a finite number"),
    ],
)
def test_parameters(name: str, parameters: Parameters, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as found:
        build_loss(name, **parameters)
    assert found.value.error_count() == 1


@pytest.mark.parametrize(
    ("oracle", "y", "target", "sentence"),
    [
        ("assignment", ones(2, 3, 4), ones(2, 3, 4), "needs square costs, shape"),
        ("assignment", whole(2, 3, 3), ones(2, 3, 3), "costs must be floating point"),
        ("assignment", ones(2, 3, 3, of=NAN), ones(2, 3, 3), "sample 0 has nan at position"),
        ("assignment", ones(2, 3, 3), ones(2, 3, 3, of=NAN), "target solution of sample 0 has"),
        ("assignment", ones(2, 3, 3), ones(2, 4, 4), "the shape of the costs"),
        ("assignment", ones(2, 3, 3), ones(2, 3, 3), "sample 0 .* it must be a permutation matrix"),
        ("ranking", ones(2, 3), ones(2, 3), "it must be the ranks from 0 to m - 1, each of them"),
        ("shortest_path", ones(2, 3, 3), 0 * ones(2, 3, 3), "1 on tiles that join the first one"),
        ({"name": "top_k", "k": 5}, ones(2, 3), ones(2, 3), "k = 5 of 3 items cannot be picked"),
        ({"name": "knapsack", "weights": [1, 2]}, ones(2, 3), ones(2, 3), "2 weights for 3 items"),
        ("shortest_path", -ones(2, 3, 3), ones(2, 3, 3), "positive and finite, but sample 0 has"),
        ("spanning_tree", ones(2, 3), ones(2, 3), r"costs have shape \(N, h, w\)"),
    ],
)
def test_costs(oracle: Any, y: Tensor, target: Tensor, sentence: str) -> None:
    loss = build_loss("perturbed_fy", oracle=oracle, samples=2)
    with pytest.raises((ValueError, TypeError), match=sentence):
        loss(y, target)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda costs: 2 * torch.ones_like(costs), "outside its set for row 0: 2, 2, 2; an answer"),
        (lambda costs: costs * NAN, "outside its set for row 0: nan"),
        (lambda costs: costs[:, 0], r"in the shape of the costs \(2, 3\), but gave \(2,\)"),
        (lambda costs: costs.to(torch.complex64), "real numbers .*, but gave Tensor"),
        (lambda costs: costs.numpy(), "real numbers .*, but gave ndarray"),
        (lambda costs: None, "real numbers .*, but gave NoneType"),
    ],
)
def test_answers(answer: Callable[[Tensor], Any], sentence: str) -> None:
    class Own(Oracle):
        title = "Own"
        name: str = "own"

        def solve(self, costs: Tensor) -> Tensor:
            found: Tensor = answer(costs)
            return found

    with pytest.raises(OracleError, match=sentence):
        Own().answer(torch.ones(2, 3, dtype=torch.float64))
