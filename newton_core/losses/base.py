"""The one extension point for losses: a class with ``forward``; the rest has a default."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from typing_extensions import TypeVar

from newton_core.entry_points import EntryPoints
from newton_core.losses.opacity import (
    InferenceCopies,
    OpaqueLossError,
    check_seen_through,
    outside_inference,
)
from newton_core.registry import Registry, declared_name, example_parameters, require_subclass
from newton_core.settings import Named
from newton_core.tensors import (
    check_floating,
    check_tensor,
    flatten_outputs,
    of_tensors,
    without_autocast,
)

TargetKind = Literal[
    "permutation",
    "assignment",
    "class",
    "value",
    "path",
    "trajectory",
    "picture",
    "drawing",
    "series",
    "none",
]
"""What a loss compares the outputs with; tasks and losses are matched on it."""

LossFunction = Callable[..., Tensor]
"""A callable (y, target) -> (N,): one value per sample, differentiable in y."""

Need = Literal["gradient", "hessian"]
"""The highest derivative of a loss that somebody reads."""


class LossParameters(Named):
    """The parameters of a loss; subclasses fix ``name`` to a ``Literal`` and add their own."""


@dataclass(frozen=True)
class Derivatives:
    """A loss and its derivatives in output space, at one batch.

    Attributes:
        value: (N,) one loss per sample.
        gradient: (N, m) gradient of each sample's loss with respect to its own outputs.
        hessian: (N, m, m) symmetric second derivatives, or None if they were not asked for.
    """

    value: Float[Tensor, " N"]
    gradient: Float[Tensor, "N m"]
    hessian: Float[Tensor, "N m m"] | None = None

    def rows(self, which: slice | Bool[Tensor, " N"]) -> "Derivatives":
        """The derivatives of some of the samples."""
        return Derivatives(
            self.value[which],
            self.gradient[which],
            None if self.hessian is None else self.hessian[which],
        )

    def to(self, dtype: torch.dtype) -> "Derivatives":
        """The same numbers in another dtype."""
        hessian = self.hessian
        return Derivatives(
            self.value.to(dtype),
            self.gradient.to(dtype),
            None if hessian is None else hessian.to(dtype),
        )

    def with_rows(self, which: slice, own: "Derivatives") -> "Derivatives":
        """A copy in which some of the samples have derivatives of their own."""

        def put(whole: Tensor, part: Tensor) -> Tensor:
            changed = whole.clone()
            changed[which] = part
            return changed

        hessian = self.hessian
        if hessian is not None and own.hessian is not None:
            hessian = put(hessian, own.hessian)
        return Derivatives(put(self.value, own.value), put(self.gradient, own.gradient), hessian)


_WITH_OUTPUTS = (
    "forward",
    "derivatives",
    "mean_hessian",
    "mean_derivatives",
    "per_sample_direction",
)
"""The methods that begin with (y, target)."""

P_co = TypeVar("P_co", bound=LossParameters, covariant=True, default=LossParameters)


class Loss(nn.Module, Generic[P_co]):
    """A loss that gives one value per sample.

    A subclass defines ``Parameters`` (defaults, bounds and sentences: the spec, the form and the
    constructor all read them there), ``target_kind`` and ``forward``. ``Loss[MyParameters]`` tells
    type checkers what ``settings`` are; a loss that no spec names may go without both. The other
    methods have defaults: ``derivatives`` is overridden where a closed form or an estimator is
    better than automatic differentiation, ``mean_hessian`` where the batch mean costs less than
    the Hessians of all samples, ``per_sample_direction`` (with ``shares_hessian`` where it serves
    the batch mean too) where a damped system has a solution cheaper than forming its Hessian.

    A loss of your own is found by the lab if the distribution that ships it has a line such as
    ``my_loss = "my_package.my_loss:MyLoss"`` under the entry points ``newton_lab.losses``.
    """

    Parameters: type[P_co]
    settings: P_co
    target_kind: ClassVar[TargetKind]
    further_kinds: ClassVar[tuple[TargetKind, ...]] = ()
    """Targets that it takes beside ``target_kind``, for outputs of another shape."""
    costly_hessian: ClassVar[bool] = False
    """Whether a Hessian costs far more than a gradient: diagnostics then do without it."""
    up_to_constant: ClassVar[bool] = False
    """Whether the value is known up to a constant, so that 0 and ratios say nothing."""
    under_autocast: ClassVar[bool] = True
    """Whether ``torch.autocast`` chooses the dtypes inside, as a network needs it that is a part of
    the loss. The lab's own losses say False: they compute as their outputs' dtype demands."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "under_autocast" not in vars(cls):
            cls.under_autocast = not cls.__module__.startswith("newton_core.")
        for name in _WITH_OUTPUTS:
            own = vars(cls).get(name, getattr(Loss, name))
            if own is not getattr(Loss, name):
                setattr(cls, name, of_tensors(own))

    def __init__(self, **parameters: object) -> None:
        super().__init__()
        if hasattr(self, "Parameters"):
            name = self.Parameters.model_fields["name"].default
            self.settings = self.Parameters.model_validate({"name": name, **parameters})
        elif parameters:
            raise TypeError(
                f"{type(self).__name__} declares no Parameters, so it takes none: write"
                f" {example_parameters(type(self).__name__, 'LossParameters')} inside the class,"
                f" and below its name {', '.join(parameters)} as fields"
            )

    @classmethod
    def kind_of(cls, provided: Collection[TargetKind]) -> TargetKind | None:
        """The first kind of target that it takes of those provided; None if it takes none."""
        return next(
            (kind for kind in (cls.target_kind, *cls.further_kinds) if kind in provided), None
        )

    @property
    def random_source(self) -> torch.Generator | None:
        """Its attribute ``generator``, where its random numbers come from; None: it has none."""
        return generator_in(self)

    @property
    def learns(self) -> bool:
        """Whether it holds something to be learned, beside the outputs that it judges."""
        return any(parameter.requires_grad for parameter in self.parameters())

    def forward(self, y: Tensor, target: Tensor | None = None) -> Tensor:
        """The loss of each sample: y (N, *S) -> (N,)."""
        raise NotImplementedError

    def defined_at(self, y: Tensor) -> Tensor:
        """(N,) whether the loss takes each sample's outputs; elsewhere it raises an error.

        Landscapes leave those places out. True everywhere, unless a loss says otherwise.
        """
        return torch.ones(len(y), dtype=torch.bool, device=y.device)

    def invariant_directions(self, outputs: int) -> Tensor:
        """(k, outputs) directions in output space along which no value ever changes.

        Curvature is zero along them for every y and target, which says nothing of the loss: a
        condition number leaves them out. None (k = 0), unless a loss says otherwise.
        """
        return torch.zeros((0, outputs), dtype=torch.float64)

    def invariant_directions_of(self, kind: TargetKind, outputs: int) -> Tensor:
        """The same for a target of this kind, which may decide the shape of y."""
        return self.invariant_directions(outputs)

    def shortfall(self) -> str | None:
        """In what the latest call fell short of exact numbers, and what helps; None: in nothing.

        For losses that iterate up to a limit. Runs say it as a notice.
        """
        return None

    def why_flat(self) -> str:
        """Why its gradient can be exactly zero, for people whose run then learns nothing."""
        return "the loss is flat at these outputs"

    def derivatives(
        self, y: Tensor, target: Tensor | None = None, *, hessian: bool = True
    ) -> Derivatives:
        """Value, gradient and (if ``hessian``) Hessian per sample, detached; S flattens to m."""
        return autodiff_derivatives(self, y, target, hessian=hessian)

    @property
    def shares_hessian(self) -> bool:
        """Whether all samples have the same Hessian: its batch mean is then each sample's own."""
        return False

    def mean_hessian(self, y: Tensor, target: Tensor | None = None) -> Float[Tensor, "m m"] | None:
        """The batch mean of the Hessians in float64, or None: no way but through all of them.

        An optional short cut for losses that find it without an (N, m, m) tensor. Detached.
        """
        return None

    def mean_derivatives(self, y: Tensor, target: Tensor | None = None) -> Derivatives | None:
        """Value and gradient per sample, and the mean of the Hessians in place of each of them.

        None without a :meth:`mean_hessian`. Overridden where one pass finds both, or where both
        must come from the same random numbers. The (N, m, m) Hessian is a view of one float64
        matrix. Detached.
        """
        mean = self.mean_hessian(y, target)
        if mean is None:
            return None
        plain = self.derivatives(y, target, hessian=False)
        return Derivatives(plain.value, plain.gradient, mean.expand(len(y), *mean.shape))

    def per_sample_direction(
        self, y: Tensor, target: Tensor | None, tikhonov: float
    ) -> Tensor | None:
        """(H_i + tikhonov I)^-1 gradient_i of each sample, (N, m), or None: no short cut.

        An optional short cut for losses whose damped per-sample system can be solved without
        forming the m x m Hessian. Only for positive semidefinite Hessians, where every
        definiteness rule agrees. Detached, and best left in float64: the caller casts.
        """
        return None


