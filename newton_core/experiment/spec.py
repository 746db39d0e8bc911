"""What to run: one validated record from which the form, the server and the loop all read."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from newton_core.curvature import (
    Component,
    ComponentOf,
    Definiteness,
    HessianKind,
    LevenbergMarquardt,
    TikhonovRule,
)
from newton_core.data import IMAGES, MAPS, NUMBERS
from newton_core.labels import Labels, numbered
from newton_core.losses import LossParameters
from newton_core.losses.base import LOSSES
from newton_core.models import IMAGE_NETWORKS, MAP_NETWORKS, ModelParameters
from newton_core.registry import AnyOf
from newton_core.settings import Settings, setting
from newton_core.tasks import TASKS, TaskParameters

if TYPE_CHECKING:
    Info = ValidationInfo
    AnyLoss = LossParameters
    AnyTask = TaskParameters
else:  # Any, because FastAPI describes every class that is named here
    Info = Any  # a protocol that no one can check at run time
    AnyLoss = Annotated[Any, AnyOf(lambda: [loss.Parameters for loss in LOSSES.values()])]
    AnyTask = Annotated[Any, AnyOf(lambda: [task.Parameters for task in TASKS.values()])]


Optimizer = Annotated[Literal["adam", "sgd"], Labels(sgd="SGD")]
GradientControl = Annotated[
    Literal["plain", "clip", "normalise"],
    Labels(clip="Clipped per sample", normalise="Normalised per sample"),
]
ArmCurvature = Literal["none", "hessian", "fisher", "ggn"]
"""The curvatures of a Newton step, and the Gauss-Newton step that is not split."""

LabelledCurvature = Annotated[
    ArmCurvature,
    Labels(none="None: vanilla", fisher="Empirical Fisher", ggn="Gauss-Newton on the weights"),
]
LabelledHessian = Annotated[
    HessianKind,
    Labels(batch_mean="Mean over the batch (the paper)", per_sample="Each sample its own"),
]
LabelledDefiniteness = Annotated[
    Definiteness,
    Labels(raw="Raw (the paper)", clip="Clip at zero", saddle_free="Saddle-free"),
]
LabelledComponent = Annotated[
    Component,
    Labels(
        full="Full step",
        length="Length: plain direction, Newton's length",
        direction="Direction: Newton's direction, plain length",
    ),
]
LabelledComponentOf = Annotated[
    ComponentOf, Labels(batch="The whole batch: one factor", sample="Each sample: one factor each")
]
LabelledTikhonovRule = Annotated[
    TikhonovRule,
    Labels(
        fixed="Fixed",
        relative="Relative to the curvature's mean size",
        levenberg_marquardt="Levenberg-Marquardt",
    ),
]

CURVED = ("hessian", "fisher")
"""Curvatures whose Newton step is taken in output space."""

IGNORED = ("hessian", "definiteness")
NEWTON_ONLY = (*IGNORED, "component", "component_of", "tikhonov_rule")
"""Fields that ask for a Newton step in output space; vanilla arms ignore the first two."""

MARQUARDT = {"curvature": CURVED, "tikhonov_rule": ("levenberg_marquardt",)}

ARM_LABELS = {
    "hessian": "Hessian",
    "fisher": "Fisher",
    "ggn": "Gauss-Newton",
    "plain": "Vanilla",
    "clip": "Clipped",
    "normalise": "Normalised",
} | {
    f"{curvature}_{component}{key}": f"{curvature.title()}'s {component}{words}"
    for curvature in CURVED
    for component in ("length", "direction")
    for key, words in (("", ""), ("_sample", ", each sample"))
}
"""Names of arms without one of their own, by :meth:`ArmSpec.kind`."""


class ArmSpec(Settings):
    """One of the compared ways to train; all arms share initial weights and batches."""

    model_config = ConfigDict(defer_build=True)

    label: str = setting(
        "", "Name of the arm on every chart; empty means named after its curvature.",
        title="Label", max_length=40,
    )  # fmt: skip
    curvature: LabelledCurvature = setting(
        "none",
        "Matrix that preconditions the output gradient: none (vanilla), the Hessian of the loss,"
        " or its empirical Fisher; or the Gauss-Newton matrix of network and loss, which"
        " preconditions the gradient of the weights (ggn).",
        title="Curvature",
    )
    tikhonov: float = setting(
        0.1,
        "Strength of the damping added to the curvature matrix's diagonal: small values take a full"
        " Newton step, large ones the plain gradient divided by λ. Adam does not mind the division"
        " until the gradient is as small as its eps, 1e-8: from about 1e5 on it learns less.",
        title="Tikhonov λ", scale="log", ge=1e-12, le=1e9,
        used_if={"curvature": (*CURVED, "ggn")},
    )  # fmt: skip
    tikhonov_rule: LabelledTikhonovRule = setting(
        "fixed",
        "What sets the damping: tikhonov as it is (fixed), tikhonov times the curvature's mean"
        " absolute eigenvalue (relative), or how well the quadratic predicts each step's success,"
        " from tikhonov on (Levenberg-Marquardt).",
        title="Tikhonov rule", used_if={"curvature": CURVED},
    )  # fmt: skip
    lm_grow_below: float = setting(
        0.25, "Actual over predicted decrease of the loss below which the damping grows.",
        title="Grow below", ge=0.0, le=1.0, used_if=MARQUARDT,
    )  # fmt: skip
    lm_shrink_above: float = setting(
        0.75, "Actual over predicted decrease of the loss above which the damping shrinks.",
        title="Shrink above", ge=0.0, le=10.0, used_if=MARQUARDT,
    )  # fmt: skip
    lm_grow: float = setting(
        2.0, "Factor by which the damping grows.",
        title="Growth factor", gt=1.0, le=1e3, used_if=MARQUARDT,
    )  # fmt: skip
    lm_shrink: float = setting(
        0.5, "Factor by which the damping shrinks.",
        title="Shrink factor", gt=0.0, lt=1.0, used_if=MARQUARDT,
    )  # fmt: skip
    lm_floor: float = setting(
        1e-6, "Smallest damping that shrinking leads to.",
        title="Floor", scale="log", ge=1e-12, le=1e9, used_if=MARQUARDT,
    )  # fmt: skip
    hessian: LabelledHessian = setting(
        "batch_mean",
        "Whether the Hessian is averaged over the batch (the paper) or each sample keeps its own.",
        title="Hessian", used_if={"curvature": ("hessian",)},
    )  # fmt: skip
    definiteness: LabelledDefiniteness = setting(
        "raw",
        "What happens to negative eigenvalues of the Hessian: kept (raw, the paper), set to zero"
        " (clip), or replaced by their absolute values (saddle-free).",
        title="Definiteness", used_if={"curvature": ("hessian",)},
    )  # fmt: skip
    component: LabelledComponent = setting(
        "full",
        "A control that keeps one half of the Newton step: its length (the plain gradient at the"
        " Newton step's norm) or its direction (the Newton step at the plain gradient's norm), to"
        " see which of them explains a gain.",
        title="Component", used_if={"curvature": CURVED},
    )  # fmt: skip
    component_of: LabelledComponentOf = setting(
        "batch",
        "Whose norms the component is scaled by: those over the whole batch, or each sample's own.",
        title="Component of",
        used_if={"curvature": CURVED, "component": ("length", "direction")},
    )
    ggn_iterations: int = setting(
        100, "Products with the Gauss-Newton matrix that a step takes at most.",
        title="Iterations", scale="log", ge=1, le=10_000, used_if={"curvature": ("ggn",)},
    )  # fmt: skip
    ggn_tolerance: float = setting(
        1e-6, "Share of the gradient that is left of the residual once a step is done.",
        title="Tolerance", scale="log", ge=1e-12, lt=1.0, used_if={"curvature": ("ggn",)},
    )  # fmt: skip
    optimizer: Optimizer = setting(
        "adam", "Optimizer that moves the network's weights.", title="Optimizer"
    )
    lr: float = setting(
        1e-3, "Learning rate: the size of each step of the optimizer.",
        title="Learning rate", scale="log", ge=1e-8, le=1e3,
    )  # fmt: skip
    momentum: float = setting(
        0.0, "Share of the previous step that SGD carries on; Adam ignores it.",
        title="Momentum", ge=0.0, lt=1.0, used_if={"optimizer": ("sgd",)},
    )  # fmt: skip
    lr_milestones: tuple[Annotated[int, Field(ge=1)], ...] = setting(
        (), "Steps after each of which the learning rate is multiplied by 0.1.",
        title="Learning rate milestones", unit="steps", max_length=20,
    )  # fmt: skip
    gradient: GradientControl = setting(
        "plain",
        "A control without curvature: clip or normalise each sample's output gradient, to see"
        " whether that alone explains a gain.",
        title="Output gradient", used_if={"curvature": ("none",)},
    )  # fmt: skip
    clip_norm: float = setting(
        0.1, "Largest norm that a sample's output gradient keeps when it is clipped.",
        title="Clip norm", scale="log", ge=1e-9, le=1e9,
        used_if={"curvature": ("none",), "gradient": ("clip",)},
    )  # fmt: skip
    loss: AnyLoss | None = setting(
        None,
        "A loss for this arm in place of the run's, e.g. other numerics or another temperature.",
        title="Own loss",
    )

    @field_validator("lr_milestones")
    @classmethod
    def _sort_milestones(cls, milestones: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(milestones)))

    @model_validator(mode="after")
    def _check_controls(self) -> "ArmSpec":
        if self.gradient != "plain" and self.curvature != "none":
            raise ValueError(
                f"gradient '{self.gradient}' is a control without curvature: set curvature to"
                f" 'none' or gradient to 'plain' (curvature is '{self.curvature}')"
            )
        for field in NEWTON_ONLY if self.curvature not in CURVED else ():
            given, default = getattr(self, field), ArmSpec.model_fields[field].default
            if given != default and not (self.curvature == "none" and field in IGNORED):
                raise ValueError(
                    f"{field} '{given}' needs a Newton step in output space: set curvature to"
                    f" 'hessian' or 'fisher', or {field} to '{default}'"
                    f" (curvature is '{self.curvature}')"
                )
        if self.lm_grow_below > self.lm_shrink_above:
            raise ValueError(
                f"lm_grow_below {self.lm_grow_below:g} is above lm_shrink_above"
                f" {self.lm_shrink_above:g}: no damping can both grow and shrink"
            )
        return self

    @property
    def marquardt(self) -> LevenbergMarquardt:
        """How the damping follows the steps' success, under that rule."""
        return LevenbergMarquardt(
            self.lm_grow_below, self.lm_shrink_above, self.lm_grow, self.lm_shrink, self.lm_floor
        )

    @property
    def kind(self) -> str:
        """What kind of arm it is, as a key of ARM_LABELS."""
        if self.curvature == "none":
            return self.gradient
        if self.component == "full":
            return self.curvature
        each = "" if self.component_of == "batch" else "_sample"
        return f"{self.curvature}_{self.component}{each}"

    def default_label(self) -> str:
        """The label of an arm that has none of its own."""
        return ARM_LABELS[self.kind]


