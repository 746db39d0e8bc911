from pathlib import Path

import pytest

from newton_core.workers.cores import container_quota


@pytest.mark.parametrize(
    ("text", "cores"),
    [("200000 100000", 2), ("150000 100000", 2), ("max 100000", None), ("", None)],
)
def test_container_quota_counts(tmp_path: Path, text: str, cores: int | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(text)
    assert container_quota(file) == cores
    assert container_quota(tmp_path / "absent") is None