def generator_in(loss: object) -> torch.Generator | None:
    """The attribute ``generator`` of a loss, where it is a source of random numbers."""
    source = getattr(loss, "generator", None)
    return source if isinstance(source, torch.Generator) else None


def autodiff_derivatives(
    loss: LossFunction, y: Tensor, target: object = None, *, hessian: bool = True
) -> Derivatives:
    """Derivatives of any loss by automatic differentiation; the Hessian costs m backward passes.

    Works under ``no_grad`` and ``inference_mode`` as elsewhere.

    Args:
        loss: callable (y, target) -> (N,), where value i depends on y[i] alone.
        y: (N, *S) outputs; S is treated as m = prod(S) coordinates.
        target: whatever ``loss`` compares y with.
        hessian: also compute the (N, m, m) second derivatives.

    Raises:
        OpaqueLossError: the Hessian was asked for, and autograd reaches only the gradient.
        TypeError: y is no tensor, or holds whole numbers.
        ValueError: the loss does not give one value per sample, or is not differentiable in y.
    """
    check_tensor("y", y)
    check_floating(y, "outputs")
    with torch.inference_mode(False), torch.enable_grad():
        return _autodiff(loss, y.detach().clone(), outside_inference(target), hessian=hessian)


def _autodiff(loss: LossFunction, y: Tensor, target: object, *, hessian: bool) -> Derivatives:
    """The same where gradients are recorded, at a tensor that nothing else holds."""

    def plain(point: Tensor) -> Derivatives:
        return _autodiff(loss, point.detach().clone(), target, hessian=False)

    def product(point: Tensor, direction: Tensor) -> Tensor:
        at = point.detach().clone().requires_grad_(True)
        slope = _gradient(_called(loss, at, target), at, create_graph=True)
        return _derivative((slope * flatten_outputs(direction)).sum(), at)

    leaf = y.requires_grad_(True)
    value = _called(loss, leaf, target)
    if not isinstance(value, Tensor) or value.is_complex():
        raise ValueError(f"the loss must give real numbers of shape ({len(y)},), got {value!r}")
    if value.shape != y.shape[:1]:
        raise ValueError(
            f"the loss must give one value per sample, shape ({len(y)},), but gave"
            f" {tuple(value.shape)}; with a torch loss, use reduction='none' and sum the rest"
        )
    if not value.requires_grad:
        raise ValueError("the loss is not differentiable in y: its value carries no graph")
    if not hessian:
        gradient = _gradient(value, leaf, create_graph=False)
        return Derivatives(value.detach(), gradient.detach())
    try:
        gradient = _gradient(value, leaf, create_graph=True)
        second = _hessian(gradient, leaf)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        plain(y)  # what fails here too is no matter of second derivatives
        raise OpaqueLossError(f"autograd says {str(error).splitlines()[0]!r}") from error
    gradient = gradient.detach()
    check_seen_through(lambda at: plain(at).gradient, product, y.detach(), value, second)
    return Derivatives(value.detach(), gradient, (second + second.mT) / 2)


