"""What people read for names: from where each is defined, and never missing."""

from typing import Annotated, Literal

from newton_core.experiment.spec import ExperimentSpec
from newton_core.labels import Labels, in_words, labels_of
from newton_core.losses.base import LOSSES
from newton_core.settings import Settings
from newton_core.tasks import TASKS


class Inner(Settings):
    mode: Annotated[Literal["a_b", "c"], Labels(c="The third")] = "c"


class Outer(Settings):
    parts: tuple[Inner, ...] = ()
    mode: Literal["c", "d"] | None = None


def test_options_have_their_own_label_or_their_name_in_words() -> None:
    assert labels_of(Outer)["mode"] == {"c": "The third", "d": "D", "a_b": "A b"}
    assert in_words("log_domain") == "Log domain"


def test_every_part_that_a_spec_can_name_has_a_label() -> None:
    labels = labels_of(ExperimentSpec)
    assert set(labels["task"]) == set(TASKS.names())
    assert set(labels["loss"]) == set(LOSSES.names())
    assert {"digits", "mnist", "folder", "terrain", "warcraft"} <= set(labels["data"])
    assert {"mlp", "cnn", "tile_cnn", "resnet18_block"} <= set(labels["model"])
    assert labels["loss"]["neuralsort"] == "NeuralSort"
    assert set(labels["curvature"]) == {"none", "hessian", "fisher", "ggn"}
