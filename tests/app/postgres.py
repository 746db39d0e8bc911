"""A private PostgreSQL server, which tests may stop and start again."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil


def postgres_binaries() -> Path | None:
    """Where PostgreSQL's programs are, if its server is installed."""
    command = shutil.which("pg_config")
    if command is None:
        return None
    found = subprocess.run([command, "--bindir"], check=True, capture_output=True, text=True)
    folder = Path(found.stdout.strip())
    return folder if (folder / "initdb").exists() else None


class Postgres:
    """One cluster in a folder, reached through a socket there."""

    def __init__(self, binaries: Path, folder: Path, root: Path) -> None:
        """Makes the cluster; ``root`` is the folder of all tests, which its user must enter."""
        self._binaries = binaries
        self._folder = folder
        self._owner = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        self.url = f"postgresql://lab@/postgres?host={folder}"
        if self._owner:
            for path in (folder, *folder.parents):
                if path.owner() == "root" and path.is_relative_to(root.parent):
                    path.chmod(0o755)
            shutil.chown(folder, self._owner)
        options = ("-U", "lab", "--auth=trust", "--no-sync")
        self._call(str(binaries / "initdb"), "-D", str(folder / "cluster"), *options)

    def start(self) -> "Postgres":
        options = f"-c listen_addresses='' -c fsync=off -k {self._folder}"
        self._control("-o", options, "-l", str(self._folder / "log"), "-w", "start")
        return self

    def stop(self) -> None:
        """As a crash does: connections break in the middle of what they do."""
        self._control("-m", "immediate", "stop")

    @property
    def process(self) -> psutil.Process:
        """The server, which has started all others."""
        number = (self._folder / "cluster" / "postmaster.pid").read_text("ascii").split()[0]
        return psutil.Process(int(number))

    def kill(self) -> None:
        """SIGKILL for the server and all that it has started."""
        server = self.process
        family = [server, *server.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=30.0)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """SIGSTOP for the server and its children: connections stand, nothing answers."""
        server = self.process
        family = [server, *server.children(recursive=True)]
        for process in family:
            process.suspend()
        try:
            yield
        finally:
            for process in family:
                process.resume()

    def _control(self, *arguments: str) -> None:
        program = str(self._binaries / "pg_ctl")
        self._call(program, "-D", str(self._folder / "cluster"), *arguments)

    def _call(self, *command: str) -> None:
        subprocess.run(
            command, check=True, user=self._owner, stdout=subprocess.DEVNULL, cwd=self._folder
        )
