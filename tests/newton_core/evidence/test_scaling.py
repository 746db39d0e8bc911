"""What curvature costs as sizes grow: what is measured, in which order, and what is left out."""

import threading
from dataclasses import replace

import pytest
import torch

from newton_core.evidence.computing import CellsStoppedError
from newton_core.evidence.scaling import LIMIT_BYTES, LOSSES, QUICK, Point, Scaling, Sizes
from newton_core.models.mlp import MlpParameters

POINTS = Sizes().points()


def test_one_size_grows_at_a_time() -> None:
    sizes = Sizes()
    for point in POINTS:
        changed = {
            name
            for name, found, middle in zip(
                ("weights", "outputs", "batch"),
                (point.weights, point.outputs, point.batch),
                sizes.middle,
                strict=True,
            )
            if found != middle
        }
        assert changed == ({point.axis} - {"middle"})
    assert len({point.title for point in POINTS}) == len(POINTS)
    for name, ends in (("weights", (10_000, 10_000_000)), ("outputs", (5, 1024)),
                       ("batch", (16, 4096))):  # fmt: skip
        values = [getattr(point, name) for point in POINTS]
        assert (min(values), max(values)) == ends


@pytest.mark.parametrize("point", [p for p in POINTS if p.axis != "batch"], ids=lambda p: p.title)
def test_networks_are_as_large_as_they_say(point: Point) -> None:
    with torch.device("meta"):
        network = MlpParameters(hidden=(point.hidden, point.hidden)).build(8, 8, point.outputs)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(point.weights, rel=0.05)


def test_what_needs_too_much_memory_is_named_and_not_run() -> None:
    sizes = replace(QUICK, weights=(), outputs=(1024,), batches=(), middle=(5_000, 5, 4))
    scaling = Scaling(sizes)
    found = list(scaling.rows())
    left_out = [point for point, row in found if row is None]
    assert left_out == scaling.left_out
    assert all(point.peak_bytes > LIMIT_BYTES for point in left_out)
    assert [point.title for point in left_out] == ["NeuralSort: 1,024 outputs"]
    for point, row in found:
        if row is not None:
            assert row.title == point.title
            assert [arm.label for arm in row.arms] == ["Vanilla", "Hessian", "Fisher"]
            assert row.arms[0].values == [1.0] * sizes.repeats
            assert all(value and value > 0 for arm in row.arms for value in arm.values)
            assert row.specs[0]["outputs"] == point.outputs


def test_it_stops_between_steps() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CellsStoppedError, match="middle"):
        next(Scaling(QUICK, stop=stop).rows())


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.title)
def test_memory_grows_with_the_hessian(loss: object) -> None:
    own = [point for point in POINTS if point.loss is loss and point.axis in ("middle", "outputs")]
    needs = {point.outputs: point.peak_bytes for point in own}
    assert needs[1024] > 200 * (needs[32] - needs[5])
