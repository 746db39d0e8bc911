"""Cells say what whole runs say, and are computed once."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newton_core.evidence import (
    CellError,
    CellsStoppedError,
    CellStore,
    compute_cells,
    computing,
    with_seeds,
)
from newton_core.evidence.cells import cell_key, cells_of
from newton_core.evidence.computing import Progress
from newton_core.experiment.events import Finished, Summary
from newton_core.experiment.spec import ExperimentSpec
from newton_core.training.run import run
from newton_core.workers import cores

SPEC = ExperimentSpec.model_validate(
    {
        "task": {"name": "ranking", "n": 3, "data": {"name": "digits"}, "test_sets": 20},
        "loss": {"name": "neuralsort"},
        "arms": [{}, {"curvature": "fisher", "optimizer": "sgd"}],
        "steps": 12,
        "batch_size": 8,
        "evaluate_every": 3,
        "landscape_every": 6,
        "changes": [{"step": 5, "arm": 1, "tikhonov": 3.0}],
    }
)


def whole(spec: ExperimentSpec) -> Summary:
    last = list(run(spec))[-1]
    assert isinstance(last, Finished), last
    return last.summary


def test_cells_say_what_the_whole_run_says(tmp_path: Path) -> None:
    expected = whole(SPEC)
    (found,) = compute_cells([SPEC], CellStore(tmp_path), processes=2)
    assert found.initial == expected.initial
    assert [arm.label for arm in found.arms] == ["Vanilla", "Fisher"]
    for ours, theirs in zip(found.arms, expected.arms, strict=True):
        assert ours.metrics == theirs.metrics
        assert (ours.status, ours.step) == (theirs.status, theirs.step)


def test_a_cell_is_computed_once(tmp_path: Path) -> None:
    store = CellStore(tmp_path)
    other = SPEC.model_copy(
        update={"arms": (SPEC.arms[0], SPEC.arms[1].model_copy(update={"lr": 0.1}))}
    )
    seen: list[Progress] = []
    first = compute_cells([SPEC], store, processes=1)
    again = compute_cells([SPEC, other], store, processes=1, on_progress=seen.append)
    assert again[0] == first[0].model_copy(update={"seconds": again[0].seconds})
    assert (seen[-1].total, seen[-1].reused) == (3, 2)  # vanilla is the same in both


def test_computations_at_once_share_their_cells(tmp_path: Path) -> None:
    def compute() -> list[Summary]:
        # a store each: what they know of one another is in the folder, as between processes
        return compute_cells(with_seeds(SPEC, range(2)), CellStore(tmp_path), processes=1)

    with ThreadPoolExecutor() as threads:
        first, second = (threads.submit(compute) for _ in range(2))
    # no two computations of a cell take the same time
    assert [run.arms for run in first.result()] == [run.arms for run in second.result()]
    assert list((tmp_path / "claims").iterdir()) == []


@pytest.mark.parametrize("ending", ["kill", "lives"])
def test_a_claim_holds_in_other_processes_until_its_own_ends(tmp_path: Path, ending: str) -> None:
    words = (
        "import sys; from pathlib import Path; from newton_core.evidence import CellStore;"
        " from newton_core.evidence.cells import cells_of;"
        " from newton_core.experiment.spec import stored_spec;"
        " cell, _ = cells_of(stored_spec(sys.argv[2]));"
        " claim = CellStore(Path(sys.argv[1])).claim(cell);"
        " print(claim.__enter__(), flush=True); sys.stdin.read()"
    )
    cell, another = cells_of(SPEC)
    store = CellStore(tmp_path)
    other = subprocess.Popen(
        [sys.executable, "-c", words, str(tmp_path), SPEC.model_dump_json()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        if ending == "kill":
            other.kill()
            other.wait()
        with store.claim(cell) as is_ours, store.claim(another) as is_free:
            assert (is_ours, is_free) == (ending == "kill", True)
        other.kill()


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"key": "x"}'])
def test_a_damaged_file_is_computed_again(tmp_path: Path, content: bytes) -> None:
    store = CellStore(tmp_path)
    cell = cells_of(SPEC)[0]
    summary = whole(cell)
    store.put(cell, summary)
    assert store.get(cell) == summary
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(content)
    assert store.get(cell) is None


def test_a_label_is_no_part_of_what_a_cell_computes() -> None:
    named = SPEC.model_copy(
        update={"arms": tuple(a.model_copy(update={"label": a.label + "!"}) for a in SPEC.arms)}
    )
    assert list(map(cell_key, cells_of(named))) == list(map(cell_key, cells_of(SPEC)))
    other = SPEC.model_copy(update={"seed": 1})
    assert set(map(cell_key, cells_of(other))).isdisjoint(map(cell_key, cells_of(SPEC)))


@pytest.mark.parametrize("device", ["mps", "cuda", "cuda:77"])
def test_a_cell_that_fails_is_named_and_the_others_are_kept(device: str, tmp_path: Path) -> None:
    store = CellStore(tmp_path)
    broken = SPEC.model_copy(update={"device": device})
    with pytest.raises(CellError, match=rf"arm 'Vanilla' of seed 0 .*'{device}' is not available"):
        compute_cells([broken, SPEC], store, processes=1)
    assert all(store.get(cell) is not None for cell in cells_of(SPEC))


def test_cells_take_no_more_processes_than_the_container_has_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[computing.CellWorker] = []

    class Counted(computing.CellWorker):
        def __enter__(self) -> computing.CellWorker:
            workers.append(self)
            return super().__enter__()

    monkeypatch.setattr(computing, "CellWorker", Counted)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(cores, "container_quota", lambda file: 1)
    stop = threading.Event()
    stop.set()  # nothing is computed
    with pytest.raises(CellsStoppedError):
        compute_cells([SPEC], CellStore(tmp_path), stop=stop)
    assert len(workers) == 1


def test_stopped_cells_are_missing_and_finished_ones_kept(tmp_path: Path) -> None:
    store = CellStore(tmp_path)
    stop = threading.Event()

    def after_the_first(progress: Progress) -> None:
        if progress.done:
            stop.set()

    with pytest.raises(CellsStoppedError, match="of 6 cells are finished"):
        compute_cells(
            with_seeds(SPEC, range(3)),
            store,
            processes=1,
            stop=stop,
            on_progress=after_the_first,
        )
    kept = sum(store.get(c) is not None for s in with_seeds(SPEC, range(3)) for c in cells_of(s))
    assert 1 <= kept < 6


def test_a_run_that_a_clock_ends_is_no_cell() -> None:
    with pytest.raises(ValueError, match="clock"):
        cells_of(SPEC.model_copy(update={"seconds": 1.0}))
