"""Does a loss fit? One call for the author of a loss, before a Newton loss is built on it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from newton_core.losses.base import Derivatives, LossFunction, generator_in
from newton_core.losses.differences import Differences, along, compare
from newton_core.losses.opacity import OpaqueLossError, slanted
from newton_core.losses.plain import as_loss, derivatives_of
from newton_core.tensors import check_tensor, flatten_outputs

Result = TypeVar("Result")

CLOSE = 1e-4
"""Relative difference from finite differences that passes in float64 (0.05 in float32)."""


class LossCheckError(ValueError):
    """A loss that no Newton loss can be built on; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class LossReport:
    """What :func:`check_loss` found; ``print`` it.

    Attributes:
        samples: N.
        outputs: m, of each sample.
        dtype: that the check computed in: float64, or y's where the loss takes no other.
        sampled: whether the loss draws random numbers, so that its derivatives are estimates and
            finite differences say nothing about them.
        independent: true, as each value depends on its own sample alone; None with one sample.
        kinks: samples at a kink, where the derivative is a matter of convention.
        gradient_error: largest relative difference from finite differences; None if sampled.
        hessian: "curved", "zero" (as of a loss that is linear in pieces), or "opaque" (it can be
            differentiated only once).
        hessian_error: as ``gradient_error``, of the Hessian from differences of the gradient.
        eigenvalues: smallest and largest of the Hessian averaged over the batch; None if opaque.
    """

    samples: int
    outputs: int
    dtype: str
    sampled: bool
    independent: bool | None
    kinks: int
    gradient_error: float | None
    hessian: Literal["curved", "zero", "opaque"]
    hessian_error: float | None
    eigenvalues: tuple[float, float] | None

    @property
    def curvatures(self) -> tuple[str, ...]:
        """The curvatures that this loss has, of "hessian" and "fisher"."""
        return ("hessian", "fisher") if self.hessian == "curved" else ("fisher",)

    def __str__(self) -> str:
        alone = "each value depends on its own sample alone"
        lines = {
            "values": f"one for each of {self.samples} samples with {self.outputs} outputs",
            "samples": alone if self.independent else "only one: not checked",
            "gradient": _agreement(self.gradient_error),
            "Hessian": self._hessian(),
            "curvature": " or ".join(repr(name) for name in self.curvatures),
        }
        if self.kinks:
            lines["kinks"] = f"at {self.kinks} samples, where derivatives are a convention"
        return "\n".join(f"{name:<10} {text}" for name, text in lines.items())

    def _hessian(self) -> str:
        if self.hessian == "opaque":
            return "unknown: the loss can be differentiated only once"
        if self.hessian == "zero" or self.eigenvalues is None:
            return "exactly zero, as of a loss that is linear in pieces"
        low, high = self.eigenvalues
        return f"{_agreement(self.hessian_error)}; eigenvalues from {low:.3g} to {high:.3g}"


def check_loss(base: LossFunction, y: Float[Tensor, " N *S"], target: object = None) -> LossReport:
    """Whether Newton losses can be built on ``base``, tried out at y.

    Computed in float64 where the loss takes that. Random numbers that it draws are put back.

    Args:
        base: a :class:`Loss`, or any callable (y, target) -> (N,).
        y: (N, *S) typical outputs, best of several samples and away from kinks.
        target: whatever ``base`` compares y with.

    Returns:
        A report; its ``curvatures`` are those that make sense for this loss.

    Raises:
        LossCheckError: the values or derivatives have a wrong shape or are not finite, a value
            depends on other samples, or gradient or Hessian disagree with finite differences.
    """
    check_tensor("y", y)
    as_loss(base)  # refuses what is none
    if not y.is_floating_point() or y.ndim == 0 or y.numel() == 0:
        raise LossCheckError(
            f"y must be floating-point outputs (N, *S), got {y.dtype} {tuple(y.shape)}"
        )
    y = y.detach()
    trial = _Trial(base, target)
    y = y.double() if trial.takes(y.double()) else y
    value = trial.value(y)
    independent = _check_independence(trial, y, value)
    sampled = trial.is_sampled(y)
    gradient = trial.derivatives(y, hessian=False).gradient
    _check_shape("gradient", gradient, (len(y), y[0].numel()))
    slant = slanted(y)
    eps = torch.finfo(value.dtype).eps
    close = max(CLOSE, 150 * eps**0.5)
    kinked = torch.zeros(len(y), dtype=torch.bool, device=y.device)
    gradient_error = hessian_error = None
    if not sampled:
        slope = (gradient * flatten_outputs(slant)).sum(1, keepdim=True)
        found = compare(
            lambda at: trial.value(at)[:, None], y, slant, slope, value.abs()[:, None], eps
        )
        gradient_error, kinked = _agree("gradient", found, close)
    try:
        hessian = trial.derivatives(y, hessian=True).hessian
    except OpaqueLossError:
        hessian = None
    if hessian is None:
        kind: Literal["curved", "zero", "opaque"] = "opaque"
        eigenvalues = None
    else:
        _check_shape("Hessian", hessian, (*gradient.shape, gradient.shape[1]))
        kind = "curved" if hessian.any() else "zero"
        spectrum = torch.linalg.eigvalsh(hessian.double().mean(0))
        eigenvalues = (spectrum[0].item(), spectrum[-1].item())
        if not sampled:
            found = compare(
                lambda at: trial.derivatives(at, hessian=False).gradient,
                y, slant, along(hessian, slant), gradient.abs(), eps,
            )  # fmt: skip
            hessian_error, more = _agree("Hessian", found, close)
            kinked = kinked | more
    return LossReport(
        samples=len(y),
        outputs=gradient.shape[1],
        dtype=str(y.dtype).removeprefix("torch."),
        sampled=sampled,
        independent=independent,
        kinks=int(kinked.sum()),
        gradient_error=gradient_error,
        hessian=kind,
        hessian_error=hessian_error,
        eigenvalues=eigenvalues,
    )


