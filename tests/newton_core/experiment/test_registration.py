"""What is registered after a spec was first used: specs, events and the JSON schema know it."""

import json
import subprocess
import sys
from typing import Any, Literal

import pytest
from pydantic import ValidationError
from torch import nn

from newton_core import register_dataset, register_network, register_task
from newton_core.data import MAPS, DataParameters, MnistParameters, TerrainParameters
from newton_core.experiment.errors import explain
from newton_core.experiment.spec import ExperimentSpec
from newton_core.models import IMAGE_NETWORKS, ImageModelParameters, ModelParameters
from newton_core.registry import DuplicateNameError
from newton_core.tasks import RankingParameters, SurfaceParameters, SurfaceTask

# In another process: what is registered stays registered.
LATE = """
import json
from typing import Literal

from torch import nn

from newton_core import ExperimentSpec, Loss, LossParameters, run
from newton_core import register_dataset, register_loss, register_network, register_task
from newton_core.data import DigitsParameters
from newton_core.experiment.events import parse_event
from newton_core.models import ImageModelParameters
from newton_core.tasks import RankingParameters, RankingTask

record = {
    "task": {"name": "my_task", "data": {"name": "my_data"}, "model": {"name": "my_network"}},
    "loss": {"name": "my_loss"},
    "arms": [{"loss": {"name": "my_loss"}}],
    "steps": 2,
}
builtin = {**record, "task": {"name": "ranking"}, "loss": {"name": "neuralsort"}, "arms": [{}]}
ExperimentSpec.model_validate(builtin)


@register_loss
class MyLoss(Loss):
    class Parameters(LossParameters):
        name: Literal["my_loss"] = "my_loss"

    target_kind = "permutation"

    def forward(self, y, target=None):
        return y.square().flatten(1).sum(1)


class MyTaskParameters(RankingParameters):
    name: Literal["my_task"] = "my_task"


@register_task
class MyTask(RankingTask):
    Parameters = MyTaskParameters


@register_dataset
class MyData(DigitsParameters):
    name: Literal["my_data"] = "my_data"


@register_network
class MyNetwork(ImageModelParameters):
    name: Literal["my_network"] = "my_network"

    def build(self, height, width, outputs):
        return nn.Sequential(nn.Flatten(), nn.Linear(height * width, outputs))


events = list(run(ExperimentSpec.model_validate(record)))
started = parse_event(events[0].model_dump_json())
own = ["MyTaskParameters", "MyData", "MyNetwork"]
definitions = ExperimentSpec.model_json_schema()["$defs"]
print(json.dumps({
    "last": events[-1].type,
    "same": started == events[0],
    "task": started.model_dump(mode="json")["spec"]["task"],
    "defined": [name for name in own if name in definitions],
}))
"""


def test_all_four_kinds_may_be_registered_after_a_spec_was_used() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LATE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["last"] == "finished"
    assert found["same"]
    assert found["task"]["data"] == {"name": "my_data", "digits": 4}
    assert found["task"]["model"] == {"name": "my_network"}
    assert found["defined"] == ["MyTaskParameters", "MyData", "MyNetwork"]


def test_a_name_is_taken_within_its_kind() -> None:
    class Numbers(MnistParameters):
        """Other numbers."""

    class Maps(TerrainParameters):
        """Other maps."""

    with pytest.raises(DuplicateNameError, match="data set of numbers named 'mnist' is already"):
        register_dataset(Numbers)
    with pytest.raises(DuplicateNameError, match="data set of maps named 'terrain' is already"):
        register_dataset(Maps)
    assert register_dataset(TerrainParameters) is TerrainParameters
    assert MAPS.values().count(TerrainParameters) == 1


def test_what_is_missing_is_named() -> None:
    class Kindless(DataParameters):
        name: Literal["kindless"] = "kindless"

    class Nameless(ImageModelParameters):
        def build(self, height: int, width: int, outputs: int) -> nn.Module:
            return nn.Linear(height * width, outputs)

    class Shapeless(ModelParameters):
        name: Literal["shapeless"] = "shapeless"

        def build(self, height: int, width: int, size: int, /) -> nn.Module:
            return nn.Linear(height * width, size)

    with pytest.raises(TypeError, match="Kindless must be a subclass of ImageDataParameters"):
        register_dataset(Kindless)
    with pytest.raises(TypeError, match="Nameless must declare its name as a constant"):
        register_network(Nameless)
    with pytest.raises(TypeError, match="Shapeless must be a subclass of ImageModelParameters"):
        register_network(Shapeless)
    assert "shapeless" not in IMAGE_NETWORKS


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"Parameters": dict}, "Parameters must be a subclass of TaskParameters"),
        ({"primary_metric": None}, "primary_metric must be the name of a metric"),
        ({"target_kinds": frozenset({"image"})}, "target_kinds must be some of permutation"),
    ],
)
def test_what_a_task_lacks_is_named(attributes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TypeError, match=complaint):
        register_task(type("Incomplete", (SurfaceTask,), attributes))


def test_a_task_says_which_data_it_reads() -> None:
    spec = ExperimentSpec.model_validate(
        {"task": {"name": "ranking"}, "loss": {"name": "neuralsort"}, "arms": [{}]}
    )
    assert list(spec.task.datasets()) == ["data"]
    assert not RankingParameters().datasets()["data"].own_files
    assert SurfaceParameters().datasets() == {}


def test_a_name_that_is_near_is_suggested_in_specs() -> None:
    record = {"task": {"name": "rankin"}, "loss": {"name": "neural_sort"}, "arms": [{}]}
    with pytest.raises(ValidationError) as caught:
        ExperimentSpec.model_validate(record)
    task, loss = map(str, explain(caught.value))
    assert "did you mean 'ranking'?" in task
    assert "did you mean 'neuralsort'?" in loss


# In another process: here the types of all arguments are checked before a function is entered.
MISUSED = """
from newton_core import register_dataset, register_loss, register_network, register_task
from newton_core.algorithms.oracles import register_oracle

for register in (register_loss, register_dataset, register_network, register_task, register_oracle):
    for given in ("mine", 5, int, None):
        try:
            register(given)
        except TypeError as error:
            print(error)
"""


def test_a_decorator_that_gets_no_class_of_its_kind_says_how_it_is_written() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", MISUSED], capture_output=True, text=True, check=True
    )
    said = done.stdout.splitlines()
    assert len(said) == 20
    assert all(" stands alone above a subclass of " in line for line in said)
    assert said[0].startswith("@register_loss ")
    assert said[0].endswith("got 'mine'")
