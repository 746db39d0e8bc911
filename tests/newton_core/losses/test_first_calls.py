"""What a loss keeps for later calls serves them wherever its first call was."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss, permutation_matrix
from newton_core.losses import Loss

Problem = Callable[[], tuple[Loss, Tensor, Tensor]]


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def ranked(name: str, **parameters: Any) -> Problem:
    return lambda: (
        build_loss(name, **parameters),
        drawn(3, 5),
        permutation_matrix(drawn(3, 5).flip(1)),
    )


# torch's own: how it maps what has no rule, and what forward mode imports
pytestmark = [
    pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]

PROBLEMS: dict[str, Problem] = {
    **{
        f"{name} {numerics}": ranked(name, numerics=numerics)
        for name in ("neuralsort", "softsort", "cauchy_dsn", "logistic_dsn")
        for numerics in ("log_domain", "bce_loss")
    },
    "top k": lambda: (
        build_loss("top_k_cross_entropy", k=2),
        drawn(3, 6),
        torch.tensor([0, 2, 1]),
    ),
    "trajectory": lambda: (
        build_loss("trajectory", way_points=2, drag=0.1),
        drawn(2, 6, 2),
        drawn(2, 6, 2).flip(1),
    ),
    "heat": lambda: (build_loss("heat"), drawn(2, 4, 4), drawn(2, 4, 4).flip(1)),
    "disc": lambda: (build_loss("soft_disc"), drawn(2, 1, 3).abs(), drawn(2, 16, 16).abs()),
}


def forget() -> None:
    """As in a new process."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("newton_core.losses", "newton_core.algorithms")):
            for kept in list(vars(module).values()):
                if hasattr(kept, "cache_clear"):
                    kept.cache_clear()


def nested(total: Callable[[Tensor], Tensor], y: Tensor) -> None:
    torch.func.grad(lambda at: torch.func.grad(total)(at).sum())(y)


def batched(total: Callable[[Tensor], Tensor], y: Tensor) -> None:
    torch.func.grad(lambda at: torch.func.vmap(total)(torch.stack((at, at))).sum())(y)


def inferred(total: Callable[[Tensor], Tensor], y: Tensor) -> None:
    with torch.inference_mode():
        total(y)


@pytest.mark.parametrize("first", [nested, batched, inferred])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_first_call_anywhere_leaves_what_later_ones_can_use(
    problem: str, first: Callable[[Callable[[Tensor], Tensor], Tensor], None]
) -> None:
    loss, y, target = PROBLEMS[problem]()

    def total(at: Tensor) -> Tensor:
        return loss(at, target).sum()

    expected = loss.derivatives(y, target).gradient.view_as(y)
    forget()
    loss, *_ = PROBLEMS[problem]()
    first(total, y)
    assert_close(torch.func.grad(total)(y), expected)
    leaf = y.clone().requires_grad_(True)
    torch.autograd.backward(total(leaf))
    assert_close(leaf.grad, expected)


@pytest.mark.parametrize(
    "name", ["neuralsort", "softsort", "cauchy_dsn", "logistic_dsn", "sinkhorn"]
)
def test_targets_are_constants_in_forward_mode_too(name: str) -> None:
    loss, y, target = ranked(name)()
    slope = torch.func.jvp(lambda t: loss(y, t), (target,), (torch.ones_like(target),))[1]
    assert not slope.any()
