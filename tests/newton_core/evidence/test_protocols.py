"""Protocols are well-formed, affordable, and say of the paper what the paper says."""

import pytest

from newton_core.evidence.protocols import (
    PROTOCOLS,
    Protocol,
    Published,
    Row,
    ScaleName,
    components,
)
from newton_core.evidence.protocols.runtimes import MINUTES
from newton_core.evidence.reproduction import seconds_of
from newton_core.experiment.spec import ExperimentSpec

PLANS = [
    pytest.param(protocol, scale, id=f"{name}-{scale}")
    for name, protocol in PROTOCOLS.items()
    for scale in protocol.plans
]


@pytest.mark.parametrize(("protocol", "scale"), PLANS)
def test_every_row_can_be_run(protocol: Protocol, scale: ScaleName) -> None:
    plan = protocol.plans[scale]()
    titles = [row.title for row in plan.rows]
    assert len(set(titles)) == len(titles) > 0
    for row in plan.rows:
        if not isinstance(row, Row):
            continue
        specs = [ExperimentSpec.model_validate(spec) for spec in row.specs]
        labels = [arm.label for spec in specs for arm in spec.arms]
        assert len(set(labels)) == len(labels)
        assert specs[0].arms[0].kind == "plain"
        assert set(row.paper) <= set(labels)
        shared = {spec.model_copy(update={"arms": ()}) for spec in specs}
        assert len(shared) == 1, "arms stand side by side only where all else is the same"


def test_every_name_has_a_scale_for_ci_and_one_for_two_cores() -> None:
    for protocol in PROTOCOLS.values():
        assert {"tiny", "small", "paper"} - set(protocol.plans) <= {"paper"}
        small = protocol.plans["small"]()
        assert small.seeds >= 8
        assert seconds_of(small) / 2 / 60 < 60, "90 minutes on two cores, with room to spare"
    assert PROTOCOLS["table1"].plans["mnist"]().seeds == 5


@pytest.mark.parametrize("scale", ["tiny", "small"])
def test_components_takes_every_step_apart(scale: ScaleName) -> None:
    rows = components.PROTOCOL.plans[scale]().rows
    for row in rows:
        specs = [ExperimentSpec.model_validate(spec) for spec in row.specs]
        assert [len(spec.arms) for spec in specs] == [6, 3]
        kinds = {arm.kind for spec in specs for arm in spec.arms}
        parts = {
            f"{c}{part}" for c in ("hessian", "fisher") for part in ("", "_length", "_direction")
        }
        assert kinds == parts | {"plain", "clip", "normalise"}
    losses = {row.specs[0]["loss"]["name"] for row in rows}
    assert losses >= {
        "neuralsort", "softsort", "logistic_dsn", "cauchy_dsn", "bellman_ford", "smoothed_loss",
        "smoothed_algorithm", "perturbed_fy", "cross_entropy", "trajectory", "heat",
    }  # fmt: skip


PAPER = {
    "table1": {
        ("NeuralSort, n = 5", "Vanilla"): (71.33, None),
        ("NeuralSort, n = 5", "Fisher"): (83.93, None),
        ("Cauchy DSN, n = 5", "Vanilla"): (85.09, 0.77),
        ("Cauchy DSN, n = 5", "Hessian"): (85.11, 0.78),
        ("NeuralSort, n = 10", "Vanilla"): (24.26, None),
        ("NeuralSort, n = 10", "Hessian"): (48.76, None),
        ("NeuralSort, n = 10", "Fisher"): (39.23, None),
        ("SoftSort, n = 10", "Vanilla"): (27.46, None),
        ("SoftSort, n = 10", "Hessian"): (55.07, None),
        ("SoftSort, n = 10", "Fisher"): (54.00, None),
        ("Logistic DSN, n = 10", "Vanilla"): (12.31, 10.22),
        ("Logistic DSN, n = 10", "Hessian"): (42.14, 22.30),
        ("Logistic DSN, n = 10", "Fisher"): (25.72, 27.42),
    },
    "table2": {},
    "table3": {
        ("Smoothing of the loss, 3 samples", "Vanilla"): (62.83, None),
        ("Smoothing of the loss, 3 samples", "Fisher"): (58.80, None),
    },
    "table4": {("LeNet-5 with sigmoids, as published, SGD", "Vanilla"): (10.57, None)},
    "figure3": {},
    "figure4": {},
    "components": {},
}
"""All numbers that we have of the paper, in per cent, with their standard deviations."""


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_numbers_are_the_papers(name: str) -> None:
    found = {}
    for row in PROTOCOLS[name].plans["small"]().rows:
        words = row.title.removesuffix(", as the literature computes it")
        for label, number in row.paper.items():
            sd = None if number.sd is None else round(100 * number.sd, 2)
            found[words, label] = (round(100 * number.mean, 2), sd)
    assert found == PAPER[name]


def test_the_papers_runtimes_are_multiples_of_vanillas() -> None:
    assert MINUTES["SoftSort", 5] == {"Vanilla": (1, 1), "Fisher": (1, 2)}
    assert MINUTES["Logistic DSN", 10] == {
        "Vanilla": (1, 43), "Fisher": (1, 44), "Hessian": (6, 17),
    }  # fmt: skip
    rows = {row.title: row for row in PROTOCOLS["runtimes"].plans["small"]().rows}
    times = rows["Logistic DSN, n = 10"].paper
    assert times["Vanilla"] == Published(1.0)
    assert times["Hessian"].mean == pytest.approx(377 / 103)


def test_the_points_of_a_curve_are_tuned_once() -> None:
    from newton_core.evidence.reproduction import tuning_key

    plan = PROTOCOLS["figure3"].plans["small"]()
    assert plan.budget is not None
    assert len({tuning_key(row.specs, plan.budget) for row in plan.rows}) == 1
