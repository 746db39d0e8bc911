"""Landscapes of a run at any step, from its snapshots."""

import itertools
from pathlib import Path
from typing import Literal

import pytest
import torch

from newton_core import ExperimentSpec, run
from newton_core.byte_cache import ByteCache
from newton_core.landscape import PlaneError
from newton_core.landscape.grid import GridValues
from newton_core.landscape.planes import principal_plane, project
from newton_core.training.landscapes import weights
from newton_core.training.landscapes.history import RunHistory
from newton_core.training.landscapes.weights import (
    LandscapeSettings,
    line_between_arms,
    run_landscapes,
)
from newton_core.training.snapshots import SnapshotError
from tests.newton_core.training.specs import small_spec

FIXED = ("trajectory", "principal")
"""Planes that are the same at every step."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> RunHistory:
    folder = tmp_path_factory.mktemp("snapshots")
    spec = small_spec(steps=40)
    for _ in run(spec, snapshots=folder):
        pass
    return RunHistory(spec, folder)


def directly(history: RunHistory, arm: int, step: int, samples: int = 30) -> float:
    outputs, target = history.outputs(arm, step, samples)
    return history.loss(outputs, target).mean().item()


def test_the_nearest_snapshot_answers_and_says_which(history: RunHistory) -> None:
    assert history.steps == list(range(0, 41, 2))
    assert history.nearest(13) == 12, "the earlier of two"
    assert history.nearest(10_000) == 40
    assert run_landscapes(history, LandscapeSettings(step=25, samples=5, points=21)).step == 24


def test_filter_normalised_landscapes_are_centred_at_each_arm(history: RunHistory) -> None:
    found = run_landscapes(history, LandscapeSettings(step=20, samples=30, points=21))
    assert [one.arms for one in found.landscapes] == [(0,), (1,), (2,)]
    for arm, one in enumerate(found.landscapes):
        assert one.function.centre() == directly(history, arm, 20)
        (path,) = one.trajectories
        assert path.coordinates.shape == (11, 2)
        assert path.way[-1] == 0
        assert torch.equal(one.plane.first["network.1.weight"],
                           found.landscapes[0].plane.first["network.1.weight"])  # fmt: skip
    assert found.trajectory_steps == tuple(range(0, 21, 2))


def test_the_stream_goes_from_coarse_to_fine_over_all_arms(history: RunHistory) -> None:
    found = run_landscapes(history, LandscapeSettings(step=20, samples=5, points=21))
    patches = list(found.stream())
    levels = patches[0][1].levels
    assert levels > 1
    assert [(index, patch.level) for index, patch in patches] == [
        (index, level) for level in range(levels) for index in range(3)
    ]
    last = patches[-1][1]
    assert last.values.shape == (21, 21)
    assert last.values[10, 10].item() == directly(history, 2, 20, samples=5)


def test_the_stream_stops_when_asked(history: RunHistory) -> None:
    found = run_landscapes(history, LandscapeSettings(step=20, samples=5, points=41))
    calls = itertools.count()
    patches = list(found.stream(stop=lambda: next(calls) > 4))
    assert len(patches) < 3 * patches[0][1].levels


def test_an_arm_that_diverged_at_once_takes_no_landscape_from_the_others(tmp_path: Path) -> None:
    spec = small_spec(steps=20)
    first = spec.arms[0].model_copy(update={"optimizer": "sgd", "lr": 1e30})
    spec = spec.model_copy(update={"arms": (first, *spec.arms[1:])})
    for _ in run(spec, snapshots=tmp_path):
        pass
    history = RunHistory(spec, tmp_path)
    settings = LandscapeSettings(plane="trajectory", step=20, samples=5, points=21)
    found = run_landscapes(history, settings)
    assert [one.arms for one in found.landscapes] == [(1,), (2,)]
    alone = spec.model_copy(update={"arms": (first,)})
    for _ in run(alone, snapshots=tmp_path / "alone"):
        pass
    with pytest.raises(PlaneError):
        run_landscapes(RunHistory(alone, tmp_path / "alone"), settings)


def test_the_principal_plane_holds_the_trajectories_best(history: RunHistory) -> None:
    found = run_landscapes(history, LandscapeSettings(plane="principal", step=40, samples=5))
    (one,) = found.landscapes
    assert one.arms == (0, 1, 2)
    assert one.plane.explained is not None
    assert 0.5 < one.plane.explained < 1
    way = torch.cat([path.way for path in one.trajectories])
    distance = torch.cat([path.distance for path in one.trajectories])
    explained = 1 - distance.square().sum() / way.square().sum()
    assert explained.item() == pytest.approx(one.plane.explained, abs=1e-5)
    reach = torch.cat([path.coordinates for path in one.trajectories]).abs().amax(0)
    assert found.grid.second_span is not None
    assert reach[0] < found.grid.span < 2 * reach[0]
    assert reach[1] < found.grid.second_span < 2 * reach[1]
    early = run_landscapes(history, LandscapeSettings(plane="principal", step=8, samples=5))
    assert early.grid == found.grid, "scrubbing moves no axis"
    assert early.landscapes[0].trajectories[0].coordinates.shape == (5, 2)


def test_each_arm_s_own_plane_leaves_out_less_than_the_shared_one(history: RunHistory) -> None:
    own = run_landscapes(history, LandscapeSettings(plane="trajectory", step=40, samples=5))
    shared = run_landscapes(history, LandscapeSettings(plane="principal", step=40, samples=5))
    assert [one.arms for one in own.landscapes] == [(0,), (1,), (2,)]
    for arm, one in enumerate(own.landscapes):
        (path,) = one.trajectories
        points = [history.weights(arm, at) for at in history.steps]
        assert torch.equal(path.coordinates, project(principal_plane(points), points).coordinates)
        best = project(shared.landscapes[0].plane.around(one.plane.origin), points)
        assert path.total_residual < best.total_residual
        a, b = path.coordinates.abs().amax(0)
        assert own.grid.span >= a
        assert (own.grid.second_span or 0) >= b
    early = run_landscapes(history, LandscapeSettings(plane="trajectory", step=8, samples=5))
    assert early.grid == own.grid, "scrubbing moves no axis"


@pytest.mark.parametrize("plane", FIXED)
def test_planes_of_trajectories_are_computed_once_for_all_steps(
    history: RunHistory, plane: Literal["trajectory", "principal"]
) -> None:
    def patches(step: int, samples: int = 5) -> list[tuple[int, GridValues]]:
        request = LandscapeSettings(plane=plane, step=step, points=21, samples=samples)
        return list(run_landscapes(history, request).stream())

    first, again = patches(40), patches(8)
    assert len(first) > len(again)
    assert again == first[-len(again) :], "the values are known, and no step changes them"
    assert len(patches(8, samples=6)) > 1, "on other data they are others"
    arms = LandscapeSettings(plane="arms", step=40, points=21, samples=5)
    for _ in range(2):
        assert len(list(run_landscapes(history, arms).stream())) > 1


def test_what_a_history_keeps_is_bounded_in_bytes(history: RunHistory, tmp_path: Path) -> None:
    folder = next(iter(history._files.values())).parent
    state = sum(value.nbytes for arm in history._states(0) for value in arm.values())
    cache = ByteCache(2 * state)
    small = RunHistory(history.spec, folder, cache)
    assert len(small.steps) > 2
    request = LandscapeSettings(plane="trajectory", step=10, points=21, samples=5)
    for _ in range(2):
        # The finest values of each landscape: one that is still known has no coarser ones.
        found = dict(run_landscapes(small, request).stream())
        expected = dict(run_landscapes(history, request).stream())
        assert found.keys() == expected.keys() == {0, 1, 2}
        for index, values in found.items():
            assert torch.equal(values.values, expected[index].values)
        assert 0 < cache.bytes <= 2 * state


def test_the_arms_plane_goes_through_the_arms(history: RunHistory) -> None:
    found = run_landscapes(history, LandscapeSettings(plane="arms", step=40, samples=30))
    (one,) = found.landscapes
    for arm, path in enumerate(one.trajectories):
        assert path.residual[-1] < 1e-3
        a, b = path.coordinates[-1]
        value = one.function.at(a[None], b[None]).item()
        assert value == pytest.approx(directly(history, arm, 40), rel=1e-4)


def test_two_arms_and_their_start_span_a_plane(tmp_path: Path) -> None:
    spec = small_spec(arms=[{}, {"curvature": "fisher", "tikhonov": 1e-3}], steps=10)
    for _ in run(spec, snapshots=tmp_path):
        pass
    found = run_landscapes(
        RunHistory(spec, tmp_path), LandscapeSettings(plane="arms", step=10, samples=5)
    )
    (one,) = found.landscapes
    for path in one.trajectories:
        assert path.residual[0] < 1e-3
        assert path.residual[-1] < 1e-3


def test_where_there_is_no_plane_the_message_says_why(history: RunHistory, tmp_path: Path) -> None:
    with pytest.raises(PlaneError, match="all the same"):
        run_landscapes(history, LandscapeSettings(plane="arms", step=0))
    with pytest.raises(PlaneError, match="same weights at step 0"):
        line_between_arms(history, 0, 1, 0)
    with pytest.raises(SnapshotError, match="no snapshot yet"):
        RunHistory(history.spec, tmp_path)


def test_the_line_between_two_arms_ends_at_their_losses(history: RunHistory) -> None:
    line = line_between_arms(history, 0, 2, 40, points=11, samples=30)
    assert line.values[line.t == 0].item() == directly(history, 0, 40)
    assert line.values[line.t == 1].item() == directly(history, 2, 40)


def test_a_surface_is_its_own_plane_whatever_is_asked(tmp_path: Path) -> None:
    spec = ExperimentSpec.model_validate(
        {
            "task": {"name": "surface"}, "loss": {"name": "himmelblau"},
            "arms": [{"optimizer": "sgd", "lr": 0.01}], "steps": 20, "batch_size": 1,
        }
    )  # fmt: skip
    for _ in run(spec, snapshots=tmp_path):
        pass
    found = run_landscapes(
        RunHistory(spec, tmp_path), LandscapeSettings(plane="principal", step=20)
    )
    (one,) = found.landscapes
    assert found.centre == (0.0, 0.0)
    assert found.grid.span == 5.0
    assert one.trajectories[0].coordinates[0].tolist() == pytest.approx([-1.2, 1.0])


def test_landscapes_take_as_many_maps_as_there_are(tmp_path: Path) -> None:
    small = {"height": 3, "width": 3, "train_maps": 10, "test_maps": 10}
    spec = small_spec(
        task={"name": "shortest_path", "data": {"name": "terrain", **small}},
        loss={"name": "bellman_ford"},
        arms=[{}, {"curvature": "fisher"}], steps=1, batch_size=4,
    )  # fmt: skip
    for _ in run(spec, snapshots=tmp_path):
        pass
    history = RunHistory(spec, tmp_path)
    assert len(history.batch(100).inputs) == 10
    assert line_between_arms(history, 0, 1, 1, samples=1000).values.isfinite().all()
    assert "image" in history.sample(100, 9)


@pytest.mark.parametrize("points", [20, 22, 19, 103])
def test_requests_are_bounded(points: int) -> None:
    with pytest.raises(ValueError, match="points"):
        LandscapeSettings(points=points)


def test_a_network_that_takes_long_is_shown_on_a_part_of_the_samples_first(
    history: RunHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = LandscapeSettings(step=20, samples=30, points=21)
    usual = [values for index, values in run_landscapes(history, asked).stream() if index == 0]
    monkeypatch.setattr(weights, "PREVIEW_WORK", 0)
    first, *rest = [
        values for index, values in run_landscapes(history, asked).stream() if not index
    ]
    assert [values.level for values in (first, *rest)] == list(range(len(usual) + 1))
    assert {values.levels for values in (first, *rest)} == {len(usual) + 1}
    middle = first.values[len(first.b) // 2, len(first.a) // 2].item()
    assert middle == directly(history, 0, 20, samples=weights.PREVIEW_SAMPLES)
    for before, now in zip(usual, rest, strict=True):
        assert torch.equal(before.values, now.values)
