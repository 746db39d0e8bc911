"""Builds the page of a tree."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.behaviour.trees import HERE, Tree, TreeError


def build_page(tree: Tree) -> None:
    """Builds ``frontend/dist`` where any source is newer.

    Raises:
        TreeError: npm fails.
    """
    frontend = tree.folder / "frontend"
    built = frontend / "dist" / "report" / "report.js"  # what is built last
    if built.is_file() and built.stat().st_mtime >= max(_times_of_sources(tree.folder)):
        return
    modules = frontend / "node_modules"
    if not modules.exists():
        modules.symlink_to(HERE / "frontend" / "node_modules")
    environment = {**tree.environment(tree.folder, {}), "PYTHON": sys.executable}
    for task in ("types", "build"):
        command = ["npm", "run", "--silent", task]
        done = subprocess.run(
            command, cwd=frontend, env=environment, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise TreeError(f"{tree.name}: {' '.join(command)} failed, see above")


def _times_of_sources(folder: Path) -> Iterator[float]:
    """When each file was changed that the page is built from."""
    frontend = folder / "frontend"
    generated = frontend / "src" / "api" / "schema.ts"
    roots = (frontend / "src", folder / "app", folder / "newton_core")
    for root in roots:
        for file in root.rglob("*"):
            if file.suffix in (".py", ".ts", ".tsx", ".css", ".svg") and file != generated:
                yield file.stat().st_mtime
    yield from (file.stat().st_mtime for file in frontend.glob("*.*") if file.is_file())
