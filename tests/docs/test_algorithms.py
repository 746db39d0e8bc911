"""The Python of ``docs/algorithms.md`` runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

from newton_core.algorithms.oracles import ORACLES

PAGE = Path(__file__).parents[2] / "docs" / "algorithms.md"
CHECK = """
assert direction.shape == (20, 5)
assert torch.isfinite(direction).all()
"""


def test_the_code_runs() -> None:
    """In a process of its own: what it registers is for no other test."""
    codes = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(codes) == 2
    command = [sys.executable, "-W", "error", "-c", "\n".join([*codes, CHECK])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_oracle_is_documented() -> None:
    assert all(f"| `{name}`" in PAGE.read_text("utf-8") for name in ORACLES.names())
