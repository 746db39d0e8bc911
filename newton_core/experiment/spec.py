"""What to run: one validated record from which the form, the server and the loop all read."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import ConfigDict, ValidationInfo, model_validator

from newton_core.algorithms.oracles import ORACLES, ShortestPathOracle
from newton_core.curvature.gauss_newton import MOST_WEIGHTS
from newton_core.data import IMAGES, MAPS, NUMBERS, SERIES
from newton_core.experiment.arms import AnyLoss, ArmSpec, Change, with_labels
from newton_core.labels import as_seen
from newton_core.losses.base import LOSSES, LossParameters
from newton_core.losses.perturbed_path_loss import PerturbedPathParameters
from newton_core.models import IMAGE_NETWORKS, MAP_NETWORKS
from newton_core.registry import AnyOf
from newton_core.settings import Settings, setting
from newton_core.tasks import TASKS, TaskParameters

if TYPE_CHECKING:
    Info = ValidationInfo
    AnyTask = TaskParameters
else:  # object, because FastAPI describes every class that is named here
    Info = Any  # a protocol that no one can check at run time
    AnyTask = Annotated[object, AnyOf(lambda: [task.Parameters for task in TASKS.values()])]


DEFAULT_VALIDATION_SHARE = 0.1


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
        "cpu", "What computes the run: cpu, cuda, cuda:1 or mps.", title="Device",
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
        "Stop an arm once its primary metric is as good as this on the validation part; empty means"
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
            self._check_weights()
            self._check_parameters()
        object.__setattr__(self, "arms", with_labels(self.arms))
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

    def _losses(self) -> list[tuple[str, LossParameters]]:
        """The run's loss and those of arms, each with the path of its field."""
        own = [(f"arms.{i}.loss", arm.loss) for i, arm in enumerate(self.arms) if arm.loss]
        return [("loss", self.loss), *own]

    def _check_parameters(self) -> None:
        for path, loss in self._losses():
            try:
                self.task.check_loss(loss)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error

    def _check_losses(self) -> None:
        provided = TASKS.get(self.task.name).target_kinds
        for path, loss in self._losses():
            needed = LOSSES.get(loss.name).kind_of(provided)
            if needed is None:
                fitting = [name for name in LOSSES.names() if LOSSES.get(name).kind_of(provided)]
                raise ValueError(
                    f"{path}: {loss.name} does not fit the task {self.task.name};"
                    f" use one of {', '.join(fitting)}"
                )
            if needed != LOSSES.get(self.loss.name).kind_of(provided):
                raise ValueError(
                    f"{path}: {loss.name} needs a target of kind {needed}, which the run's loss"
                    f" {self.loss.name} does not share"
                )
            self._check_oracle(path, loss)

    def _check_oracle(self, path: str, loss: LossParameters) -> None:
        needed = TASKS.get(self.task.name).oracle
        asked = loss.oracle.name if isinstance(loss, PerturbedPathParameters) else None
        if needed is None or asked == needed:
            return
        if asked is None and needed == ShortestPathOracle().name:
            return  # Bellman-Ford finds paths without an oracle
        raise ValueError(
            f"{path}: {loss.name} with {f'the oracle {asked}' if asked else 'no oracle'} does not"
            f" fit the task {self.task.name}, whose targets are answers of the oracle {needed}"
        )

    def _check_labels(self) -> None:
        seen: dict[str, int] = {}
        for i, arm in enumerate(self.arms):
            label = as_seen(arm.label)
            if arm.label and not label:
                raise ValueError(
                    f"arms.{i}.label: {arm.label!r} shows nothing; leave it empty, and the arm is"
                    " named after its curvature"
                )
            if label in seen:
                raise ValueError(
                    f"arms.{i}.label: arm {seen[label]} is called {arm.label!r} too; give each arm"
                    " a label of its own, or none, and it is named after its curvature"
                )
            if label:
                seen[label] = i

    def _check_gauss_newton(self) -> None:
        network = self.task.network()
        if network is None or not network.couples_samples:
            return
        for i, arm in enumerate(self.arms):
            if arm.curvature == "ggn":
                raise ValueError(
                    f"arms.{i}.curvature: 'ggn' needs outputs that depend on their own sample"
                    f" alone, and the batch norm of the network {network.name} couples samples;"
                    " use another network, or curvature 'hessian' or 'fisher'"
                )

    def _check_weights(self) -> None:
        network = self.task.network()
        if network is None or network.least_weights() <= MOST_WEIGHTS:
            return
        for i, arm in enumerate(self.arms):
            if arm.curvature == "ggn":
                raise ValueError(
                    f"arms.{i}.curvature: 'ggn' is for networks of up to {MOST_WEIGHTS:,} weights,"
                    f" and this {network.name} has {network.least_weights():,} or more; use a"
                    " smaller one, or curvature 'hessian' or 'fisher'"
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
    data = (IMAGES, NUMBERS, MAPS, SERIES)
    for registry in (LOSSES, TASKS, *data, IMAGE_NETWORKS, MAP_NETWORKS, ORACLES):
        registry.on_registration(listener)


def _build() -> None:
    """Builds the schemas of a spec and of its records from all that is registered.

    A record comes after those that it holds, because it takes their schemas over.
    """
    for loss in LOSSES.values():
        loss.Parameters.model_rebuild(force=True)
    for task in TASKS.values():
        task.Parameters.model_rebuild(force=True)
    ArmSpec.model_rebuild(force=True)
    ExperimentSpec.model_rebuild(force=True)


_build()
on_registration(_build)
