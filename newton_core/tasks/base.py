"""A task binds data, network, target and metric; the training loop knows nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, get_args

import torch
from pydantic import ConfigDict, with_config
from torch import Tensor, nn
from typing_extensions import TypeVar

from newton_core.data import DataParameters
from newton_core.entry_points import EntryPoints
from newton_core.labels import in_words
from newton_core.losses.base import Loss, LossParameters, TargetKind
from newton_core.metrics import VALIDATION, MetricDescription, on_validation
from newton_core.models import ModelParameters
from newton_core.registry import Registry, declared_name, example_parameters, require_subclass
from newton_core.settings import Named


@dataclass(frozen=True)
class SampleOutputs:
    """How many outputs a sample has, and which parameter decides that.

    Attributes:
        count: of the outputs; 1 where no parameter makes them many.
        parameter: path of the parameter within the task's; empty if there is none.
    """

    count: int = 1
    parameter: tuple[str, ...] = ()


class TaskParameters(Named):
    """The parameters of a task; subclasses fix ``name`` to a ``Literal`` and add their own.

    A field of type ``AnyImages``, ``AnyNumbers``, ``AnyMaps`` or ``AnySeries`` takes every data set
    of that kind, one of type ``AnyModel`` or ``AnyMapModel`` every network.
    """

    # The schema waits until it is needed: other packages may register data sets and networks.
    model_config = ConfigDict(defer_build=True)

    def outputs_per_sample(self) -> SampleOutputs:
        """What limits on the size of curvature matrices are checked against; loads nothing."""
        return SampleOutputs()

    def check_loss(self, loss: LossParameters) -> None:
        """Refuses a loss whose parameters do not go with these, before anything is loaded.

        Raises:
            ValueError: they do not; the message says what would.
        """
        del loss

    def check_data(self) -> None:
        """Refuses the user's own data that cannot be used, as far as a short look tells.

        Raises:
            DatasetError: a file is missing or damaged, or holds too little for the task.
        """
        for data in self.datasets().values():
            data.check_files()

    def datasets(self) -> dict[str, DataParameters]:
        """The data sets that the task reads, by the names of their fields."""
        return {field: value for field, value in self if isinstance(value, DataParameters)}

    def network(self) -> ModelParameters | None:
        """The network that the task trains; None if the spec names none."""
        return next((value for _, value in self if isinstance(value, ModelParameters)), None)


@dataclass(frozen=True)
class Batch:
    """What one update sees: ``model(inputs)`` is y (N, *S), which ``target`` judges."""

    inputs: Tensor
    target: Tensor | None


json_record = with_config(ConfigDict(extra="forbid"))
"""Class decorator for the TypedDict of a task's examples: records with other keys are refused."""


@dataclass(frozen=True)
class Metric:
    """A mean over the test set and its standard error, both as a share in [0, 1] or in units."""

    value: float
    standard_error: float


P_co = TypeVar("P_co", bound=TaskParameters, covariant=True, default=TaskParameters)


class Task(ABC, Generic[P_co]):
    """What is learned. Everything random is a pure function of (seed, purpose, step).

    Attributes:
        metrics: descriptions of what :meth:`evaluate` measures, in its order.
        primary_metric: the metric that ``target`` stops at (on the validation part, where there
            is one) and that tables sort by.
        target_kinds: the loss targets that the task can provide.
        oracle: name of the oracle whose answers the targets are; None: of none.
    """

    Parameters: ClassVar[type[TaskParameters]]
    metrics: ClassVar[tuple[MetricDescription, ...]] = ()
    primary_metric: ClassVar[str]
    target_kinds: ClassVar[frozenset[TargetKind]]
    oracle: ClassVar[str | None] = None

    def __init__(
        self, parameters: P_co, *, target_kind: TargetKind, seed: int, device: torch.device
    ) -> None:
        if target_kind not in self.target_kinds:
            provided = ", ".join(sorted(self.target_kinds))
            raise ValueError(f"expected a target of kind {provided}, got {target_kind!r}")
        self.parameters = parameters
        self.target_kind = target_kind
        self.seed = seed
        self.device = device
        self.prepare()

    def prepare(self) -> None:
        """Loads and makes what the other methods read: called once, when the rest is set."""

    @classmethod
    def describe(cls, metric: str) -> MetricDescription:
        """The description of a metric that :meth:`evaluate` gives; at least what its name says.

        It also knows metrics of the validation part, ``validation_`` and the name.
        """
        if metric.startswith(VALIDATION):
            return on_validation(cls.describe(metric.removeprefix(VALIDATION)))
        known = {description.name: description for description in cls.metrics}
        return known.get(metric) or MetricDescription(
            metric, in_words(metric), "", "", sampled=True
        )

    def hold_out(self, share: float) -> None:
        """Keeps a share of the training data for :meth:`validate`; called before training.

        Data with a validation part of their own use that, and keep nothing. Tasks without data
        have nothing to keep.
        """
        del share

    def validate(self, model: nn.Module) -> dict[str, Metric]:
        """Each metric on the validation part; empty where there is none."""
        del model
        return {}

    def use_loss(self, loss: Loss) -> None:
        """Takes the run's loss before anything is evaluated; the metrics of few tasks need it."""
        del loss

    def warnings(self) -> tuple[str, ...]:
        """What may be wrong with the data though they can be used, each a sentence."""
        return ()

    @abstractmethod
    def build_model(self) -> nn.Module:
        """A network with initial weights fixed by the seed, mapping ``inputs`` to y (N, *S)."""

    @abstractmethod
    def batch(self, step: int, size: int) -> Batch:
        """The batch of update ``step`` (>= 1): the same for every arm and every call."""

    def largest_batch(self) -> int | None:
        """How many samples :meth:`batch` has at most; None: as many as are asked for."""
        return None

    def sample(self, step: int, size: int, index: int) -> dict[str, object]:
        """What there is to see of one sample of a batch, as a JSON-ready record; empty: nothing."""
        del step, size, index
        return {}

    @abstractmethod
    def evaluate(self, model: nn.Module) -> dict[str, Metric]:
        """Each metric on the test set, which is the same for every seed."""

    @abstractmethod
    def examples(self, model: nn.Module, *, images: bool) -> Sequence[Mapping[str, object]]:
        """A few test cases as JSON-ready records, with the network's inputs if ``images``."""


TaskClass = TypeVar("TaskClass", bound=type[Task])


def register_task(cls: TaskClass) -> TaskClass:
    """Class decorator: enters a task under the name that its ``Parameters`` declare.

    Raises:
        DuplicateNameError: the name is taken.
        TypeError: the class lacks something that every task declares; the message says what.
    """
    require_subclass("register_task", cls, Task)
    parameters = getattr(cls, "Parameters", None)
    if not (isinstance(parameters, type) and issubclass(parameters, TaskParameters)):
        raise TypeError(
            f"{cls.__name__}.Parameters must be a subclass of TaskParameters: write"
            f" {example_parameters(cls.__name__, 'TaskParameters')} inside the class"
        )
    name = declared_name(parameters)
    if not isinstance(getattr(cls, "primary_metric", None), str):
        raise TypeError(f"{cls.__name__}.primary_metric must be the name of a metric")
    kinds = get_args(TargetKind)
    if not getattr(cls, "target_kinds", None) or not cls.target_kinds <= set(kinds):
        raise TypeError(f"{cls.__name__}.target_kinds must be some of {', '.join(kinds)}")
    TASKS.register(name)(cls)
    return cls


TASKS: Registry[type[Task]] = Registry(
    "task", discover=EntryPoints("newton_lab.tasks", Task, register_task).load
)
