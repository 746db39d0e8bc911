"""Puts the built page and the committed results into the wheel."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """A wheel brings along what an editable install finds in the checkout.

    The page in ``frontend/dist`` becomes ``app/page``, the results in ``docs/results``
    ``app/shipped_results``.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the page and the results to the files of the wheel.

        Raises:
            FileNotFoundError: the page has not been built.
        """
        if version == "editable":
            return
        page = Path(self.root, "frontend", "dist")
        for part in ("index.html", "report/report.js"):
            if not (page / part).is_file():
                raise FileNotFoundError(f"{page / part} is missing: run `make page` first")
        build_data["force_include"][str(page)] = "app/page"
        for file in sorted(Path(self.root, "docs", "results").glob("*.json")):
            build_data["force_include"][str(file)] = f"app/shipped_results/{file.name}"
