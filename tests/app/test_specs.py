import json
from pathlib import Path

import pytest

from app.specs import SpecError, read_spec

SPEC = {
    "task": {"name": "ranking"},
    "loss": {"name": "neuralsort"},
    "arms": [{"label": "Größe λ"}],
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_spec_may_be_in_any_unicode(tmp_path: Path, encoding: str) -> None:
    """Notepad marks UTF-8, and PowerShell's > writes UTF-16."""
    path = tmp_path / "spec.json"
    path.write_bytes(json.dumps(SPEC, ensure_ascii=False).encode(encoding))
    assert read_spec(str(path)).arms[0].label == "Größe λ"


def test_what_is_no_unicode_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(b'{"loss": "\xe4"}')
    with pytest.raises(SpecError, match=r"spec\.json is not JSON"):
        read_spec(str(path))
