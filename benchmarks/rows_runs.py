"""Rows of the table: whole updates, and processes that have just begun."""

import copy
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from app.specs import read_spec
from benchmarks.pairs import Call, Row
from newton_core.training.arm import Arm
from newton_core.training.context import build_task
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


FIRST_METRICS = """
import time
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
    Row("first metrics of a new process, after its imports", "", first_metrics,
        milliseconds=300, turns=3, is_call=False),
    Row("first page of a new server", "", partial(server, "/"), milliseconds=2000, turns=3,
        is_call=False),
    Row("first run could be posted to a new server", "", partial(server, "/api/health"),
        milliseconds=2000, turns=3, is_call=False),
]  # fmt: skip
