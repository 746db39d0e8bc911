"""Replays the Dockerfile's own steps without Docker, and asks the result for its page.

    sudo -E python -m scripts.replay_dockerfile [ARG=VALUE ...]

Each stage gets an empty folder of its own, seen under the places that the Dockerfile writes to
(``PLACES``); its COPY lines take what .dockerignore lets through, and its RUN lines are carried out
there as user ``USER``, who may write nowhere else. The lab itself then runs as that user with
everything read-only but ``/data`` and an empty ``/tmp``. The base images are replaced by this
machine's Python and Node. RUN lines that change the base image (``useradd``) and VOLUME, EXPOSE,
LABEL and HEALTHCHECK are left out: what is shown is that the steps fit together and what a lab
needs to run, not that the images do. Linux, with bubblewrap, as root.
"""

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from scripts.docker_context import ROOT, IgnoreRules, context_files, steps

PLACES = ("/src", "/opt/lab", "/data")
PORT = 8931
USER = 10001
SYSTEM = ("/usr", "/etc", "/opt/wheels")
"""What a base image brings; ``/opt/wheels`` is this machine's shelf of packages, if it has one."""
LINKS = {"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64"}
KEPT = ("PIP_", "SSL_", "NODE_EXTRA_", "REQUESTS_", "http_proxy", "https_proxy")
"""Prefixes of variables that say how packages are reached from here."""


@dataclass
class Stage:
    """What the stages before the current line have made."""

    folder: Path
    directory: str = "/"
    variables: dict[str, str] = field(default_factory=dict)

    def path(self, inside: str) -> Path:
        """Where a path of the stage lies on this machine."""
        return self.folder / str(Path("/", self.directory, inside)).lstrip("/")

    def command(self, command: str, writable: tuple[str, ...] = PLACES) -> list[str]:
        """``command`` as the stage sees the world, as ``USER``."""
        box: list[str | Path] = [
            "bwrap",
            "--unshare-pid",
            "--die-with-parent",
            "--cap-add",
            "ALL",
            "--clearenv",
        ]
        for folder in ("/opt", "/opt/base"):
            box += ["--perms", "0755", "--dir", folder]
        for place in SYSTEM:
            box += ["--ro-bind-try", place, place]
        box += ["--ro-bind", sys.base_prefix, "/usr/local"]
        if writable == PLACES:  # while it is built: the base image's pip
            box += ["--ro-bind", _folder_of("pip"), "/opt/base/pip"]
            box += ["--setenv", "PYTHONPATH", "/opt/base"]
        for link, target in LINKS.items():
            box += ["--symlink", target, link]
        for place in PLACES:
            here = self.path(place)
            here.mkdir(parents=True, exist_ok=True)
            subprocess.run(["chown", "-R", f"{USER}:{USER}", here], check=True)
            box += ["--bind" if place in writable else "--ro-bind", here, place]
        box += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
        given = {k: v for k, v in os.environ.items() if k.startswith(KEPT)}
        given |= {"HOME": "/tmp", "PATH": "/usr/local/bin:/usr/bin:/bin"}
        given["LD_LIBRARY_PATH"] = "/usr/local/lib"  # where Python's own library lies now
        for name, value in (given | self.variables).items():
            box += ["--setenv", name, value.replace("$PATH", given["PATH"])]
        user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        user += ["--bounding-set=-all", "--no-new-privs"]
        box += ["--remount-ro", "/", "--chdir", self.directory, *user]
        return [*map(str, box), "sh", "-euc", command]


def _folder_of(package: str) -> str:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed for {sys.executable}")
    return str(Path(found.origin).parent)


