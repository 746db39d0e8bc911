"""Grids: every combination of values, and one sentence for what is none."""

import pytest

from newton_core.evidence import Axis, GridError, expand
from newton_core.evidence.grid import with_settings
from tests.newton_core.evidence.test_cells import SPEC


def test_the_last_axis_moves_fastest() -> None:
    axes = [Axis.parse("arms.1.tikhonov=0.1, 10"), Axis.parse("loss.name=neuralsort,softsort")]
    cells = expand(SPEC, axes)
    assert [cell.index for cell in cells] == [0, 1, 2, 3]
    assert [(c.spec.arms[1].tikhonov, c.spec.loss.name) for c in cells] == [
        (0.1, "neuralsort"),
        (0.1, "softsort"),
        (10.0, "neuralsort"),
        (10.0, "softsort"),
    ]
    assert cells[3].settings == {"arms.1.tikhonov": 10, "loss.name": "softsort"}


def test_every_named_or_numeric_field_is_reached() -> None:
    found = with_settings(SPEC, {"task.n": 5, "task.model.name": "cnn", "steps": 20})
    assert (found.task.n, found.task.model.name, found.steps) == (5, "cnn", 20)


def test_the_order_of_the_axes_changes_no_combination() -> None:
    temperature = Axis("loss.temperature", (0.5, 2))
    name = Axis("loss.name", ("neuralsort", "softsort"))
    cells = expand(SPEC, [temperature, name])
    losses = [(cell.spec.loss.temperature, cell.spec.loss.name) for cell in cells]
    assert losses == [(0.5, "neuralsort"), (0.5, "softsort"), (2, "neuralsort"), (2, "softsort")]


def test_an_arm_without_a_name_of_its_own_is_named_after_what_it_becomes() -> None:
    axes = [Axis("arms.1.curvature", ("hessian", "ggn")), Axis("arms.0.gradient", ("clip",))]
    labels = [[arm.label for arm in cell.spec.arms] for cell in expand(SPEC, axes)]
    assert labels == [["Clipped", "Hessian"], ["Clipped", "Gauss-Newton"]]
    (named,) = expand(SPEC, [Axis("arms.1.label", ("Mine",))])
    (kept,) = expand(named.spec, [Axis("arms.1.curvature", ("hessian",))])
    assert [arm.label for arm in kept.spec.arms] == ["Vanilla", "Mine"]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["arms.1.tikhonov"], "a grid reads like"),
        (["=1,2"], "a grid reads like"),
        (["arms.1.tikhonov=1,,2"], "empty value"),
        (["arms.1.tikhonov=1,1"], "twice"),
        (["arms.1.tikonov=1"], "did you mean 'tikhonov'"),
        (["arms.7.lr=1"], "indices 0 to 1"),
        (["arms.1.lr_milestones.0=3"], "arms.1.lr_milestones is empty"),
        (["steps.x=1"], "nothing that has parts"),
        (["arms.1.lr=-1"], r"arms\.1\.lr"),
        (["loss.name=nothing"], "loss"),
        (["arms.1.lr=1", "arms.1.lr=2"], "two axes"),
        (["seed=1,2"], "seed is no axis"),
        (["arms.1.lr=1,1.0"], "a value twice"),
        (["arms.1.lr=0.1,NaN"], r"arms\.1\.lr"),
        (["arms.1.lr=1e999"], r"arms\.1\.lr"),
        (["batch_size=" + ",".join(map(str, range(1, 200))),
          "steps=" + ",".join(map(str, range(10, 200)))], "too many"),
        ([], "needs an axis"),
    ],
)  # fmt: skip
def test_what_is_no_grid_is_said_in_a_sentence(texts: list[str], words: str) -> None:
    with pytest.raises(GridError, match=words) as caught:
        expand(SPEC, [Axis.parse(text) for text in texts])
    assert "\n" not in str(caught.value)
