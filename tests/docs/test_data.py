"""Every test that ``docs/data.md`` names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tests_that_the_page_names_exist() -> None:
    page = (ROOT / "docs" / "data.md").read_text("utf-8")
    files = [ROOT / name for name in re.findall(r"`(tests/[\w/]+\.py)`", page)]
    defined = {
        name
        for file in files
        for name in re.findall(r"^def (test_\w+)\(", file.read_text("utf-8"), re.M)
    }
    named = set(re.findall(r"`(test_\w+)`", page)) - {"test_share"}
    assert len(named) > 30
    assert named - defined == set()
