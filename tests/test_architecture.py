"""The house is as ``docs/architecture.md`` says, and the pages name what is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FACADE = "newton_core/__init__.py"  # hands out names of all rooms, most of them on first use


def layers() -> dict[str, int]:
    """Each room of ``newton_core`` and its layer, from the table."""
    table = re.findall(
        r"^\| (\d+) \| (.+?) \|", (ROOT / "docs" / "architecture.md").read_text("utf-8"), re.M
    )
    return {room: int(layer) for layer, rooms in table for room in re.findall(r"`(\w+)`", rooms)}


def imports(file: Path) -> Iterator[str]:
    """Every module of ours that a file imports, at its top or in a function."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def sources(package: str) -> list[str]:
    return sorted(str(file.relative_to(ROOT)) for file in (ROOT / package).rglob("*.py"))


def room_of(module: str) -> str | None:
    """The room of ``newton_core`` in which a module is, if it is in one."""
    package, _, rest = module.partition(".")
    return rest.split(".")[0] if package == "newton_core" and rest else None


def test_every_room_has_its_layer() -> None:
    found = {Path(file).parts[1].removesuffix(".py") for file in sources("newton_core")}
    assert found - {"__init__"} == set(layers())


def test_a_room_imports_only_from_further_down() -> None:
    known = layers()
    wrong = [
        f"{file} imports {module}"
        for file in sources("newton_core")
        if file != FACADE
        for module in imports(ROOT / file)
        if (room := room_of(module)) in known
        and room != (own := Path(file).parts[1].removesuffix(".py"))
        and known[room] >= known[own]
    ]
    assert wrong == []


def test_the_science_knows_no_server() -> None:
    outside = {"app", "fastapi", "sqlalchemy", "plotly"}
    wrong = [
        f"{file} imports {module}"
        for file in sources("newton_core")
        for module in imports(ROOT / file)
        if module.split(".")[0] in outside
    ]
    assert wrong == []


def test_only_the_server_imports_routes() -> None:
    wrong = [
        f"{file} imports {module}"
        for file in sources("app")
        if not file.startswith(("app/routes/", "app/server.py"))
        for module in imports(ROOT / file)
        if module.startswith("app.routes")
    ]
    assert wrong == []


def test_every_link_between_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\((?!https?:|lab:)([^)#]+)", page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []


def test_every_file_that_a_page_names_is_there() -> None:
    pages = [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    gone = [
        f"{page.name}: {path}"
        for page in pages
        for path in re.findall(
            r"`((?:newton_core|app|tests|frontend|docs)/[\w./]+)`", page.read_text("utf-8")
        )
        if not (ROOT / path).exists()
    ]
    assert gone == []
