"""Replays the Dockerfile's own steps without Docker, and asks the result for its page.

    sudo python -m scripts.replay_dockerfile [ARG=VALUE ...]

Each stage gets an empty folder of its own, mounted over the places that the Dockerfile writes to
(``PLACES``) in a private mount namespace; its COPY and RUN lines are carried out there. The base
images are replaced by this machine's Python and Node, and USER, VOLUME, EXPOSE and HEALTHCHECK are
left out: what is shown is that the steps fit together, not that the images do. Linux, as root.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
PLACES = ("/src", "/opt/lab", "/data")
PORT = 8931


@dataclass
class Stage:
    """What the stages before the current line have made."""

    folder: Path
    directory: str = "/"
    variables: dict[str, str] = field(default_factory=dict)

    def path(self, inside: str) -> Path:
        """Where a path of the stage lies on this machine."""
        return self.folder / str(Path("/", self.directory, inside)).lstrip("/")

    def command(self, command: str) -> list[str]:
        """``command`` as the stage sees the world: its own folders, its variables."""
        mounts = []
        for place in PLACES:
            self.path(place).mkdir(parents=True, exist_ok=True)
            mounts.append(f"mkdir -p {place} && mount --bind {self.path(place)} {place}")
        exports = [f"export {name}={shlex.quote(text)}" for name, text in self.variables.items()]
        script = " && ".join([*mounts, *exports, f"cd {self.directory}", f"{{ {command}; }}"])
        return ["unshare", "--mount", "bash", "-euc", script]


def steps(text: str) -> list[tuple[str, str]]:
    """(instruction, rest) of each line, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in joined]


def ignored(_folder: str, names: list[str]) -> set[str]:
    """What .dockerignore keeps out of the build's context."""
    return set(names) & {"node_modules", "dist", "__pycache__", ".venv", ".git"}


def copy(stage: Stage, made: dict[str, Stage], arguments: list[str]) -> None:
    """COPY [--from=STAGE] SOURCE ... TARGET."""
    source_of = next((a.split("=", 1)[1] for a in arguments if a.startswith("--from=")), None)
    *sources, target = [a for a in arguments if not a.startswith("--")]
    for name in sources:
        source = made[source_of].path(name) if source_of else ROOT / name
        to = stage.path(target)
        if source.is_dir():
            skip = None if source_of else ignored
            shutil.copytree(source, to, dirs_exist_ok=True, symlinks=True, ignore=skip)
        else:
            into = to / source.name if len(sources) > 1 or target.endswith(("/", ".")) else to
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, into)


def replay(work: Path, given: dict[str, str]) -> Stage:
    """Carries the Dockerfile out; the last stage."""
    made: dict[str, Stage] = {}
    stage, defaults = Stage(work), dict[str, str]()
    for instruction, rest in steps((ROOT / "Dockerfile").read_text("utf-8")):
        if instruction == "FROM":
            base, *name = rest.split(" AS ")
            stage = Stage(work / f"stage-{len(made)}")
            if base in made:
                shutil.copytree(made[base].folder, stage.folder, symlinks=True)
                stage.directory = made[base].directory
                stage.variables = dict(made[base].variables)
            made[name[0] if name else "last"] = stage
        elif instruction == "ARG":
            key, _, default = rest.partition("=")
            defaults.setdefault(key, given.get(key, default))
            stage.variables[key] = defaults[key]
        elif instruction == "ENV":
            for pair in shlex.split(rest):
                key, _, value = pair.partition("=")
                stage.variables[key] = value
        elif instruction == "WORKDIR":
            stage.directory = str(Path("/", stage.directory, rest))
            stage.path(".").mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            copy(stage, made, rest.split())
        elif instruction == "RUN" and "useradd" not in rest:
            sys.stdout.write(f"RUN {rest}\n")
            sys.stdout.flush()
            subprocess.run(stage.command(rest), check=True)
    return stage


def main() -> None:
    """Replays the Dockerfile, serves the result and looks at the page."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as work:
        stage = replay(Path(work), given)
        stage.directory = "/"
        stage.variables |= {"NEWTON_LAB_PORT": str(PORT), "NEWTON_LAB_HOST": "127.0.0.1"}
        path = stage.variables.pop("PATH").replace("$PATH", "/usr/local/bin:/usr/bin:/bin")
        server = subprocess.Popen(stage.command(f"export PATH={path}; exec newton-lab serve"))
        try:
            for _ in range(60):
                try:
                    with urlopen(f"http://127.0.0.1:{PORT}/api/health", timeout=5) as answer:
                        health = json.load(answer)
                    with urlopen(f"http://127.0.0.1:{PORT}/", timeout=5) as answer:
                        page = answer.read().decode()
                    break
                except OSError:
                    time.sleep(1)
            else:
                raise SystemExit("the result of the Dockerfile's steps did not answer")
        finally:
            server.terminate()
            server.wait(20)
    if health["status"] != "ok" or "Newton Lab" not in page:
        raise SystemExit(f"unexpected answer: {health}")
    sys.stdout.write("the Dockerfile's steps make a lab that serves its page\n")


if __name__ == "__main__":
    main()