def _called(loss: LossFunction, leaf: Tensor, target: Any) -> Any:
    """The loss at y; where it holds tensors of ``inference_mode``, it computes with copies."""
    try:
        return loss(leaf, target)
    except RuntimeError as error:
        if "Inference tensors cannot be saved" not in str(error):
            raise
    with InferenceCopies():
        return loss(leaf, target)


def _gradient(value: Tensor, leaf: Tensor, *, create_graph: bool) -> Tensor:
    """(N, m) derivatives of each sample's value in its own outputs.

    A backward pass keeps the dtypes of its forward pass: autocast has no part in it.
    """
    with without_autocast(leaf):
        (gradient,) = torch.autograd.grad(
            value.sum(), leaf, create_graph=create_graph, allow_unused=True
        )
    if gradient is None:
        raise ValueError("the loss is not differentiable in y: its value does not depend on y")
    return flatten_outputs(gradient)


def _hessian(gradient: Tensor, leaf: Tensor) -> Tensor:
    """Each sample's Hessian, (N, m, m), row by row, detached."""
    with without_autocast(leaf):
        rows = [_derivative(gradient[:, j].sum(), leaf) for j in range(gradient.shape[1])]
        return torch.stack(rows, dim=1).detach()


def _derivative(of: Tensor, leaf: Tensor) -> Tensor:
    """(N, m) derivatives of a number of the gradient; 0 of a loss linear in y, which has none."""
    if not of.requires_grad:
        return torch.zeros_like(flatten_outputs(leaf))
    with without_autocast(leaf):
        (row,) = torch.autograd.grad(
            of, leaf, retain_graph=True, materialize_grads=True, allow_unused=True
        )
    return flatten_outputs(row)


