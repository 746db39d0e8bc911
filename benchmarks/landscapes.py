"""Slices of the loss: ours against the loop over grid points that such code usually is.

    python benchmarks/landscapes.py [--threads 2] [--repeats 3] [--training] [--loop-points 21]

Weights: the default network (an MLP on four 8 x 8 digits in a row) on 100 rankings of 5 images,
41 x 41 points; the loop overwrites a copy's weights, point by point. Outputs: one ranking of 5,
101 x 101 points; the loop calls the loss once a point. Values are compared at the loop's points,
whose number is small: loop times are scaled up to the full grid. With ``--training`` a run trains
in another process meanwhile, as it does while the page asks for a slice.
"""

import argparse
import contextlib
import copy
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from app.train import idle_cores
from newton_core import ExperimentSpec, build_loss, run
from newton_core.landscape import (
    Grid,
    GridValues,
    ParameterFunction,
    ParameterPlane,
    evaluate_coarse_to_fine,
    filter_normalised_plane,
    model_weights,
    output_landscape,
    parameter_landscape,
)
from newton_core.losses import Loss
from newton_core.tasks import Batch, RankingParameters, RankingTask
from newton_core.training.arm import build_spec_loss

SPEC = ExperimentSpec.model_validate(
    {
        "task": {"name": "ranking"},
        "loss": {"name": "neuralsort"},
        "arms": [{}, {"curvature": "hessian"}, {"curvature": "fisher"}],
        "steps": 1_000_000,
        "batch_size": 100,
        "evaluate_every": 1_000_000,
    }
)


def train_forever() -> None:
    """What a run in another process does to the machine."""
    torch.set_num_threads(1)
    with idle_cores() as arm_workers:
        for _ in run(SPEC, workers=arm_workers):
            pass


@contextlib.contextmanager
def training(wanted: bool) -> Iterator[None]:
    """A run in another process, stopped afterwards."""
    if not wanted:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(target=train_forever, daemon=True)
    process.start()
    time.sleep(8)  # torch is imported, the data is read, updates run
    try:
        yield
    finally:
        process.terminate()
        process.join()


def timed(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall and least CPU seconds."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), min(cpus)


@torch.no_grad()
def weights_loop(
    model: torch.nn.Module, plane: ParameterPlane, loss: Loss, batch: Batch, grid: Grid
) -> Tensor:
    """One forward pass a point, the weights overwritten each time."""
    moved = copy.deepcopy(model).eval()
    parameters = dict(moved.named_parameters())
    a_axis, b_axis = grid.axes()
    values = torch.empty(grid.points, grid.points, dtype=torch.float64)
    for j, b in enumerate(b_axis.tolist()):
        for i, a in enumerate(a_axis.tolist()):
            for name, parameter in parameters.items():
                parameter.copy_(plane.origin[name] + a * plane.first[name] + b * plane.second[name])
            values[j, i] = loss(moved(batch.inputs), batch.target).mean()
    return values


@torch.no_grad()
def outputs_loop(loss: Loss, y: Tensor, target: Tensor, grid: Grid) -> Tensor:
    """One call of the loss a point."""
    a_axis, b_axis = grid.axes()
    values = torch.empty(grid.points, grid.points, dtype=torch.float64)
    for j, b in enumerate(b_axis.tolist()):
        for i, a in enumerate(a_axis.tolist()):
            moved = y.clone()
            moved[0, 0] += a
            moved[0, 1] += b
            values[j, i] = loss(moved, target).mean()
    return values


def report(name: str, ours: tuple[float, float], loop: tuple[float, float], scale: float) -> None:
    wall, cpu = loop[0] * scale, loop[1] * scale
    print(
        f"{name:34} {1000 * ours[0]:8.0f} {1000 * ours[1]:8.0f} {1000 * wall:10.0f}"
        f" {1000 * cpu:8.0f} {wall / ours[0]:8.1f}x"
    )


def compare_weights(points: int, loop_points: int, repeats: int) -> None:
    task = RankingTask(
        RankingParameters(), target_kind="permutation", seed=0, device=torch.device("cpu")
    )
    model, batch, loss = task.build_model(), task.batch(0, 100), build_spec_loss(SPEC.loss)
    plane = filter_normalised_plane(model_weights(model), seed=0)
    grid, small = Grid(points=points), Grid(points=loop_points)
    torch.testing.assert_close(
        parameter_landscape(model, plane, loss, batch, small).values,
        weights_loop(model, plane, loss, batch, small),
        rtol=1e-4, atol=1e-6,
    )  # fmt: skip
    ours = timed(lambda: parameter_landscape(model, plane, loss, batch, grid), repeats)
    loop = timed(lambda: weights_loop(model, plane, loss, batch, small), repeats)
    scale = points**2 / loop_points**2
    report(f"weights, {points} x {points}, all at once", ours, loop, scale)

    def stream() -> None:
        for _ in evaluate_coarse_to_fine(ParameterFunction(model, plane, loss, batch), grid):
            pass

    def first() -> GridValues:
        return next(evaluate_coarse_to_fine(ParameterFunction(model, plane, loss, batch), grid))

    report(f"weights, {points} x {points}, coarse to fine", timed(stream, repeats), loop, scale)
    print(f"{'  its first picture':34} {1000 * timed(first, repeats)[0]:8.0f}")


def compare_outputs(name: str, points: int, loop_points: int, repeats: int) -> None:
    loss = build_loss(name)
    y = torch.randn(1, 5, generator=torch.Generator().manual_seed(0))
    target = torch.eye(5)[None]
    grid, small = Grid(points=points, span=5.0), Grid(points=loop_points, span=5.0)
    torch.testing.assert_close(
        output_landscape(loss, y, target, grid=small).loss,
        outputs_loop(loss, y, target, small),
        rtol=1e-4, atol=1e-6,
    )  # fmt: skip
    ours = timed(lambda: output_landscape(loss, y, target, grid=grid), repeats)
    loop = timed(lambda: outputs_loop(loss, y, target, small), repeats)
    report(f"{name}, {points} x {points}", ours, loop, points**2 / loop_points**2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--loop-points", type=int, default=21)
    parser.add_argument("--training", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with training(arguments.training):
        print(
            f"{'':34} {'ours':>8} {'(CPU)':>8} {'loop':>10} {'(CPU)':>8} {'gain':>9}   times in ms"
        )
        compare_weights(41, arguments.loop_points, arguments.repeats)
        for name in ("neuralsort", "softsort", "logistic_dsn", "cauchy_dsn"):
            compare_outputs(name, 101, arguments.loop_points, arguments.repeats)


if __name__ == "__main__":
    main()
