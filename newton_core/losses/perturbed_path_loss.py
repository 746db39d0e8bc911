"""What the losses built on a perturbed oracle share: their samples and their checks.

They are estimators: value, gradient and Hessian come from the same noise samples, and the gradient
is not the derivative of the sampled value (which is flat almost everywhere) but an estimate of
that of its expectation.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from pydantic import ConfigDict
from torch import Tensor
from typing_extensions import TypeVar

from newton_core.algorithms.oracles import AnyOracle, ShortestPathOracle
from newton_core.algorithms.perturbed_paths import PerturbedPaths, perturbed_paths
from newton_core.algorithms.product_hessian import ProductHessian
from newton_core.losses.base import Derivatives, Loss, LossParameters, TargetKind
from newton_core.losses.path_inputs import check_oracle_inputs
from newton_core.seeding import global_generator
from newton_core.settings import setting
from newton_core.tensors import Context, differentiable_once

_TWICE = (
    "an estimated loss cannot be differentiated twice: its Hessian is an estimate of its own, from"
    " derivatives(y, target)"
)


class PerturbedPathParameters(LossParameters):
    """The parameters that all losses on a perturbed oracle have."""

    model_config = ConfigDict(defer_build=True)

    oracle: AnyOracle = setting(
        ShortestPathOracle(), "What is found under the costs: the w that minimises <y, w>.",
        title="Oracle",
    )  # fmt: skip
    sigma: float = setting(
        0.5,
        "Standard deviation of the noise on the costs: more smooths more and biases more.",
        title="Noise σ", scale="log", gt=0.0, le=1e3,
    )  # fmt: skip
    samples: int = setting(
        10, "Noise samples for each map: problems that the oracle solves in each step.",
        title="Samples", unit="samples", scale="log", ge=1, le=1000,
    )  # fmt: skip
    antithetic: bool = setting(
        False,
        "Whether half of the noise is the mirror image of the other half, which cancels part of"
        " the estimators' variance.",
        title="Antithetic sampling",
    )


PathP_co = TypeVar(
    "PathP_co", bound=PerturbedPathParameters, covariant=True, default=PerturbedPathParameters
)


@dataclass(frozen=True)
class Estimate:
    """What a set of noise samples leads to.

    Attributes:
        value: (N,) losses.
        gradient: (N, m) their gradients.
        hessian: their Hessians by factors, or None if they were not asked for.
    """

    value: Float[Tensor, " N"]
    gradient: Float[Tensor, "N m"]
    hessian: ProductHessian | None = None


class PerturbedPathLoss(Loss[PathP_co]):
    """A loss of costs y (N, *S) and an oracle's answer (N, *S), estimated from noise samples.

    The oracle decides which costs it takes: those of shortest paths, the default, are (N, h, w) and
    positive, and the target is a 0/1 path.

    ``forward`` and ``derivatives`` draw fresh noise from ``generator`` at every call; with equal
    generator states they agree, and ``forward`` passes the estimated gradient back. It cannot be
    differentiated twice: the Hessian is an estimate of its own, from ``derivatives``.

    The generator's state is part of ``state_dict``, so that training resumes with the same noise.

    Args:
        generator: CPU generator of the noise; None makes one for this loss, seeded from torch's
            global random numbers and the process's rank: ``torch.manual_seed`` fixes it, no two
            losses share their noise, and neither do two ranks.
        parameters: see ``Parameters``.
    """

    target_kind: ClassVar[TargetKind] = "path"

    def __init__(self, *, generator: torch.Generator | None = None, **parameters: object) -> None:
        super().__init__(**parameters)
        if generator is not None and generator.device.type != "cpu":
            raise ValueError(f"the noise needs a generator on the CPU, not on {generator.device}")
        self.generator = global_generator("noise") if generator is None else generator

    def get_extra_state(self) -> Tensor:
        """The generator's state, for ``state_dict``."""
        return self.generator.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        """Goes on with the noise of a loss whose ``state_dict`` is loaded."""
        self.generator.set_state(state.cpu())

    def forward(self, y: Tensor, target: Tensor | None = None) -> Tensor:
        """(N,) estimated losses, whose backward pass gives the estimated gradients."""
        constant = None if target is None else target.detach()
        value: Tensor = _Estimate.apply(y, constant, self)  # type: ignore[no-untyped-call] # torch's
        return value

    def why_flat(self) -> str:
        """See :class:`~newton_core.losses.base.Loss`."""
        return (
            f"no noise sample finds another answer; σ = {self.settings.sigma:g} may be too small,"
            f" or {self.settings.samples} samples too few"
        )

    def defined_at(self, y: Tensor) -> Tensor:
        """Where the oracle takes the costs: those of a path are positive and finite."""
        return self.settings.oracle.defined_at(y)

    def derivatives(
        self, y: Tensor, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value (N,), gradient (N, m) and Hessian (N, m, m), estimated from the same samples.

        Raises:
            ValueError: the oracle does not take the costs, or y and target do not fit.
            OracleError: an answer is not of the oracle's set.
        """
        found = self._estimate(y, target, hessian=hessian)
        each = None if found.hessian is None else found.hessian.each()
        return Derivatives(found.value, found.gradient, each)

    def mean_derivatives(self, y: Tensor, target: Tensor | None = None) -> Derivatives:
        """The same from one set of samples, with the batch mean of the Hessians for each."""
        found = self._estimate(y, target, hessian=True)
        assert found.hessian is not None
        mean = found.hessian.mean()
        return Derivatives(found.value, found.gradient, mean.expand(len(y), *mean.shape))

    def mean_hessian(self, y: Tensor, target: Tensor | None = None) -> Float[Tensor, "m m"] | None:
        """The batch mean of the Hessians in float64, from samples of its own."""
        mean = self.mean_derivatives(y, target).hessian
        return None if mean is None else mean[0]

    def _estimate(self, y: Tensor, target: Tensor | None, *, hessian: bool) -> Estimate:
        """Draws noise, solves, and estimates."""
        costs, path = check_oracle_inputs(y, target, self.settings.oracle)
        samples = perturbed_paths(
            costs,
            sigma=self.settings.sigma,
            samples=self.settings.samples,
            generator=self.generator,
            antithetic=self.settings.antithetic,
            centre=self.needs_centre(hessian=hessian),
            oracle=self.settings.oracle,
        )
        return self.estimate(costs.flatten(1), path.flatten(1), samples, hessian=hessian)

    def needs_centre(self, *, hessian: bool) -> bool:
        """Whether :meth:`estimate` reads the unperturbed answers, as a baseline."""
        return True

    def estimate(
        self,
        costs: Float[Tensor, "N m"],
        target: Float[Tensor, "N m"],
        samples: PerturbedPaths,
        *,
        hessian: bool,
    ) -> Estimate:
        """The derivatives that a set of samples leads to."""
        raise NotImplementedError


class _Estimate(torch.autograd.Function):
    """A loss estimate whose derivative is the gradient estimate from the same samples."""

    @staticmethod
    def forward(ctx: Context, y: Tensor, target: Tensor | None, loss: PerturbedPathLoss) -> Tensor:
        derivatives = loss.derivatives(y, target, hessian=False)
        ctx.save_for_backward(y, derivatives.gradient.view(y.shape))
        return derivatives.value

    @staticmethod
    def backward(ctx: Context, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        y, gradient = ctx.saved_tensors
        (value_gradient,) = grad_outputs
        once = differentiable_once(gradient, _TWICE, y)
        return once * value_gradient.view(-1, *(1,) * (y.dim() - 1)), None, None
