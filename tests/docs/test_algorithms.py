"""The Python of ``docs/algorithms.md`` runs as it stands; its numbers are those of the presets."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.presets import load_presets
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


# As in: −0.1 to +0.5 points (`calm-classification`, 10 seeds).
CLAIM = re.compile(r"([−+][\d.]+) to ([−+][\d.]+)(?: points)? \(`([\w-]+)`, (\d+)(?: seeds)?\)")
CLAIMS = CLAIM.findall(PAGE.read_text("utf-8"))


@pytest.mark.parametrize(("low", "high", "name", "seeds"), CLAIMS)
def test_a_gain_is_what_the_preset_measured(low: str, high: str, name: str, seeds: str) -> None:
    """As points of 100, or in the metric's own unit."""
    (expect,) = [preset.expect for preset in load_presets() if preset.name == name]
    assert int(seeds) == expect.seeds
    said = [float(text.replace("−", "-")) for text in (low, high)]
    measured = [[d.low, d.high] for d in expect.differences]
    places = len(low.partition(".")[2])
    assert any(
        said == pytest.approx([scale * end for end in ends], abs=0.6 * 10.0**-places)
        for ends in measured
        for scale in (1, 100)
    )


def test_the_table_makes_claims() -> None:
    assert len(CLAIMS) >= 10
