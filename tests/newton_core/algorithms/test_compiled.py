import os
import re
import subprocess
import sys
from pathlib import Path

import newton_core
from newton_core.algorithms.compiled import take_shipped
from newton_core.algorithms.precompile import precompile

USE = """
import sys
from pathlib import Path
from newton_core.algorithms import compiled
compiled.take_shipped(Path(sys.argv[1]), Path(sys.argv[2]))
from newton_core.algorithms import permutation_kernels
print(sum(permutation_kernels.sums_to_one.stats.cache_hits.values()))
"""


def written(file: Path, text: str, seconds: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (seconds, seconds))
    return file


def use(shipped: Path, cache: Path) -> int:
    """How many kernels of one module a new process finds compiled."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    said = subprocess.run(
        [sys.executable, "-c", USE, str(shipped), str(cache)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(said.stdout)


def test_what_was_shipped_is_taken_where_it_is_missing_or_newer(tmp_path: Path) -> None:
    shipped, cache = tmp_path / "shipped", tmp_path / "cache"
    for name in ("new", "older", "own"):
        written(shipped / "room" / f"{name}.nbi", "shipped", 2000.0)
    written(cache / "room" / "older.nbi", "here", 1000.0)
    written(cache / "room" / "own.nbi", "here", 3000.0)
    take_shipped(shipped, cache)
    found = {file.name: file.read_text() for file in (cache / "room").iterdir()}
    assert found == {"new.nbi": "shipped", "older.nbi": "shipped", "own.nbi": "here"}


def test_a_new_process_uses_the_machine_code_that_was_shipped(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    assert use(tmp_path / "nothing", shipped) == 0, "it is compiled here"
    for file in shipped.rglob("*"):
        file.chmod(0o555 if file.is_dir() else 0o444)
    assert use(shipped, tmp_path / "cache") == 2, "float32 and float64"


def test_a_cache_that_cannot_be_written_hinders_nobody(tmp_path: Path) -> None:
    place = written(tmp_path / "file", "no folder", 1000.0)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(place)}
    program = "from newton_core.algorithms.permutations import check_permutations as check, torch\n"
    program += "check(torch.eye(3)[None], 'target')"
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_every_module_of_kernels_is_compiled_ahead() -> None:
    package = Path(newton_core.__file__).parent
    using = {
        ".".join(file.relative_to(package.parent).with_suffix("").parts)
        for file in package.rglob("*.py")
        if re.search(r"^(@|\w+ = )compiled\(", file.read_text(), re.MULTILINE)
    }
    assert len(using) > 10
    assert using <= set(precompile())
