"""Rows of the table: whole updates, and processes that have just begun."""

import copy
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from app.specs import read_spec
from benchmarks.pairs import Call, Row
from newton_core import newton_direction
from newton_core.experiment.events import Metrics
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.arm import Arm, build_spec_loss
from newton_core.training.context import build_task
from newton_core.training.run import run
from scripts.lab_browser import served

PLAIN = 0


def update(preset: str, curvature: str, quick: bool) -> tuple[Call, Call]:
    """A whole update of one of a preset's arms, with its metrics, beside its first arm's."""
    spec = read_spec(preset, {"steps": 5000})
    task = build_task(spec)
    model = task.build_model()
    batch = task.batch(1, 10 if quick else spec.batch_size)

    def step_of(index: int) -> Call:
        own = Arm(spec, index, copy.deepcopy(model))
        return lambda: own.update(batch, own.step + 1, observe=True)

    which = next(i for i, arm in enumerate(spec.arms) if arm.curvature == curvature)
    return step_of(which), step_of(PLAIN)


ARMS = 4
CHUNK, MEASURED_CHUNK = 100, 1000
"""Steps that a call makes of a run; into each of the longer ones fall as many evaluations (every
200 steps) and landscapes (every 1,000)."""


def arms_together(measured: bool, quick: bool) -> tuple[Call, Call]:
    """Steps of a run with four arms beside the same steps in a bare loop, seconds for each step.

    Without measurements the run evaluates at its ends alone, and draws no landscape.
    """
    spec = read_spec("collapse", {"steps": 5000})
    changes: dict[str, object] = {"arms": spec.arms[:ARMS]}
    if not measured:
        changes |= {"evaluate_every": spec.steps, "landscape_every": None}
    spec = spec.model_copy(update=changes)
    chunk = 2 if quick else MEASURED_CHUNK if measured else CHUNK
    return steps_of_run(spec, chunk), bare_loop(spec, chunk)


def steps_of_run(spec: ExperimentSpec, chunk: int) -> Call:
    """Goes on with a run until its metrics say that the next steps are done."""
    events, done = run(spec), 0

    def call() -> float:
        nonlocal done
        before, began = done, time.thread_time()
        for event in events:
            if isinstance(event, Metrics) and event.arm == len(spec.arms) - 1:
                done = event.steps[-1]
                if done >= before + chunk:
                    break
        return (time.thread_time() - began) / (done - before)

    return call


def bare_loop(spec: ExperimentSpec, chunk: int) -> Call:
    """Network, Newton direction, backward pass and Adam of each arm, and nothing else."""
    task, done = build_task(spec), 0
    loss = build_spec_loss(spec.loss)
    models = [copy.deepcopy(task.build_model()) for _ in spec.arms]
    adams = [
        torch.optim.Adam(model.parameters(), lr=arm.lr, fused=True)
        for model, arm in zip(models, spec.arms, strict=True)
    ]

    def call() -> float:
        nonlocal done
        began = time.thread_time()
        for step in range(done + 1, done + 1 + chunk):
            batch = task.batch(step, spec.batch_size)
            for arm, model, adam in zip(spec.arms, models, adams, strict=True):
                y = model(batch.inputs)
                direction = newton_direction(
                    loss, y, batch.target,
                    curvature=arm.curvature if arm.curvature != "ggn" else "none",
                    tikhonov=arm.tikhonov, hessian=arm.hessian, definiteness=arm.definiteness,
                )  # fmt: skip
                adam.zero_grad()
                y.backward(direction / len(y))
                adam.step()
        done += chunk
        return (time.thread_time() - began) / chunk

    return call


FIRST_METRICS = """
import time
import torch
torch.set_num_threads(1)
import newton_core.curvature.kernels  # numba, which the first Fisher step imports
from app.specs import read_spec
from newton_core.training import run
spec = read_spec("collapse", {"landscape_every": None})
began = time.process_time()
next(event for event in run.run(spec) if event.type == "metrics")
print(time.process_time() - began)
"""


def first_metrics(_quick: bool) -> tuple[Call, None]:
    """From the imports of a new process to the first metrics of the preset, data read from disk."""

    def call() -> float:
        program = [sys.executable, "-c", FIRST_METRICS]
        said = subprocess.run(program, capture_output=True, text=True, check=True)
        return float(said.stdout)

    return call, None


def server(path: str, _quick: bool) -> tuple[Call, None]:
    """From the start of a new server's process until it answers a path; an empty data folder."""

    def call() -> float:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder, served(Path(folder), until=path):
            return time.perf_counter() - began

    return call, None


UPDATES = (
    ("collapse", "hessian", 1.15, 500),
    ("collapse", "fisher", 1.03, 500),
    ("trajectory", "hessian", 2.0, 50),
    ("heat", "hessian", 2.0, 50),
    ("discs-sgd", "hessian", 2.0, 50),
)
ROWS = [
    Row(f"{preset}, whole update, {curvature}", "its plain update",
        partial(update, preset, curvature), ratio=ratio, turns=turns)
    for preset, curvature, ratio, turns in UPDATES
] + [
    Row(f"collapse, a step of {ARMS} arms{' with evaluations and landscapes' * measured}",
        "its arms in a bare loop", partial(arms_together, measured), ratio=ratio, turns=turns,
        is_call=False)
    for measured, ratio, turns in ((False, 1.15, 5), (True, 1.25, 2))
] + [
    Row("first metrics of a new process, after its imports", "", first_metrics,
        milliseconds=300, turns=3, is_call=False),
    Row("first page of a new server", "", partial(server, "/"), milliseconds=2000, turns=3,
        is_call=False),
    Row("first run could be posted to a new server", "", partial(server, "/api/runs"),
        milliseconds=2000, turns=3, is_call=False),
]  # fmt: skip
