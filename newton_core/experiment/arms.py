"""The ways to train that a run compares, and how one of them changes on the way."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from newton_core.curvature import (
    Component,
    ComponentOf,
    Definiteness,
    HessianKind,
    LevenbergMarquardt,
    TikhonovRule,
)
from newton_core.labels import Labels, numbered
from newton_core.losses import LossParameters
from newton_core.losses.base import LOSSES
from newton_core.registry import AnyOf
from newton_core.settings import Settings, setting

if TYPE_CHECKING:
    AnyLoss = LossParameters
else:  # object, because FastAPI describes every class that is named here
    AnyLoss = Annotated[object, AnyOf(lambda: [loss.Parameters for loss in LOSSES.values()])]


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
        100, "Most products with the Gauss-Newton matrix that one step takes.",
        title="Iterations", scale="log", ge=1, le=10_000, used_if={"curvature": ("ggn",)},
    )  # fmt: skip
    ggn_tolerance: float = setting(
        1e-6, "A step is done once its residual is this share of the gradient.",
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


def with_labels(arms: tuple[ArmSpec, ...]) -> tuple[ArmSpec, ...]:
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
