"""A tree of the project's sources, and processes that run it on its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scripts.behaviour.cases import OWN_IMAGES

HERE = Path(__file__).resolve().parents[2]
"""The working tree: the checkout that this script lies in."""


class TreeError(RuntimeError):
    """A tree that cannot be run; the message says why."""


@dataclass(frozen=True)
class Tree:
    """A folder with ``newton_core``, ``app`` and ``frontend``.

    Attributes:
        name: as it is reported.
        folder: absolute.
    """

    name: str
    folder: Path

    def environment(self, data: Path, settings: Mapping[str, object]) -> dict[str, str]:
        """What a process of this tree sees: its own sources first, its own data, one thread."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("NEWTON_LAB_")}
        given = {"data_dir": data, "log_level": "error", **settings}
        own = {f"NEWTON_LAB_{name.upper()}": str(value) for name, value in given.items()}
        return {**inherited, **own, "PYTHONPATH": str(self.folder), "OMP_NUM_THREADS": "1"}

    def start(
        self, arguments: list[str], data: Path, **settings: object
    ) -> "subprocess.Popen[bytes]":
        """A Python of this tree."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment(data, settings),
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def opened_tree(reference: str) -> Iterator[Tree]:
    """The tree in a folder, or that of a commit, unpacked for as long as it is needed.

    Raises:
        TreeError: ``reference`` is neither.
    """
    if (Path(reference) / "newton_core").is_dir():
        yield Tree(reference, Path(reference).resolve())
        return
    with tempfile.TemporaryDirectory(prefix="tree-") as folder:
        archive = Path(folder) / "tree.tar"
        packed = subprocess.run(
            ["git", "archive", "--output", archive, reference], cwd=HERE, check=False
        )
        if packed.returncode:
            raise TreeError(f"{reference!r} is neither a commit nor a folder of this project")
        shutil.unpack_archive(archive, Path(folder) / "tree", filter="data")
        yield Tree(reference, Path(folder, "tree").resolve())


@contextmanager
def data_folder() -> Iterator[Path]:
    """A temporary data folder which holds a small collection of own images."""
    with tempfile.TemporaryDirectory(prefix="data-") as name:
        own = Path(name) / "own" / OWN_IMAGES
        own.mkdir(parents=True)
        lines = ["file,value"]
        for i in range(24):
            image = Image.new("L", (16, 12), 10 * i + 5)
            image.paste(255 - 10 * i, (i % 8, i % 6, i % 8 + 6, i % 6 + 5))
            image.save(own / f"{i}.png")
            lines.append(f"{i}.png,{i % 8}")
        (own / "values.csv").write_text("\n".join(lines) + "\n", "utf-8")
        yield Path(name)
