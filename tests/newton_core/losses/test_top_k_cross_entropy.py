"""Top-k cross-entropy: against the relaxed permutations of the sorting losses, and its limits."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from newton_core import build_loss
from newton_core.losses import autodiff_derivatives
from tests.newton_core.losses.checks import LossCase, close, family_test
from tests.newton_core.losses.sorting_cases import NETWORKS, SOFTMAX, SORTING, sorting_loss


def draw(samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    y = torch.randn(samples, 5, generator=generator, dtype=torch.float64)
    return y, torch.randint(5, (samples,), generator=generator)


def far_ahead(y: Tensor, target: Tensor | None) -> Tensor:
    assert target is not None
    return 1e4 * torch.nn.functional.one_hot(target, y.shape[1]).to(y.dtype)


def parameters(relaxation: str, temperature: float = 1.0) -> dict[str, object]:
    softness = {"temperature": temperature, "inverse_temperature": 1 / temperature}
    chosen = "inverse_temperature" if relaxation in NETWORKS else "temperature"
    return {"relaxation": relaxation, chosen: softness[chosen]}


test_family = family_test(
    [
        LossCase(
            "top_k_cross_entropy",
            draw=draw,
            best=far_ahead if relaxation != "cauchy_dsn" else None,  # whose tails leave a rest
            parameters={"k": 3, **parameters(relaxation)},
            slack=1e-3,
        )
        for relaxation in ("neuralsort", "softsort", "logistic_dsn", "cauchy_dsn")
    ]
)


@pytest.mark.parametrize("relaxation", SORTING)
@pytest.mark.parametrize(("k", "top_1"), [(1, 0.5), (3, 0.25), (4, 0.0), (7, 1.0)])
def test_value_is_read_off_the_relaxed_permutation(k: int, top_1: float, relaxation: str) -> None:
    """-log of P_K(1) P[first, t] + P_K(k) (the k top rows' sum), as the paper writes it."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randn(6, 7, generator=generator, dtype=torch.float64)
    classes = torch.randint(7, (6,), generator=generator)
    p = sorting_loss(relaxation, 0.7).relaxed_permutation(y)
    places = p[torch.arange(6), :, classes].flip(1)  # the first place first
    likely = top_1 * places[:, 0] + (1 - top_1) * places[:, :k].sum(1)
    loss = build_loss("top_k_cross_entropy", k=k, top_1=top_1, **parameters(relaxation, 0.7))
    assert_close(loss(y, classes), -likely.log())


@pytest.mark.parametrize("relaxation", SORTING)
@pytest.mark.parametrize("n", [2, 10, 13])
def test_derivatives_of_every_relaxation(n: int, relaxation: str) -> None:
    generator = torch.Generator().manual_seed(n)
    y = torch.randn(4, n, generator=generator, dtype=torch.float64)
    classes = torch.randint(n, (4,), generator=generator)
    loss = build_loss("top_k_cross_entropy", k=min(n, 3), **parameters(relaxation, 0.3))
    fast, slow = loss.derivatives(y, classes), autodiff_derivatives(loss, y, classes)
    close(fast.value, slow.value, 1e-10)
    close(fast.gradient, slow.gradient, 1e-10)
    close(fast.hessian, slow.hessian, 1e-9)


def test_a_bitonic_network_sorts_too() -> None:
    y = torch.tensor([[0.3, 2.0, -1.0, 1.0]], dtype=torch.float64)
    loss = build_loss(
        "top_k_cross_entropy", k=2, top_1=0.0, network="bitonic", inverse_temperature=1e4
    )
    values = [loss(y, torch.tensor([c])).item() for c in range(4)]
    assert values[1] < 1e-2
    assert values[3] < 1e-2
    assert min(values[0], values[2]) > 5
    derivatives, slow = (
        loss.derivatives(y, torch.tensor([3])),
        autodiff_derivatives(loss, y, torch.tensor([3])),
    )
    close(derivatives.hessian, slow.hessian, 1e-6)


@pytest.mark.parametrize("relaxation", SOFTMAX)
def test_hard_limit_counts_the_top_k(relaxation: str) -> None:
    """At a low temperature: 0 first, -log(1 - top_1) among the k, and large below them."""
    y = torch.tensor([[3.0, 1.0, 2.0, 0.0]], dtype=torch.float64)
    loss = build_loss("top_k_cross_entropy", k=2, top_1=0.25, **parameters(relaxation, 0.01))
    values = [loss(y, torch.tensor([c])).item() for c in range(4)]
    assert values[0] == pytest.approx(0.0, abs=1e-9)
    assert values[2] == pytest.approx(-torch.tensor(0.75).log().item())
    assert min(values[1], values[3]) > 50


@pytest.mark.parametrize(
    ("y", "target", "words"),
    [
        (torch.zeros(2, 3), torch.zeros(2).long(), "k = 5 needs at least 5 scores per sample"),
        (torch.zeros(2, 6), torch.tensor([0, 6]), "classes from 0 to 5"),
        (torch.zeros(2, 6), None, "one class index per sample"),
    ],
)
def test_bad_input_is_one_sentence(y: Tensor, target: Tensor | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build_loss("top_k_cross_entropy")(y, target)