def copy(stage: Stage, made: dict[str, Stage], arguments: list[str]) -> None:
    """COPY [--from=STAGE] SOURCE ... TARGET.

    Raises:
        FileNotFoundError: .dockerignore keeps a source out.
    """
    source_of = next((a.split("=", 1)[1] for a in arguments if a.startswith("--from=")), None)
    *sources, target = [a for a in arguments if not a.startswith("--")]
    rules = IgnoreRules((ROOT / ".dockerignore").read_text("utf-8"))
    for name in sources:
        source = made[source_of].path(name) if source_of else ROOT / name
        to = stage.path(target)
        if source.is_file():
            to = to / source.name if len(sources) > 1 or target.endswith(("/", ".")) else to
        if source_of and source.is_dir():
            shutil.copytree(source, to, dirs_exist_ok=True, symlinks=True)
            continue
        files = [source] if source_of else [ROOT / file for file in context_files(name, rules)]
        if not files:
            raise FileNotFoundError(f"COPY {name}: nothing of it is sent to the build")
        for file in files:
            into = to if file == source else to / file.relative_to(source)
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, into)


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
            _say(f"RUN {rest}")
            if subprocess.run(stage.command(rest)).returncode != 0:
                raise SystemExit(f"this step of the Dockerfile failed: RUN {rest}")
    return stage


def serve(stage: Stage) -> None:
    """Has the result serve its page and train a run, with nothing writable but its data.

    Raises:
        SystemExit: it does not; the message says what went wrong.
    """
    stage.directory = "/"
    stage.variables |= {"NEWTON_LAB_PORT": str(PORT), "NEWTON_LAB_HOST": "127.0.0.1"}
    server = subprocess.Popen(stage.command("exec newton-lab serve", writable=("/data",)))
    try:
        for _ in range(120):
            try:
                health, page = json.loads(_get("/api/health")), _get("/")
                break
            except OSError:
                time.sleep(1)
        else:
            raise SystemExit("the result of the Dockerfile's steps did not answer")
        if health["status"] != "ok" or "Newton Lab" not in page:
            raise SystemExit(f"unexpected answer: {health}")
        trained = _train(stage)
    finally:
        server.terminate()
        server.wait(20)
    if not trained:
        raise SystemExit("a run did not finish")


def _train(stage: Stage) -> bool:
    """A small run of shortest paths; every kernel is there, and none had to be compiled."""
    spec = {
        "task": {
            "name": "shortest_path",
            "data": {"name": "terrain", "train_maps": 10, "test_maps": 10},
        },
        "loss": {"name": "bellman_ford"},
        "arms": [{"label": "Fisher", "curvature": "fisher"}],
        "steps": 5, "batch_size": 4,
    }  # fmt: skip
    request = Request(
        f"http://127.0.0.1:{PORT}/api/runs",
        json.dumps(spec).encode(),
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=60) as answer:
        run = json.load(answer)["id"]
    events = _get(f"/api/runs/{run}/events")
    shipped = stage.path("/opt/lab/share/newton-lab/kernels")
    kernels = list(shipped.rglob("*.nb[ci]"))
    used = stage.path("/data/cache/numba")
    as_shipped = [
        k for k in kernels if (used / k.relative_to(shipped)).read_bytes() == k.read_bytes()
    ]
    found = len(list(used.rglob("*.nb[ci]")))
    _say(f"{len(as_shipped)} of {found} files of machine code are those of the image")
    return "event: finished" in events and 0 < len(as_shipped) == found


def _get(path: str) -> str:
    with urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=300) as answer:
        return str(answer.read().decode())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Replays the Dockerfile, weighs the result, serves it and looks at the page."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as work:
        stage = replay(Path(work), given)
        lab = stage.path("/opt/lab")
        size = subprocess.run(["du", "-sm", lab], check=True, capture_output=True, text=True)
        _say(f"/opt/lab weighs {size.stdout.split()[0]} MB; the base image comes on top")
        _say(f"pip in it: {'yes' if list(lab.rglob('pip')) else 'no'}")
        serve(stage)
    _say("the Dockerfile's steps make a lab that serves its page and trains on a read-only tree")


if __name__ == "__main__":
    main()
