"""Every test that a page of ``docs`` names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["data", "robustness", "security"])
def test_the_tests_that_the_page_names_exist(name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    files = [ROOT / path for path in re.findall(r"`(tests/[\w/]+\.py)`", page)]
    defined = {
        test
        for file in files
        for test in re.findall(r"^def (test_\w+)\(", file.read_text("utf-8"), re.M)
    }
    named = set(re.findall(r"`(test_\w+)`", page)) - {"test_share"}
    assert len(named) >= 30
    assert named - defined == set()