DEFAULT_VALIDATION_SHARE = 0.1


class Change(Settings):
    """A change of one arm's setting in the middle of a run; it acts from update step + 1 on."""

    step: int = setting(
        ..., "Update after which the change acts (0: from the start).", unit="steps", ge=0
    )
    arm: int = setting(..., "Index of the arm that changes, from 0.", ge=0, le=5)
    tikhonov: float | None = setting(None, "New Tikhonov strength.", scale="log", ge=1e-12, le=1e9)
    lr: float | None = setting(None, "New learning rate.", scale="log", ge=1e-8, le=1e3)

    @model_validator(mode="after")
    def _changes_something(self) -> "Change":
        if self.tikhonov is None and self.lr is None:
            raise ValueError("a change needs tikhonov, lr or both")
        return self


class ExperimentSpec(Settings):
    """Everything that a run depends on; the same spec gives the same numbers."""

    model_config = ConfigDict(defer_build=True)

    task: AnyTask = setting(..., "What is learned, from which data, by which network.")
    loss: AnyLoss = setting(..., "The loss that is trained and that every arm is measured by.")
    arms: tuple[ArmSpec, ...] = setting(
        ..., "The ways to train that are compared, 1 to 6.", min_length=1, max_length=6
    )
    steps: int = setting(
        1000, "Number of updates of the weights.", title="Steps", unit="steps", scale="log",
        ge=1, le=1_000_000,
    )  # fmt: skip
    batch_size: int = setting(
        50, "Samples in each update's batch.", title="Batch size", unit="samples", scale="log",
        ge=1, le=1000,
    )  # fmt: skip
    seed: int = setting(
        0, "Seeds the initial weights, the batches and the noise.", title="Seed", ge=0, lt=2**31
    )
    device: str = setting(
        "cpu", "Where tensors live: cpu, cuda, cuda:1 or mps.", title="Device",
        pattern=r"^(cpu|mps|cuda(:\d{1,2})?)$",
    )  # fmt: skip
    log_every: int = setting(
        1, "Steps between recorded metrics.", title="Log every", unit="steps", ge=1, le=1_000_000
    )
    evaluate_every: int | None = setting(
        None,
        "Steps between evaluations on the test set, with curvature and examples; empty means"
        " about 60 evaluations a run, at least 25 steps apart.",
        title="Evaluate every", unit="steps", ge=1, le=1_000_000,
    )  # fmt: skip
    landscape_every: int | None = setting(
        None, "Steps between landscapes of the loss; empty means none.", title="Landscape every",
        unit="steps", ge=1, le=1_000_000,
    )  # fmt: skip
    target: float | None = setting(
        None,
        "Stop an arm once its primary metric reaches this share on the validation part; empty means"
        " never.",
        title="Target", gt=0.0, le=1.0,
    )  # fmt: skip
    validation_share: float | None = setting(
        None,
        "Share of the training data kept aside as a validation part, for data that come without"
        " one; empty means 0.1 with a target and 0 without. With 0, a target looks at the test"
        " part.",
        title="Validation share", ge=0.0, le=0.5,
    )  # fmt: skip
    seconds: float | None = setting(
        None, "Stop the run after this time; empty means never.", title="Time limit",
        unit="seconds", gt=0.0, le=1e6,
    )  # fmt: skip
    changes: tuple[Change, ...] = setting(
        (), "Changes of an arm's tikhonov or learning rate in the middle of the run.",
        max_length=200,
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _complete_stored(cls, record: Any, info: Info) -> Any:
        # A record of a version without a validation part: training and stopping stay as they were.
        if info.context == STORED and isinstance(record, dict):
            return {"validation_share": 0.0, **record}
        return record

    @model_validator(mode="after")
    def _check(self, info: Info) -> "ExperimentSpec":
        self._check_losses()
        self._check_changes()
        self._check_gauss_newton()
        if info.context != STORED:
            self._check_labels()
        object.__setattr__(self, "arms", _with_labels(self.arms))
        object.__setattr__(
            self, "changes", tuple(sorted(self.changes, key=lambda c: (c.step, c.arm)))
        )
        if self.evaluate_every is None:
            object.__setattr__(self, "evaluate_every", max(25, -(-self.steps // 60)))
        return self

    @property
    def held_out(self) -> float:
        """The share of the training data that is kept aside, for data without a validation part.

        Where nothing looks at it, it would only cost training data.
        """
        if self.validation_share is not None:
            return self.validation_share
        return 0.0 if self.target is None else DEFAULT_VALIDATION_SHARE

    def _check_losses(self) -> None:
        provided = TASKS.get(self.task.name).target_kinds
        named = [("loss", self.loss)]
        named += [(f"arms.{i}.loss", arm.loss) for i, arm in enumerate(self.arms) if arm.loss]
        for path, loss in named:
            needed = LOSSES.get(loss.name).target_kind
            if needed not in provided:
                fitting = [
                    name for name in LOSSES.names() if LOSSES.get(name).target_kind in provided
                ]
                raise ValueError(
                    f"{path}: {loss.name} does not fit the task {self.task.name};"
                    f" use one of {', '.join(fitting)}"
                )
            if needed != LOSSES.get(self.loss.name).target_kind:
                raise ValueError(
                    f"{path}: {loss.name} needs a target of kind {needed}, which the run's loss"
                    f" {self.loss.name} does not share"
                )

    def _check_labels(self) -> None:
        seen: dict[str, int] = {}
        for i, arm in enumerate(self.arms):
            label = " ".join(arm.label.split())
            if label in seen:
                raise ValueError(
                    f"arms.{i}.label: arm {seen[label]} is called {arm.label!r} too; give each arm"
                    " a label of its own, or none, and it is named after its curvature"
                )
            if label:
                seen[label] = i

    def _check_gauss_newton(self) -> None:
        network = getattr(self.task, "model", None)
        if not (isinstance(network, ModelParameters) and network.couples_samples):
            return
        for i, arm in enumerate(self.arms):
            if arm.curvature == "ggn":
                raise ValueError(
                    f"arms.{i}.curvature: 'ggn' needs outputs that depend on their own sample"
                    f" alone, and the batch norm of the network {network.name} couples samples;"
                    " use another network, or curvature 'hessian' or 'fisher'"
                )

    def _check_changes(self) -> None:
        seen: set[tuple[int, int]] = set()
        for i, change in enumerate(self.changes):
            if change.step >= self.steps:
                raise ValueError(
                    f"changes.{i}.step: {change.step} is not before the last of {self.steps} steps"
                )
            if change.arm >= len(self.arms):
                raise ValueError(
                    f"changes.{i}.arm: there is no arm {change.arm}, the last is"
                    f" {len(self.arms) - 1}"
                )
            if change.tikhonov is not None and self.arms[change.arm].curvature == "none":
                raise ValueError(
                    f"changes.{i}.tikhonov: arm {change.arm} has no curvature, only lr can change"
                )
            if (change.step, change.arm) in seen:
                raise ValueError(
                    f"changes.{i}: arm {change.arm} changes twice at step {change.step};"
                    " merge the two"
                )
            seen.add((change.step, change.arm))


def _with_labels(arms: tuple[ArmSpec, ...]) -> tuple[ArmSpec, ...]:
    """Fills in missing labels, numbered where two would be the same."""
    taken = {arm.label for arm in arms if arm.label}
    labelled = []
    for arm in arms:
        if not arm.label:
            label = numbered(arm.default_label(), taken)
            taken.add(label)
            arm = arm.model_copy(update={"label": label})
        labelled.append(arm)
    return tuple(labelled)


STORED: Final[dict[str, bool]] = {"stored": True}
"""Validation context of records that an earlier version accepted: rules that came since, such as
distinct labels, do not apply to them."""


def stored_spec(text: str | bytes) -> ExperimentSpec:
    """The spec in a JSON text that was stored when it was new, and accepted then.

    Raises:
        pydantic.ValidationError: this version cannot run it.
    """
    return ExperimentSpec.model_validate_json(text, context=STORED)


def on_registration(listener: Callable[[], None]) -> None:
    """Has ``listener`` called when a spec can name something more than before."""
    for registry in (LOSSES, TASKS, IMAGES, NUMBERS, MAPS, IMAGE_NETWORKS, MAP_NETWORKS):
        registry.on_registration(listener)


def _build() -> None:
    """Builds the schemas of a spec and of its records from all that is registered.

    A record comes after those that it holds, because it takes their schemas over.
    """
    for task in TASKS.values():
        task.Parameters.model_rebuild(force=True)
    ArmSpec.model_rebuild(force=True)
    ExperimentSpec.model_rebuild(force=True)


_build()
on_registration(_build)