LossClass = TypeVar("LossClass", bound=type[Loss])


def register_loss(cls: LossClass) -> LossClass:
    """Class decorator: enters a loss under the name that its ``Parameters`` declare.

    Raises:
        DuplicateNameError: the name is taken.
        TypeError: the class lacks something that every loss declares; the message says what.
    """
    require_subclass("register_loss", cls, Loss)
    parameters = getattr(cls, "Parameters", None)
    if not (isinstance(parameters, type) and issubclass(parameters, LossParameters)):
        raise TypeError(
            f"{cls.__name__}.Parameters must be a subclass of LossParameters: write"
            f" {example_parameters(cls.__name__, 'LossParameters')} inside the class"
        )
    name = declared_name(parameters)
    kinds = get_args(TargetKind)
    if getattr(cls, "target_kind", None) not in kinds:
        raise TypeError(f"{cls.__name__}.target_kind must be one of {', '.join(kinds)}")
    if cls.forward is Loss.forward:
        raise TypeError(f"{cls.__name__} must define forward(y, target) -> (N,)")
    LOSSES.register(name)(cls)
    return cls


LOSSES: Registry[type[Loss]] = Registry(
    "loss", discover=EntryPoints("newton_lab.losses", Loss, register_loss).load
)


def build_loss(name: str, **parameters: object) -> Loss:
    """The loss called ``name`` with the given parameters (defaults for the rest).

    Raises:
        UnknownNameError: no such loss; the message lists the known ones.
        pydantic.ValidationError: a parameter is unknown or out of its range.
    """
    return LOSSES.get(name)(**parameters)


def list_losses() -> list[str]:
    """The names that :func:`build_loss` knows, entry points included."""
    return LOSSES.names()
