"""The package of ``docs/extending.md``, written out as an installer would leave it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(language: str) -> list[str]:
    """The code blocks of one language, in the page's order."""
    return [code for found, code in _BLOCK.findall(PAGE.read_text("utf-8")) if found == language]


def file_of(code: str) -> str:
    """The file that a block says it is, in its first line."""
    return code.split("\n", 1)[0].lstrip("#/ ")


def block(file: str) -> str:
    """The code of one file."""
    (code,) = (
        code for language in ("python", "tsx") for code in blocks(language) if file_of(code) == file
    )
    return code


def specs() -> list[dict[str, Any]]:
    """The specs that the page trains."""
    return [json.loads(code) for code in blocks("json")]


def install(site: Path) -> None:
    """Writes the package and its metadata into a folder of packages."""
    for code in blocks("python"):
        module = site / file_of(code)
        if module.parent.parent == site:  # the lab's own files are no part of the package
            module.parent.mkdir(exist_ok=True)
            module.write_text(code, "utf-8")
    (declaration,) = blocks("toml")
    project = tomllib.loads(declaration)["project"]
    name, version = project["name"], project["version"]
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata, "utf-8")
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")
