"""What runs depend on from outside the lab: other people's code, and data on disk."""

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from newton_core.experiment.sources import code_of, sources_of
from newton_core.losses.base import LOSSES, Loss
from newton_core.tasks import TASKS
from tests.newton_core.data.idx_files import write_files
from tests.newton_core.training.specs import small_spec

LOSS = """
from newton_core import Loss
from outside_helpers.factor import FACTOR


class Outside(Loss):
    def forward(self, y, target=None):
        return FACTOR * y.square().sum(dim=1)
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Loss]]:
    """A loss in a package of somebody else's."""
    folder = tmp_path / "outside_helpers"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "factor.py").write_text("FACTOR = 2.0\n")
    (folder / "loss.py").write_text(LOSS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("outside_helpers.loss").Outside
    for name in [name for name in sys.modules if name.startswith("outside_helpers")]:
        del sys.modules[name]


def test_parts_of_the_lab_are_known_by_its_version() -> None:
    assert sources_of(small_spec()) == ()
    assert code_of([*LOSSES.values(), *TASKS.values()]) == ()


def test_code_of_other_packages_is_known_by_all_of_its_files(
    outside: type[Loss], tmp_path: Path
) -> None:
    (before,) = code_of([outside, *LOSSES.values()])
    assert (before.kind, before.name) == ("code", "outside_helpers")
    assert code_of([outside]) == (before,)
    factor = tmp_path / "outside_helpers" / "factor.py"
    state = factor.stat()
    factor.write_text("FACTOR = 3.0\n")  # as long as before, and not even the loss's own file
    os.utime(factor, ns=(state.st_atime_ns, state.st_mtime_ns))
    (after,) = code_of([outside])
    assert after.changed > before.changed
    assert after.digest != before.digest
    factor.write_text("FACTOR = 2.0\n")
    assert code_of([outside]) == (before,)


def test_modules_beside_a_loss_belong_to_its_code(
    outside: type[Loss], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "outside_constants.py"
    beside.write_text("FACTOR = 2.0\n")
    (tmp_path / "outside_helpers" / "factor.py").write_text(
        "import scipy, pytest\n\ndef late():\n    from outside_constants import FACTOR\n"
    )
    constants, helpers = code_of([outside])  # it is not loaded yet, and no library is among them
    assert (constants.name, helpers.name) == ("outside_constants", "outside_helpers")
    importlib.import_module("outside_constants")
    monkeypatch.delitem(sys.modules, "outside_constants")
    assert code_of([outside]) == (constants, helpers)
    beside.write_text("FACTOR = 3.0\n")
    assert code_of([outside])[0].digest != constants.digest
    (tmp_path / "outside_helpers" / "factor.py").write_text("import (\n")  # while it is edited
    assert [source.name for source in code_of([outside])] == ["outside_helpers"]


def test_a_subclass_of_somebody_else_s_loss_depends_on_both(outside: type[Loss]) -> None:
    mine = type("Mine", (outside,), {"__module__": "tests"})
    assert {"outside_helpers", "tests"} <= {source.name for source in code_of([mine])}


def test_data_on_disk_are_known_by_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    task = {"name": "ranking", "n": 3, "data": {"name": "mnist"}}
    spec = small_spec(task=task)
    assert sources_of(spec) == ()  # not there: the run will say so
    images, *_ = write_files(tmp_path / "mnist")
    (before,) = sources_of(spec)
    assert before.kind == "data"
    os.utime(images, (1, 1))
    assert sources_of(spec) == (before,), "touched, and the same"
    content = bytearray(images.read_bytes())
    content[-1] ^= 1
    images.write_bytes(content)
    assert sources_of(spec) != (before,)
    images.rename(images.with_name("elsewhere"))
    assert sources_of(spec) != (before,)


def test_maps_that_follow_from_their_parameters_are_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWTON_LAB_DATA_DIR", str(tmp_path))
    spec = small_spec(task={"name": "shortest_path"}, loss={"name": "perturbed_fy"})
    folder = spec.task.data.folder()
    folder.mkdir(parents=True)
    (folder / "made.npy").write_bytes(b"1")
    assert sources_of(spec) == ()
