"""What the Dockerfile asks for, and what .dockerignore lets through."""

import re
from pathlib import Path

from pathspec import PathSpec

ROOT = Path(__file__).parents[1]


def steps(text: str) -> list[tuple[str, str]]:
    """(instruction, rest) of each line, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in joined]


def context_sources(text: str) -> list[str]:
    """The files and folders of the build's context that a Dockerfile copies."""
    found: list[str] = []
    for instruction, rest in steps(text):
        words = rest.split()
        if instruction == "COPY" and not any(word.startswith("--from=") for word in words):
            found += [word for word in words if not word.startswith("--")][:-1]
    return found


class IgnoreRules:
    """The rules of a .dockerignore: those of a .gitignore, but each starts at the context's root.

    The last rule that matches a path or a folder above it decides.
    """

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
        anchored = [re.sub(r"^(!?)/?", r"\1/", line) for line in lines]
        self._rules = PathSpec.from_lines("gitignore", anchored).patterns

    def keep_out(self, path: Path) -> bool:
        """Whether a path, relative to the context, is not sent to the build."""
        above = [one.as_posix() for one in (path, *path.parents[:-1])]
        out = False
        for rule in self._rules:
            if any(rule.match_file(one) for one in above):
                out = bool(rule.include)
        return out


def context_files(source: str, rules: IgnoreRules, root: Path = ROOT) -> list[Path]:
    """The files of a source that are sent to the build, relative to ``root``."""
    start = root / source
    every = [start] if start.is_file() else sorted(p for p in start.rglob("*") if p.is_file())
    relative = [path.relative_to(root) for path in every]
    return [path for path in relative if not rules.keep_out(path)]
