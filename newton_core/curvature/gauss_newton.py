"""The Gauss-Newton step that is not split: on the weights, through network and loss at once.

A Newton loss takes its step in output space and then goes to the weights along the network's
gradient. This step solves in weight space instead, which shows what the split leaves out:

    d = (1/N sum_i J_i^T C_i J_i + tikhonov I)^-1 g

J_i is the network's Jacobian at sample i, C_i the loss's Hessian there, clipped to be positive
semidefinite, and g the gradient of the batch mean. No matrix of weights by weights is formed:
conjugate gradients need its products alone (Schraudolph 2002; Martens 2010).
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.curvature.surrogate import apply_definiteness
from newton_core.curvature.systems import CurvatureError, all_finite, check_tikhonov, not_finite
from newton_core.tensors import flatten_outputs, to_float64

Weights = dict[str, Tensor]
"""A network's parameters, or a direction in their space, by name."""

MOST_WEIGHTS = 2_000_000
"""Of the networks that the step is for: conjugate gradients keep several vectors of this length in
float64, and go through the network a hundred times a step."""


def gauss_newton_step(
    network: Callable[[Weights], Tensor],
    weights: Weights,
    gradient: Weights,
    hessian: Float[Tensor, "N m m"],
    tikhonov: float,
    *,
    iterations: int = 100,
    tolerance: float = 1e-6,
) -> Weights:
    """The damped Gauss-Newton step on the weights, by conjugate gradients.

    Args:
        network: weights -> outputs (N, *S) of the batch; sample i's depend on its input alone.
        weights: where it is linearised, detached.
        gradient: g, of the batch mean; has the names of ``weights``.
        hessian: per-sample Hessians of the loss at the outputs; negative eigenvalues become 0.
        tikhonov: damping, > 0.
        iterations: products with the matrix at most.
        tolerance: the step is done once the residual is this share of g.

    Raises:
        CurvatureError: a derivative, a product or the step is not finite.
        ValueError: tikhonov is not positive.
    """
    check_tikhonov(tikhonov)
    if not all_finite(hessian):
        raise not_finite("Hessian", hessian)
    jacobian = _Jacobian(network, weights)
    outputs = jacobian.outputs
    curvature = apply_definiteness(to_float64(hessian), "clip").to(outputs) / len(outputs)

    def product(v: Tensor) -> Tensor:
        pushed = flatten_outputs(jacobian.push(_split(v, weights)))
        curved = torch.einsum("nij,nj->ni", curvature, pushed)
        pulled = jacobian.pull(curved.view_as(outputs))
        return _joined(pulled, weights).add_(v, alpha=tikhonov)

    right = _joined(gradient, weights)
    return _split(_conjugate_gradients(product, right, iterations, tolerance), weights)


class _Jacobian:
    """J of a network at some weights as two products, from one pass through it.

    J^T u is linear in u, so that its derivative along u gives J v: forward mode, which some
    operations do not have, is not needed.
    """

    def __init__(self, network: Callable[[Weights], Tensor], weights: Weights) -> None:
        leaves = {name: part.detach().requires_grad_(True) for name, part in weights.items()}
        with torch.enable_grad():
            self._graph = network(leaves)
            self._leaves = leaves
            self._cotangent = torch.zeros_like(self._graph, requires_grad=True)
            self._pulled = self._grad(self._cotangent, create_graph=True)

    @property
    def outputs(self) -> Tensor:
        """The network's outputs, detached."""
        return self._graph.detach()

    def pull(self, cotangent: Tensor) -> Weights:
        """J^T u."""
        return self._grad(cotangent, create_graph=False)

    def push(self, tangent: Weights) -> Tensor:
        """J v."""
        used = [name for name, part in self._pulled.items() if part.requires_grad]
        (pushed,) = torch.autograd.grad(
            [self._pulled[name] for name in used],
            self._cotangent,
            [tangent[name] for name in used],
            retain_graph=True,
        )
        return pushed

    def _grad(self, cotangent: Tensor, *, create_graph: bool) -> Weights:
        found = torch.autograd.grad(
            self._graph,
            list(self._leaves.values()),
            cotangent,
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
            materialize_grads=True,
        )
        return dict(zip(self._leaves, found, strict=True))


def _conjugate_gradients(
    product: Callable[[Tensor], Tensor], right: Tensor, iterations: int, tolerance: float
) -> Tensor:
    """The solution of a positive definite system (Hestenes and Stiefel 1952), from zero on."""
    solution, residual, direction = torch.zeros_like(right), right, right
    size = (residual @ residual).item()
    if not math.isfinite(size):
        raise CurvatureError("the gradient of the weights is not finite")
    enough = tolerance**2 * size
    for _ in range(iterations):
        if size <= enough:
            break
        image = product(direction)
        curvature = (direction @ image).item()
        if not 0 < curvature < math.inf:
            raise CurvatureError(
                "the Gauss-Newton system has no finite solution: a product with its matrix gave"
                f" {curvature:.3g} where it must be positive; use a larger tikhonov"
            )
        length = size / curvature
        solution = solution + length * direction
        residual = residual - length * image
        before, size = size, (residual @ residual).item()
        direction = residual + (size / before) * direction
    return solution


def _joined(parts: Weights, like: Weights) -> Tensor:
    """All entries in one float64 vector, in the order of ``like``."""
    return torch.cat([to_float64(parts[name]).flatten() for name in like])


def _split(vector: Tensor, like: Weights) -> Weights:
    """The vector's entries in the shapes, dtypes and names of ``like``."""
    pieces = torch.split(vector, [part.numel() for part in like.values()])
    return {
        name: piece.view(part.shape).to(part)
        for (name, part), piece in zip(like.items(), pieces, strict=True)
    }
