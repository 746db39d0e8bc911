"""What a run's numbers depend on beside its spec: code of other packages, and data on disk."""

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from newton_core.data import DataParameters
from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import content_digest, last_change
from newton_core.losses.base import LOSSES, LossParameters
from newton_core.tasks import TASKS, TaskParameters

_OURS = frozenset({"newton_core", "app", "torch", "pydantic", "numpy"}) | sys.stdlib_module_names
"""Packages whose version is part of a run's identity anyway."""


@dataclass(frozen=True)
class Source:
    """Something outside the lab that numbers depend on, as it is now.

    Attributes:
        kind: the code of a package, or the files of a data set.
        name: of the package as it is imported, or parameters of the data set as JSON.
        digest: another one whenever its version or the content of a file is another.
        changed: when a file of it was last written, in seconds since 1970.
    """

    kind: Literal["code", "data"]
    name: str
    digest: str
    changed: float = field(compare=False)


def sources_of(spec: ExperimentSpec) -> tuple[Source, ...]:
    """All that a run of ``spec`` takes from outside: mostly nothing.

    Files are read again only where their time or size has changed.
    """
    records = list(_records(spec))
    parts = {part for record in records for part in _parts(record)}
    data = {record for record in records if isinstance(record, DataParameters)}
    files = [found for found in map(_files_of, data) if found.digest]
    return (*code_of(parts), *sorted(files, key=lambda found: found.name))


def code_behind(record: BaseModel) -> tuple[Source, ...]:
    """Other people's code that the parameters of a loss, task, data set or network stand for."""
    return code_of({part for one in _records(record) for part in _parts(one)})


def code_of(parts: Iterable[type]) -> tuple[Source, ...]:
    """The packages that are not ours in which the parts and their base classes are written.

    With them go the modules beside them that they import: those of the same distribution, or of
    none. Other libraries stay out.
    """
    modules = {base.__module__.partition(".")[0] for part in parts for base in part.__mro__}
    found: set[str] = set()
    ahead = list(modules - _OURS)
    while ahead:
        package = ahead.pop()
        if package not in found:
            found.add(package)
            ahead += [name for name in _imports(package) if _are_together(package, name)]
    return tuple(map(_package, sorted(found)))


def _imports(package: str) -> set[str]:
    """Packages that the loaded modules of a package import, wherever they do it."""
    loaded = [
        module
        for name, module in list(sys.modules.items())
        if name == package or name.startswith(f"{package}.")
    ]
    files = [Path(file) for module in loaded if (file := getattr(module, "__file__", None))]
    if not loaded:  # it is imported only when it is needed, and so is what it imports
        files = [file for file in _code(package).values() if file.is_file()]
    there = [file for file in files if file.suffix == ".py" and file.is_file()]
    return {name for file in there for name in _imported(file, file.stat().st_mtime_ns)}


@lru_cache(maxsize=4096)
def _imported(file: Path, changed: int) -> frozenset[str]:
    """The packages that a file names in its imports; none while it cannot be read as Python."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return frozenset(names)


def _are_together(package: str, other: str) -> bool:
    """Whether another package that is imported came with this one, or with nothing."""
    if other in _OURS or not _code(other):
        return False
    ours, theirs = (set(_distributions().get(name, ())) for name in (package, other))
    return not theirs or bool(ours & theirs)


def _records(record: BaseModel) -> Iterator[BaseModel]:
    """A record and all that it holds."""
    yield record
    for _, value in record:
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, BaseModel):
                yield from _records(item)


def _parts(record: BaseModel) -> Iterator[type]:
    """The classes whose code a record stands for; oracles, data and networks are their records."""
    yield type(record)
    if isinstance(record, LossParameters):
        yield LOSSES.get(record.name)
    elif isinstance(record, TaskParameters):
        yield TASKS.get(record.name)


def _package(package: str) -> Source:
    """A package's versions and of all its files but compiled ones."""
    files = _code(package)
    text = "\0".join((*_versions(package), content_digest(files)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Source("code", package, digest, last_change(files.values()))


def _code(package: str) -> dict[str, Path]:
    """The files of a package but compiled ones, by their names in it; none if it is not there."""
    if (module := sys.modules.get(package)) is not None:
        folders, single = getattr(module, "__path__", ()), getattr(module, "__file__", None)
    else:
        try:
            spec = find_spec(package)
        except (ImportError, ValueError):
            return {}
        folders = (spec and spec.submodule_search_locations) or ()
        single = spec.origin if spec is not None and spec.has_location else None
    if not folders:
        return {Path(single).name: Path(single)} if single else {}
    return {
        f"{number}/{file.relative_to(folder).as_posix()}": file
        for number, folder in enumerate(map(Path, folders))
        for file in folder.rglob("*")
        if "__pycache__" not in file.parts
    }


@cache
def _distributions() -> dict[str, list[str]]:
    """The distributions that bring each package, by its name as it is imported."""
    return {name: list(found) for name, found in packages_distributions().items()}


@cache
def _versions(package: str) -> tuple[str, ...]:
    """Names and versions of the distributions that bring a package: none for a loose file."""
    found = []
    for distribution in sorted(set(_distributions().get(package, ()))):
        try:
            found.append(f"{distribution} {version(distribution)}")
        except PackageNotFoundError:  # removed since
            continue
    return tuple(found)


def _files_of(data: DataParameters) -> Source:
    files = data.files()
    return Source(
        "data", data.model_dump_json(), content_digest(files), last_change(files.values())
    )
