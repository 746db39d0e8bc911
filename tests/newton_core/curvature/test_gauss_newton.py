"""The step that is not split, against a dense solve with the matrix written out."""

import math

import pytest
import torch
from torch import Tensor, nn

from newton_core.curvature import CurvatureError
from newton_core.curvature.gauss_newton import Weights, gauss_newton_step
from tests.newton_core.curvature.cases import normal, positive, symmetric

N, M = 6, 3


class Problem:
    """A tiny network with a hidden layer, at random weights and inputs."""

    def __init__(self) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, M)).double()
        self.weights: Weights = {k: p.detach() for k, p in self.model.named_parameters()}
        self.inputs = normal(N, 4, seed=2)
        self.gradient = {k: normal(*p.shape, seed=7) for k, p in self.weights.items()}

    def network(self, weights: Weights) -> Tensor:
        outputs: Tensor = torch.func.functional_call(self.model, weights, (self.inputs,))
        return outputs

    def dense(self, curvature: Tensor, tikhonov: float) -> Tensor:
        """(1/N sum J^T C J + tikhonov I)^-1 g with every matrix formed."""
        rows = torch.func.jacrev(self.network)(self.weights)
        J = torch.cat([rows[k].flatten(2) for k in self.weights], dim=2)
        matrix = torch.einsum("nip,nij,njq->pq", J, curvature, J) / N
        g = torch.cat([part.flatten() for part in self.gradient.values()])
        return torch.linalg.solve(matrix + tikhonov * torch.eye(len(g), dtype=g.dtype), g)

    def step(self, hessian: Tensor, tikhonov: float = 0.1, iterations: int = 1000) -> Tensor:
        found = gauss_newton_step(
            self.network, self.weights, self.gradient, hessian, tikhonov,
            iterations=iterations, tolerance=1e-12,
        )  # fmt: skip
        assert {k: v.shape for k, v in found.items()} == {
            k: v.shape for k, v in self.weights.items()
        }
        return torch.cat([part.flatten() for part in found.values()])


@pytest.mark.parametrize("tikhonov", [1e-3, 0.1, 10.0])
def test_the_step_is_that_of_a_dense_solve(tikhonov: float) -> None:
    problem, hessian = Problem(), positive(N, M)
    expected = problem.dense(hessian, tikhonov)
    torch.testing.assert_close(problem.step(hessian, tikhonov), expected, rtol=1e-7, atol=1e-9)


def test_negative_eigenvalues_of_each_sample_count_as_zero() -> None:
    problem, hessian = Problem(), symmetric(N, M)
    eigenvalues, vectors = torch.linalg.eigh(hessian)
    clipped = vectors @ torch.diag_embed(eigenvalues.clamp(min=0)) @ vectors.mT
    assert (eigenvalues < 0).any()
    expected = problem.dense(clipped, 0.1)
    torch.testing.assert_close(problem.step(hessian), expected, rtol=1e-7, atol=1e-9)


def test_without_curvature_it_is_the_gradient_over_tikhonov_and_zero_stays_zero() -> None:
    problem, flat = Problem(), torch.zeros(N, M, M, dtype=torch.float64)
    g = torch.cat([part.flatten() for part in problem.gradient.values()])
    torch.testing.assert_close(problem.step(flat, 0.5), g / 0.5)
    problem.gradient = {k: torch.zeros_like(part) for k, part in problem.gradient.items()}
    assert (problem.step(positive(N, M)) == 0).all()


def test_iterations_are_bounded() -> None:
    problem, hessian = Problem(), positive(N, M)
    g = torch.cat([part.flatten() for part in problem.gradient.values()])
    first = problem.step(hessian, iterations=1)
    cosine = torch.nn.functional.cosine_similarity(first, g, dim=0).item()
    assert cosine == pytest.approx(1.0), "the first iterate goes along the gradient"
    assert not torch.allclose(first, problem.step(hessian, iterations=2))


def test_what_is_not_finite_is_refused() -> None:
    problem = Problem()
    with pytest.raises(CurvatureError, match="the Hessian of 6 of 6 samples"):
        problem.step(torch.full((N, M, M), math.nan, dtype=torch.float64))
    problem.gradient["0.bias"][0] = math.inf
    with pytest.raises(CurvatureError, match="the gradient of the weights is not finite"):
        problem.step(positive(N, M))
