"""Puts the built page into the wheel, as ``app/page``."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """An editable install finds the page in ``frontend/dist``; a wheel brings it along."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the page to the files of the wheel.

        Raises:
            FileNotFoundError: it has not been built.
        """
        if version == "editable":
            return
        page = Path(self.root, "frontend", "dist")
        for part in ("index.html", "report/report.js"):
            if not (page / part).is_file():
                raise FileNotFoundError(f"{page / part} is missing: run `make page` first")
        build_data["force_include"][str(page)] = "app/page"
