"""The command line inside the tests' process, which spares them the import of torch."""

import sys
from pathlib import Path

import pytest

from app.cli import main


class Lab:
    """Calls ``newton-lab`` as the console script does."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._capture = capture
        self.out = self.err = ""

    def __call__(self, *arguments: str | Path) -> int:
        """The exit code; what was printed is in ``out`` and ``err``."""
        self._patch.setattr(sys, "argv", ["newton-lab", *map(str, arguments)])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        self.out, self.err = self._capture.readouterr()
        return int(end.value.code or 0)

    def refuses(self, *arguments: str | Path) -> str:
        """The one line that says why the command did nothing."""
        assert self(*arguments) == 2, (self.out, self.err)
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err