class _Trial:
    """A loss that draws the same random numbers at every call."""

    def __init__(self, base: LossFunction, target: object) -> None:
        self.base, self.target = base, target
        self.generator = generator_in(base)

    def same_noise(self, call: Callable[[], Result]) -> Result:
        """What ``call`` gives; the generators are then as they were."""
        state = None if self.generator is None else self.generator.get_state()
        with torch.random.fork_rng(devices=[]):
            result = call()
        if self.generator is not None and state is not None:
            self.generator.set_state(state)
        return result

    def takes(self, y: Tensor) -> bool:
        """Whether the loss can be computed at y."""
        try:
            self.same_noise(lambda: self.base(y, self.target))
        except (RuntimeError, TypeError):  # of another dtype than its own constants
            return False
        return True

    def value(self, y: Tensor) -> Tensor:
        """(N,) finite values.

        Raises:
            LossCheckError: they are not.
        """
        with torch.no_grad():
            value = self.same_noise(lambda: self.base(y, self.target))
        if not isinstance(value, Tensor) or not value.is_floating_point():
            raise LossCheckError(
                f"the loss must give floating-point numbers of shape ({len(y)},), got {value!r}"
            )
        _check_shape("value", value, (len(y),))
        return value

    def derivatives(self, y: Tensor, *, hessian: bool) -> Derivatives:
        """Those that a Newton step reads.

        Raises:
            LossCheckError: there are none.
            OpaqueLossError: there is no Hessian.
        """

        def call() -> Derivatives:
            return derivatives_of(self.base, y, self.target, "hessian" if hessian else "gradient")

        try:
            found: Derivatives = self.same_noise(call)
        except OpaqueLossError:
            raise
        except ValueError as error:
            raise LossCheckError(str(error)) from error
        return found

    def is_sampled(self, y: Tensor) -> bool:
        """Whether two calls in a row give different values."""

        def twice() -> bool:
            with torch.no_grad():
                first, second = (self.base(y, self.target) for _ in range(2))
            return not torch.equal(first, second)

        return bool(self.same_noise(twice))


def _check_shape(what: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Raises LossCheckError unless the tensor is finite and has the shape."""
    if tensor.shape != shape:
        hint = "; with a torch loss, use reduction='none' and sum the rest" * (what == "value")
        raise LossCheckError(
            f"the {what} must have the shape {shape}, one row per sample, but has"
            f" {tuple(tensor.shape)}{hint}"
        )
    bad = ~torch.isfinite(tensor.reshape(len(tensor), -1)).all(1)
    if bad.any():
        raise LossCheckError(
            f"the {what} of {int(bad.sum())} of {len(bad)} samples, first of sample"
            f" {int(bad.nonzero()[0])}, has NaN or infinite entries"
        )


def _check_independence(trial: _Trial, y: Tensor, value: Tensor) -> bool | None:
    """Moves every second sample and looks at the others; None if there is only one."""
    if len(y) < 2:
        return None
    eps = torch.finfo(value.dtype).eps
    moved = y + 0.1 * slanted(y)
    for first in (0, 1):
        mixed = y.clone()
        mixed[first::2] = moved[first::2]
        change = (trial.value(mixed) - value)[1 - first :: 2].abs()
        own = value[1 - first :: 2].abs()
        if (change > 1e3 * eps * (own + value.abs().mean())).any():
            raise LossCheckError(
                "the value of a sample changes with the outputs of other samples, so that its"
                " curvature is not its own: leave out whatever runs over the batch (a mean,"
                " weights that sum to one, batch normalisation)"
            )
    return True


def _agree(what: str, found: Differences, close: float) -> tuple[float, Tensor]:
    """(largest relative error, (N,) whether at a kink) of derivatives.

    Raises:
        LossCheckError: a derivative is off where differences of either side and size agree.
    """
    off = found.off
    wrong = (off > close) & ~found.kink
    if wrong.any():
        i = int(torch.where(wrong, off, 0.0).argmax())
        j = int((found.claimed - found.central)[i].abs().argmax())
        raise LossCheckError(
            f"the {what} of {int(wrong.sum())} of {len(off)} samples disagrees with finite"
            f" differences: along one direction, sample {i} has {found.claimed[i, j].item():.6g}"
            f" where differences give {found.central[i, j].item():.6g}"
        )
    smooth = off[off <= close]
    return (smooth.max().item() if len(smooth) else 0.0), (off > close) & found.kink


def _agreement(error: float | None) -> str:
    if error is None:
        return "an estimate from samples, not checked"
    return f"agrees with finite differences (off by {error:.1g})"
