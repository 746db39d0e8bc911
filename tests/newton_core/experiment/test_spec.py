import json
from typing import Any

import pytest
from pydantic import ValidationError

from newton_core.experiment.errors import explain
from newton_core.experiment.events import parse_event
from newton_core.experiment.spec import ExperimentSpec, stored_spec
from newton_core.training.run import run
from tests.newton_core.training.specs import small_record, small_spec


def problems(**fields: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        small_spec(**fields)
    return [str(problem) for problem in explain(caught.value)]


def test_defaults_are_filled_in_and_survive_a_round_trip() -> None:
    spec = small_spec()
    assert spec.seed == 0
    assert spec.loss.numerics == "log_domain"
    assert [arm.label for arm in spec.arms] == ["Vanilla", "Hessian", "Fisher"]
    again = ExperimentSpec.model_validate_json(spec.model_dump_json())
    assert again == spec


def test_equal_labels_by_default_are_numbered() -> None:
    spec = small_spec(arms=[{}, {}, {"label": "Vanilla 3"}, {}, {"gradient": "clip"}])
    assert [arm.label for arm in spec.arms] == [
        "Vanilla", "Vanilla 2", "Vanilla 3", "Vanilla 4", "Clipped",
    ]  # fmt: skip


TWINS = [{"label": "A"}, {"label": "B"}, {"label": "B", "curvature": "fisher"}]


def stored_record(**fields: Any) -> dict[str, Any]:
    """A spec with two arms of one label, as an earlier version stored it."""
    record = small_spec(arms=[{**arm, "label": "ABC"[i]} for i, arm in enumerate(TWINS)], **fields)
    stored = record.model_dump(mode="json")
    for arm, twin in zip(stored["arms"], TWINS, strict=True):
        arm["label"] = twin["label"]
    return stored


@pytest.mark.parametrize("label", ["B", " B "])
def test_equal_labels_of_a_new_spec_are_refused(label: str) -> None:
    (found,) = problems(arms=[TWINS[0], TWINS[1], {**TWINS[2], "label": label}])
    assert found.startswith(f"arms.2.label: arm 1 is called {label!r} too; give each arm a label")


def test_labels_that_look_the_same_are_refused() -> None:
    for one, other in (
        ("caf\u00e9", "cafe\u0301"),
        ("Fisher", "Fisher\u200b"),  # a zero-width space
        ("Fisher", "\ufeffFisher"),  # a byte-order mark
        ("Fisher", "\u202dFisher"),
        ("A B", " A\u00a0 B"),
    ):
        (found,) = problems(arms=[{"label": one}, {"label": other}])
        assert found.startswith("arms.1.label: arm 0 is called")


@pytest.mark.parametrize("label", [" ", "\u200b", "\u00a0\t", "\u2066\u2069"])
def test_labels_that_show_nothing_are_refused(label: str) -> None:
    (found,) = problems(arms=[{"label": label}])
    assert found.startswith(f"arms.0.label: {label!r} shows nothing; leave it empty, and the arm")


def test_equal_labels_that_were_stored_stay_and_train() -> None:
    stored = stored_spec(json.dumps(stored_record(steps=2)))
    assert [arm.label for arm in stored.arms] == ["A", "B", "B"]
    events = list(run(stored))
    assert [arm.label for arm in events[-1].summary.arms] == ["A", "B", "B"]
    assert parse_event(events[0].model_dump_json()) == events[0]
    assert parse_event(events[0].model_dump(mode="json")) == events[0]


def test_the_name_of_a_component_says_it() -> None:
    arms = [
        {"curvature": "hessian", "component": "length"},
        {"curvature": "fisher", "component": "direction", "component_of": "sample"},
        {"curvature": "fisher", "component_of": "sample"},
    ]
    assert [arm.label for arm in small_spec(arms=arms).arms] == [
        "Hessian's length", "Fisher's direction, each sample", "Fisher",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "expected"), [(100, 25), (1500, 25), (6000, 100), (6001, 101), (1, 25)]
)
def test_evaluations_are_about_sixty_and_never_closer_than_25_steps(steps, expected):
    assert small_spec(steps=steps, evaluate_every=None).evaluate_every == expected


