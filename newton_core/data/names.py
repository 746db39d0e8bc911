"""Finds the files that a table names, also where another system spells the names otherwise."""

import os
import posixpath
import unicodedata
from functools import cached_property
from pathlib import Path

_MOST_FILES = 1_000_000  # that are looked through for another spelling


class FilesOfFolder:
    """The files in a folder and its subfolders, by the names that a table gives them.

    A name that is not there as it is spelled may have backslashes for slashes (Windows), other
    capitals (Windows and macOS do not tell them apart), or letters with accents in two parts
    (macOS). It then stands for the one file that differs in nothing else.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def find(self, name: str) -> tuple[str, Path]:
        """The name by which the split knows the file, and its path with links resolved.

        Raises:
            ValueError: there is no such file, it lies outside the folder, or the name fits several.
        """
        spelling = name
        for spelling in dict.fromkeys((name, name.replace("\\", "/"))):
            path, there = self._inside(spelling, name)
            if there:
                return spelling, path
        fitting = self._others.get(_without_spelling(spelling), [])
        if len(fitting) > 1:
            raise ValueError(f"{name} may be {' or '.join(sorted(fitting)[:3])}: name one of them")
        path, there = self._inside(fitting[0] if fitting else spelling, name)
        if not (fitting and there):  # what is there may be a pipe, which would never end
            raise ValueError(f"there is no file {name} in the folder")
        return unicodedata.normalize("NFC", fitting[0]), path

    def _inside(self, spelling: str, name: str) -> tuple[Path, bool]:
        """The path within the folder, and whether a file is there."""
        try:
            path = (self._root / spelling).resolve()
            there = path.is_file()
        except RuntimeError:  # how Path says that links lead in a circle
            raise ValueError(f"{name} is a link that leads to itself") from None
        except OSError as error:
            raise ValueError(f"{name}: {error.strerror}") from error
        except ValueError:
            raise ValueError(f"{name!r} holds the character NUL, which no name has") from None
        if not path.is_relative_to(self._root):
            raise ValueError(f"{name} lies outside the folder")
        return path, there

    @cached_property
    def _others(self) -> dict[str, list[str]]:
        """Every file's path within the folder, by what is left of it without its spelling.

        Empty where there are too many: names must then be spelled as they are.
        """
        found: dict[str, list[str]] = {}
        count = 0
        for folder, _, names in os.walk(self._root):
            count += len(names)
            if count > _MOST_FILES:
                return {}
            for name in names:
                path = Path(folder, name).relative_to(self._root).as_posix()
                found.setdefault(_without_spelling(path), []).append(path)
        return found


def _without_spelling(path: str) -> str:
    folded = unicodedata.normalize("NFC", posixpath.normpath(path)).casefold()
    return unicodedata.normalize("NFC", folded)
