"""The base of losses that run a simulator on the outputs, and compare its state by squares."""

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import Derivatives, Loss, P_co
from newton_core.losses.constant_hessian import ConstantHessian
from newton_core.losses.opacity import outside_inference
from newton_core.tensors import check_floating, flatten_outputs, target_like, to_float64


class SimulatorLoss(Loss[P_co]):
    """1/2 ||r(y, target)||^2, where r = simulate(y) - target unless a subclass says otherwise.

    A subclass defines :meth:`simulate`, any function that torch differentiates, and has a
    Gauss-Newton Hessian J^T J by automatic differentiation (J: the derivative of r in y, r
    backward passes). It overrides what it knows better: :meth:`jacobian`, or
    :meth:`constant_hessian`. Where :attr:`linear` is true, J is one matrix for all samples: the
    Hessian is exact, found once, and a Newton step costs a product with its eigenvectors.

    Example, a spring that pulls each output back::

        class Spring(SimulatorLoss):
            def simulate(self, y: Tensor) -> Tensor:
                return y - 0.1 * y**3
    """

    _kept: tuple[tuple[torch.Size, torch.device], ConstantHessian] | None = None

    @property
    def linear(self) -> bool:
        """Whether r is an affine function of y, the same for all samples but for a shift."""
        return False

    @property
    def exact(self) -> bool:
        """Whether the Hessian has the term of r's own curvature, which Gauss-Newton leaves out."""
        return False

    @property
    def shares_hessian(self) -> bool:
        """J^T J of a linear simulator is the same for all samples, and positive semidefinite."""
        return self.linear

    @classmethod
    def conditions(cls) -> list[tuple[int, float]]:
        """(size, condition of J^T J) as the simulator grows, for a chart; empty: not known."""
        return []

    def simulate(self, y: Tensor) -> Tensor:
        """The state (N, *R) that the outputs (N, *S) lead to; state i depends on y[i] alone."""
        raise NotImplementedError

    def residual(self, y: Tensor, target: Tensor | None) -> Float[Tensor, "N r"]:
        """What is squared: the difference between the simulated state and the target."""
        state = self.simulate(y)
        return flatten_outputs(state - target_like(state, target))

    def jacobian(self, y: Tensor, target: Tensor | None) -> Float[Tensor, "N r m"]:
        """The derivative of each sample's residual in its outputs, by r backward passes."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf = _leaf(y)
            residual = self.residual(leaf, outside_inference(target))
            rows = [
                torch.autograd.grad(residual[:, k].sum(), leaf, retain_graph=True)[0].flatten(1)
                for k in range(residual.shape[1])
            ]
            return torch.stack(rows, dim=1)

    def second_order(
        self, y: Tensor, target: Tensor | None, residual: Float[Tensor, "N r"]
    ) -> Float[Tensor, "N m m"]:
        """sum_k residual_k times the Hessian of residual k: what Gauss-Newton leaves out."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf = _leaf(y)
            apart = self.residual(leaf, outside_inference(target))
            product = (apart * outside_inference(residual.detach())).sum()
            (gradient,) = torch.autograd.grad(product, leaf, create_graph=True)
            flat = flatten_outputs(gradient)
            rows = [
                torch.autograd.grad(
                    flat[:, j].sum(), leaf, retain_graph=True, materialize_grads=True
                )[0].flatten(1)
                for j in range(flat.shape[1])
            ]
        second = torch.stack(rows, dim=1)
        return (second + second.mT) / 2

    def constant_hessian(self, y: Tensor, target: Tensor | None) -> ConstantHessian:
        """J^T J of a linear simulator, which does not depend on the target."""
        J = to_float64(self.jacobian(y[:1].detach(), target if target is None else target[:1]))[0]
        return ConstantHessian.of_matrix(J.mT @ J)

    def forward(self, y: Float[Tensor, " N *S"], target: Tensor | None = None) -> Tensor:
        """(N,) half the squared length of each sample's residual."""
        return self.residual(y, target).square().sum(1) / 2

    def derivatives(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Gradient by one backward pass; the Hessian J^T J, a view of one matrix if linear."""
        check_floating(y, "outputs")
        with torch.inference_mode(False), torch.enable_grad():
            leaf = _leaf(y)
            residual = self.residual(leaf, outside_inference(target))
            value = residual.square().sum(1) / 2
            (gradient,) = torch.autograd.grad(value.sum(), leaf)
        flat = flatten_outputs(gradient)
        if not hessian:
            return Derivatives(value.detach(), flat)
        if self.linear:
            matrix = self._constant(y, target).matrix().to(y)
            return Derivatives(value.detach(), flat, matrix.expand(len(y), *matrix.shape))
        J = self.jacobian(y, target)
        second = J.mT @ J
        if self.exact:
            second = second + self.second_order(y, target, residual.detach())
        return Derivatives(value.detach(), flat, second)

    def mean_hessian(
        self, y: Float[Tensor, " N *S"], target: Tensor | None = None
    ) -> Float[Tensor, "m m"] | None:
        """The batch mean of the Hessians in float64, by one product of all J stacked."""
        if self.linear:
            return self._constant(y, target).matrix()
        J = to_float64(self.jacobian(y, target)).flatten(0, 1)
        mean = J.mT @ J / len(y)
        if self.exact:
            residual = self.residual(y, target).detach()
            mean += self.second_order(y, target, residual).mean(0, dtype=torch.float64)
        return mean

    def per_sample_direction(
        self, y: Float[Tensor, " N *S"], target: Tensor | None, tikhonov: float
    ) -> Float[Tensor, "N m"] | None:
        """(J^T J + tikhonov I)^-1 gradient by the eigenvectors, if linear."""
        if not self.linear:
            return None
        gradient = self.derivatives(y, target, hessian=False).gradient
        return self._constant(y, target).solve(gradient, tikhonov)

    def _constant(self, y: Tensor, target: Tensor | None) -> ConstantHessian:
        """:meth:`constant_hessian`, found once for each shape and device."""
        key = (y.shape[1:], y.device)
        if self._kept is None or self._kept[0] != key:
            with torch.inference_mode(False):  # later calls may be elsewhere
                self._kept = (key, self.constant_hessian(y, target))
        return self._kept[1]


def _leaf(y: Tensor) -> Tensor:
    """The outputs as the start of a graph of its own."""
    leaf: Tensor = outside_inference(y.detach())
    return leaf.requires_grad_(True)