def test_changes_and_milestones_are_sorted() -> None:
    changes = [{"step": 9, "arm": 1, "lr": 0.1}, {"step": 3, "arm": 2, "tikhonov": 1.0}]
    spec = small_spec(
        changes=changes, arms=[{"lr_milestones": [9, 3, 9]}, *[{"curvature": "fisher"}] * 2]
    )
    assert [change.step for change in spec.changes] == [3, 9]
    assert spec.arms[0].lr_milestones == (3, 9)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, "steps: Input should be greater than or equal to 1 (given: 0)"
                       "; allowed: at least 1 and at most 1000000"),
        ({"arms": []}, "arms: Tuple should have at least 1 item"),
        ({"arms": [{"curvature": "gauss"}]}, "arms.0.curvature: Input should be 'none'"),
        ({"arms": [{"lr": -1.0}]}, "arms.0.lr: Input should be greater than or equal to"),
        ({"arms": [{"curvature": "fisher", "gradient": "clip"}]},
         "arms.0: gradient 'clip' is a control without curvature"),
        ({"arms": [{"component": "length"}]},
         "arms.0: component 'length' needs a Newton step in output space: set curvature to"
         " 'hessian' or 'fisher',"
         " or component to 'full' (curvature is 'none')"),
        ({"arms": [{"component_of": "sample"}]},
         "arms.0: component_of 'sample' needs a Newton step"),
        ({"arms": [{"tikhonov_rule": "relative"}]},
         "arms.0: tikhonov_rule 'relative' needs a Newton step"),
        ({"arms": [{"curvature": "ggn", "hessian": "per_sample"}]},
         "arms.0: hessian 'per_sample' needs a Newton step in output space"),
        ({"arms": [{"curvature": "ggn", "definiteness": "clip"}]},
         "arms.0: definiteness 'clip' needs a Newton step in output space"),
        ({"arms": [{"curvature": "ggn", "component": "length"}]},
         "arms.0: component 'length' needs a Newton step in output space"),
        ({"arms": [{"curvature": "ggn", "gradient": "clip"}]},
         "arms.0: gradient 'clip' is a control without curvature"),
        ({"task": {"name": "shortest_path", "model": {"name": "resnet18_block"}},
          "loss": {"name": "perturbed_fy"}, "arms": [{}, {"curvature": "ggn"}]},
         "arms.1.curvature: 'ggn' needs outputs that depend on their own sample alone"),
        ({"task": {"name": "ranking", "model": {"name": "mlp", "hidden": [4096, 4096]}},
          "arms": [{}, {"curvature": "ggn"}]},
         "arms.1.curvature: 'ggn' is for networks of up to 2,000,000 weights, and this mlp has"
         " 16,793,601 or more; use a smaller one, or curvature 'hessian' or 'fisher'"),
        ({"arms": [{"lm_grow_below": 0.9}]},
         "arms.0: lm_grow_below 0.9 is above lm_shrink_above 0.75"),
        ({"loss": {"name": "neuralsort", "temperature": -1}},
         "loss.temperature: Input should be greater than"),
        ({"loss": {"name": "bogosort"}}, "loss: Input tag 'bogosort'"),
        ({"loss": {"name": "cross_entropy"}}, "loss: cross_entropy does not fit the task"),
        ({"arms": [{"loss": {"name": "cross_entropy"}}]}, "arms.0.loss: cross_entropy does"),
        ({"changes": [{"step": 24, "arm": 0, "lr": 1.0}]}, "changes.0.step: 24 is not before"),
        ({"changes": [{"step": 1, "arm": 5, "lr": 1.0}]}, "changes.0.arm: there is no arm 5"),
        ({"changes": [{"step": 1, "arm": 0, "tikhonov": 1.0}]}, "changes.0.tikhonov: arm 0 has no"),
        ({"changes": [{"step": 1, "arm": 1}]}, "changes.0: a change needs"),
        ({"changes": [{"step": 1, "arm": 1, "lr": 1.0}, {"step": 1, "arm": 1, "tikhonov": 1.0}]},
         "changes.1: arm 1 changes twice"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"device": "tpu"}, "device: String should match pattern"),
        ({"seed": float("nan")}, "seed: "),
    ],
)  # fmt: skip
def test_a_bad_spec_names_path_value_and_range(fields, message):
    assert any(problem.startswith(message) for problem in problems(**fields)), problems(**fields)


def test_a_missing_field_is_named() -> None:
    record = small_record()
    del record["loss"]
    with pytest.raises(ValidationError) as caught:
        ExperimentSpec.model_validate(record)
    (problem,) = explain(caught.value)
    assert str(problem).startswith("loss: Field required; allowed: ")
    assert "neuralsort" in str(problem)


def test_every_field_of_the_schema_is_described() -> None:
    schema = ExperimentSpec.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    undescribed = [
        f"{model.get('title')}.{name}"
        for model in models
        for name, field in model.get("properties", {}).items()
        if not field.get("description") and name != "name"
    ]
    assert undescribed == []
