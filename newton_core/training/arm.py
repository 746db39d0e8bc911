"""One arm of a run: its network, optimizer, loss and one update at a time."""

import copy
import functools
import math
import time
from collections import deque
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from newton_core.conditions import Expectations, at_once, finite, number
from newton_core.curvature import CurvatureError, NewtonStep, step_component, step_sizes
from newton_core.curvature.damping import damped, decrease_ratio, predicted_decrease
from newton_core.curvature.gauss_newton import gauss_newton_step
from newton_core.curvature.systems import all_finite
from newton_core.experiment.arms import ArmSpec, Change
from newton_core.experiment.spec import ExperimentSpec
from newton_core.losses import Loss, OpaqueLossError, build_loss
from newton_core.losses.base import Derivatives, LossParameters, Need
from newton_core.losses.plain import derivatives_of
from newton_core.metrics import METRIC_NAMES
from newton_core.seeding import derive_seed
from newton_core.tasks import Batch
from newton_core.tasks.evaluation import inference
from newton_core.tensors import flatten_outputs
from newton_core.training.landscapes.trajectory import Trajectory
from newton_core.training.optimizers import EagerAdam, EagerSgd
from newton_core.training.snapshots import ArmSnapshot, ArmStatus
from newton_core.training.spikes import SPIKE_WINDOW, spike


class DivergedError(ArithmeticError):
    """The arm met NaN or infinity before it could apply an update."""


@dataclass(frozen=True)
class Observation:
    """What one update saw.

    Attributes:
        metrics: in the order of METRIC_NAMES; None where they were not asked for.
        spike: (largest per-sample gradient norm, its running median), if it was one.
    """

    metrics: tuple[float, ...] | None
    spike: tuple[float, float] | None = None


@dataclass(frozen=True)
class _Prepared:
    """What an update is about to do.

    Attributes:
        gradient: (N, m) of the loss in the outputs.
        direction: (N, m) the step in place of it.
        sent: (N, m) what of that is sent back.
        tikhonov: the damping of this step.
    """

    gradient: Tensor
    direction: Tensor
    sent: Tensor
    tikhonov: float


def build_spec_loss(parameters: LossParameters) -> Loss:
    """The loss that a spec's parameters describe, its noise the same in every process."""
    loss = build_loss(**parameters.model_dump())
    if loss.random_source is not None:  # updates seed it anew; pictures between them keep this one
        loss.random_source.manual_seed(0)
    return loss


