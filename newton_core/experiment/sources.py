"""What a run's numbers depend on beside its spec: code of other packages, and data on disk."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from newton_core.data import DataParameters
from newton_core.experiment.spec import ExperimentSpec
from newton_core.folders import content_digest, last_change
from newton_core.losses.base import LOSSES, LossParameters
from newton_core.tasks import TASKS, TaskParameters

_OURS = frozenset({"newton_core", "torch", "pydantic", "numpy"}) | sys.stdlib_module_names
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
    """The packages that are not ours in which the parts and their base classes are written."""
    modules = {base.__module__.partition(".")[0] for part in parts for base in part.__mro__}
    return tuple(map(_package, sorted(modules - _OURS)))


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
    module = sys.modules[package]
    folders = [Path(folder) for folder in getattr(module, "__path__", ())]
    files = {
        f"{number}/{file.relative_to(folder).as_posix()}": file
        for number, folder in enumerate(folders)
        for file in folder.rglob("*")
        if "__pycache__" not in file.parts
    }
    if not folders and module.__file__:
        files = {Path(module.__file__).name: Path(module.__file__)}
    text = "\0".join((*_versions(package), content_digest(files)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Source("code", package, digest, last_change(files.values()))


@cache
def _versions(package: str) -> tuple[str, ...]:
    """Names and versions of the distributions that bring a package: none for a loose file."""
    found = []
    for distribution in sorted(set(packages_distributions().get(package, ()))):
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