class Arm:
    """A network in training under one :class:`ArmSpec`.

    All arms of a run start from a copy of the same network and see the same batches.
    """

    def __init__(self, spec: ExperimentSpec, index: int, model: nn.Module) -> None:
        self.spec = spec
        self.index = index
        self.settings: ArmSpec = spec.arms[index]
        self.model = model
        self.device = torch.device(spec.device)
        self.run_loss = build_spec_loss(spec.loss)
        self.own_loss = build_spec_loss(self.settings.loss) if self.settings.loss else None
        curvature = self.settings.curvature
        self.unsplit = curvature == "ggn"
        """Whether the step is taken on the weights, with the plain gradient sent back to them."""
        if self.unsplit and any(isinstance(m, _BatchNorm) for m in model.modules()):
            raise ValueError(
                f"arms.{index}.curvature: 'ggn' needs outputs that depend on their own sample"
                " alone, and the network's batch norm couples samples"
            )
        self.newton_step = NewtonStep(
            curvature="none" if curvature == "ggn" else curvature,
            tikhonov=self.settings.tikhonov,
            hessian=self.settings.hessian,
            definiteness=self.settings.definiteness,
        )
        self._expectations = Expectations()
        self._parameters = list(model.parameters())
        self.optimizer = self._build_optimizer()
        self.status: ArmStatus = "running"
        self.step = 0
        self.seconds = 0.0
        self.last_evaluation: dict[str, float | None] = {}
        self.trajectory = Trajectory()
        self.recent_norms: deque[float] = deque(maxlen=SPIKE_WINDOW)
        """The largest per-sample gradient norms of the last steps."""

    def _build_optimizer(self) -> torch.optim.Optimizer:
        parameters = self._parameters
        if self.settings.optimizer == "adam":
            # one fused kernel for all parameters: on small networks the loop over them dominates
            return EagerAdam(parameters, lr=self.settings.lr, fused=True)
        return EagerSgd(
            parameters, lr=self.settings.lr, momentum=self.settings.momentum, fused=True
        )

    @property
    def loss(self) -> Loss:
        """The loss that this arm trains: its own, or the run's."""
        return self.own_loss or self.run_loss

    @property
    def need(self) -> Need:
        """The derivatives that its step reads."""
        return "hessian" if self.unsplit else self.newton_step.need

    @property
    def lr(self) -> float:
        """The optimizer's current learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    @lr.setter
    def lr(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def change(self, change: Change) -> None:
        """Applies a change that takes effect in the middle of the run."""
        if change.tikhonov is not None:
            self.newton_step = replace(self.newton_step, tikhonov=change.tikhonov)
        if change.lr is not None:
            self.lr = change.lr

    def reseed(self, step: int) -> None:
        """Noise as a pure function of (seed, step): the same for every arm and after resuming."""
        for loss in (self.run_loss, self.own_loss):
            source = None if loss is None else loss.random_source
            if source is not None:
                source.manual_seed(derive_seed(self.spec.seed, "noise", step))

    def derivatives(self, batch: Batch, step: int, *, hessian: bool) -> Derivatives:
        """Derivatives of the arm's own loss at its outputs for ``batch``, without an update.

        NaN throughout where the outputs are not finite: some losses refuse such outputs. Without
        a Hessian where the loss has none and the arm needs none.
        """
        self.reseed(step)
        with inference(self.model):
            outputs = self.model(batch.inputs)
        if not all_finite(outputs):
            unknown = torch.full_like(flatten_outputs(outputs), torch.nan)
            return Derivatives(unknown[:, 0], unknown)
        try:
            return self.loss.derivatives(outputs, batch.target, hessian=hessian)
        except OpaqueLossError:
            if self.newton_step.need == "hessian":
                raise
            return self.loss.derivatives(outputs, batch.target, hessian=False)

    def update(self, batch: Batch, step: int, *, observe: bool) -> Observation:
        """Update ``step``: one Newton or plain step on ``batch``.

        Raises:
            DivergedError: the loss or a gradient is not finite, or the curvature system has no
                finite solution; the update is not applied.
        """
        began = time.perf_counter()
        outputs = self.model(batch.inputs)
        y, device = outputs.detach(), outputs.device
        # the unsplit step looks at numbers all the way
        again = device.type != "cpu" and not self.unsplit
        work = functools.partial(self._prepare, outputs, batch, step, again=again)
        prepared, numbers = self._expectations.meet(work, device) if again else at_once(work)
        mean, largest, gradient_norm = numbers
        unusual = spike(largest, self.recent_norms)
        if self.settings.tikhonov_rule == "levenberg_marquardt":
            self._judge_step(y, batch.target, prepared, step)
        self.optimizer.step()
        self.step = step
        if step in self.settings.lr_milestones:
            self.lr *= 0.1
        self.seconds += time.perf_counter() - began
        if not observe:
            return Observation(None, unusual)
        direction = prepared.sent
        if self.unsplit:  # its step is taken on the weights: there is none in output space
            direction = torch.full_like(direction, torch.nan)
        has_tikhonov = self.settings.curvature != "none"
        sizes = step_sizes(prepared.gradient, direction)
        metrics = (
            mean if self.own_loss is None else self._run_value(y, batch.target, step),
            mean,
            sizes.squares / 2 if has_tikhonov else math.nan,
            sizes.usual,
            largest,
            sizes.length,
            gradient_norm,
            sizes.cosine,
            sizes.degrees,
            prepared.tikhonov if has_tikhonov else math.nan,
            self.seconds,
        )
        assert len(metrics) == len(METRIC_NAMES)
        return Observation(metrics, unusual)

    def _prepare(
        self, outputs: Tensor, batch: Batch, step: int, *, again: bool
    ) -> tuple[_Prepared, tuple[float | Tensor, ...]]:
        """Puts the gradient of the weights in its place, for the optimizer to take.

        Also gives the mean loss, the largest gradient norm of a sample, and the norm of the
        gradient of the weights.

        Args:
            again: whether it may be called once more, with other answers to its questions.

        Raises:
            DivergedError: see :meth:`update`.
        """
        self.reseed(step)
        y, newton = outputs.detach(), self.newton_step
        if not all_finite(y):  # some losses refuse such outputs
            raise DivergedError("the network's outputs are not finite")
        if again:  # that they are finite is not known yet, and a GPU's kernel may end the process
            y = torch.nan_to_num(y, 0.0, 0.0, 0.0)
        try:
            # the size of the curvature, which a relative damping needs, is not known beforehand
            relative = self.settings.tikhonov_rule == "relative"
            short_cut = None if relative else newton.short_cut(self.loss, y, batch.target)
            if short_cut is None and not self.unsplit:
                derivatives = newton.derivatives_at(self.loss, y, batch.target)
            else:
                need = self.need if self.unsplit else "gradient"
                derivatives = derivatives_of(self.loss, y, batch.target, need)
            gradient = derivatives.gradient
            norms = torch.linalg.vector_norm(gradient, dim=1)
            mean, largest = number(derivatives.value.mean()), number(norms.max())
            if not finite(mean):
                raise DivergedError("the loss is not finite")
            if not finite(largest):
                raise DivergedError("a sample's output gradient is not finite")
            newton = damped(newton, derivatives, self.settings.tikhonov_rule)
            direction = short_cut
            if direction is None:
                direction = self._direction(newton, derivatives, norms)
            sent = direction
            if self.settings.component != "full":
                sent = step_component(
                    gradient, direction, self.settings.component, self.settings.component_of
                )
        except CurvatureError as error:
            raise DivergedError(str(error)) from error
        for parameter in self._parameters:  # optimizer.zero_grad() takes ten times as long
            parameter.grad = None
        # As outputs.backward(direction / N), which imports seconds of torch's tracer.
        torch.autograd.backward(
            outputs.flatten().dot((sent / len(gradient)).flatten()), retain_graph=again
        )
        if self.unsplit:
            self._take_gauss_newton(batch, derivatives)
        gradient_norm = number(self._parameter_gradient_norm())
        if not finite(gradient_norm):
            raise DivergedError("the gradient of the weights is not finite")
        return (
            _Prepared(gradient, direction, sent, newton.tikhonov),
            (mean, largest, gradient_norm),
        )

    def _judge_step(self, y: Tensor, target: Tensor | None, prepared: _Prepared, step: int) -> None:
        """Sets the damping of the next step by what the loss makes of this one's z*.

        The full Newton step is judged also where only a component of it is sent back.
        """
        newton, loss = self.newton_step, self.loss
        gradient, direction = prepared.gradient, prepared.direction
        z = y - direction.view_as(y)
        ratio = math.nan
        if bool(loss.defined_at(z).all()):
            values = []
            for place in (y, z):
                self.reseed(step)
                with torch.no_grad():
                    values.append(loss(place, target))
            predicted = predicted_decrease(gradient, direction, newton.tikhonov)
            ratio = decrease_ratio(values[0], values[1], predicted)
        following = self.settings.marquardt.following(newton.tikhonov, ratio)
        self.newton_step = replace(newton, tikhonov=following)

    def _direction(self, newton: NewtonStep, derivatives: Derivatives, norms: Tensor) -> Tensor:
        """What is sent back in place of the output gradient: (N, m)."""
        settings = self.settings
        if settings.gradient == "clip":
            return derivatives.gradient * (settings.clip_norm / norms).clamp(max=1.0)[:, None]
        if settings.gradient == "normalise":
            # a vanished gradient has no direction: it stays zero
            return derivatives.gradient / torch.where(norms > 0, norms, 1.0)[:, None]
        return newton.direction(derivatives)

    def _take_gauss_newton(self, batch: Batch, derivatives: Derivatives) -> None:
        """Puts the Gauss-Newton step in the place of the weights' gradient.

        Raises:
            DivergedError: it is not finite.
        """
        weights = {name: p.detach() for name, p in self.model.named_parameters()}
        gradient = {
            name: torch.zeros_like(p) if p.grad is None else p.grad
            for name, p in self.model.named_parameters()
        }
        assert derivatives.hessian is not None
        try:
            step = gauss_newton_step(
                lambda parts: torch.func.functional_call(self.model, parts, (batch.inputs,)),
                weights,
                gradient,
                derivatives.hessian,
                self.newton_step.tikhonov,
                iterations=self.settings.ggn_iterations,
                tolerance=self.settings.ggn_tolerance,
            )
        except CurvatureError as error:
            raise DivergedError(str(error)) from error
        for name, parameter in self.model.named_parameters():
            parameter.grad = step[name]

    def _parameter_gradient_norm(self) -> Tensor:
        """Norm over all parameters of the gradient that the optimizer is about to use."""
        norms = torch._foreach_norm([p.grad for p in self._parameters if p.grad is not None])
        norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
        return norm

    def _run_value(self, outputs: Tensor, target: Tensor | None, step: int) -> float:
        """The run's own loss at these outputs, of an arm that trains another."""
        self.reseed(step)
        with torch.no_grad():
            return float(self.run_loss(outputs, target).mean())

    def state(self) -> ArmSnapshot:
        """All that :meth:`restore` needs to go on bit for bit."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "tikhonov": self.newton_step.tikhonov,
            "status": self.status,
            "step": self.step,
            "seconds": self.seconds,
            "last_evaluation": self.last_evaluation,
            "track": self.trajectory.state(),
            "recent_norms": list(self.recent_norms),
        }

    def restore(self, state: ArmSnapshot) -> None:
        """Goes back to a state that :meth:`state` gave."""
        self.model.load_state_dict(state["model"])
        # it takes the tensors themselves, which training would then change in the given state
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self.newton_step = replace(self.newton_step, tikhonov=state["tikhonov"])
        self.status = state["status"]
        self.step = state["step"]
        self.seconds = state["seconds"]
        self.last_evaluation = dict(state["last_evaluation"])
        self.trajectory = Trajectory(state["track"])
        self.recent_norms = deque(state["recent_norms"], maxlen=SPIKE_WINDOW)
