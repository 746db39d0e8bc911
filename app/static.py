"""The page's files: found, compressed once, served under hashed names that never change.

Everything under ``/assets`` carries a hash in its name and is cached for good; ``index.html`` is
asked for every time and names the current ones. Plotly is the plotly.min.js inside the installed
plotly package, so that charts and templates always agree, without any network.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from servestatic import ServeStaticASGI
from servestatic.asgi import FileServerASGI
from servestatic.compress import Compressor
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

ROOT_PLACEHOLDER = "__ROOT_PATH__"
PLOTLY_PLACEHOLDER = "__PLOTLY_URL__"
NOT_BUILT = (
    "The page is not built. In a checkout, run `make page` (or `npm run build` in the folder"
    " frontend); an installed wheel has it. The interface under /api works without it."
)
_PACKAGE = Path(__file__).parent


class PageNotBuiltError(RuntimeError):
    """A file of the page is not there; the message says how to build it."""


def page_dir() -> Path:
    """The built page: inside an installed package, or where a checkout builds it."""
    packaged = _PACKAGE / "page"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "frontend" / "dist"


def plotly_file() -> Path:
    """The plotly.min.js that the installed plotly package brings."""
    return Path(str(resources.files("plotly") / "package_data" / "plotly.min.js"))


@dataclass(frozen=True)
class Asset:
    """A file and the path that it is served under, relative to the page."""

    path: str
    file: Path


class FileAnswer(Response):
    """Serves one file, compressed where the client takes that, or says that it has not changed."""

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        await FileServerASGI(self._file)(scope, receive, send)


class StaticFiles:
    """The files of the page, ready to be served."""

    def __init__(self, cache_dir: Path, page: Path | None = None) -> None:
        self._page = page or page_dir()
        folder = _compressed(cache_dir, list(self._assets()))
        self._server = ServeStaticASGI(
            None,
            root=folder,
            prefix="/",
            max_age=60,
            allow_all_origins=False,
            immutable_file_test=r"^/assets/",
        )

    def _assets(self) -> Iterator[Asset]:
        yield Asset(self.plotly_path, plotly_file())
        for file in sorted(self._page.rglob("*")):
            path = file.relative_to(self._page).as_posix()
            hidden = any(part.startswith(".") for part in path.split("/"))
            if file.is_file() and not hidden and not path.startswith(("index.html", "report/")):
                yield Asset(path, file)

    @cached_property
    def plotly_path(self) -> str:
        """Where Plotly is served, relative to the page."""
        digest = hashlib.sha256(plotly_file().read_bytes()).hexdigest()[:12]
        return f"assets/plotly-{digest}.min.js"

    def find(self, path: str) -> FileAnswer | None:
        """The file under a path that starts with a slash."""
        file = self._server.files.get(path)
        return None if file is None else FileAnswer(file)

    def index(self, root_path: str) -> str:
        """The page itself, for a lab that is shown under ``root_path``.

        Raises:
            PageNotBuiltError: it is not there.
        """
        try:
            html = (self._page / "index.html").read_text("utf-8")
        except FileNotFoundError:
            raise PageNotBuiltError(NOT_BUILT) from None
        plotly_url = f"{root_path}/{self.plotly_path}"
        return html.replace(PLOTLY_PLACEHOLDER, plotly_url).replace(ROOT_PLACEHOLDER, root_path)


def page_answer(files: StaticFiles, path: str, root_path: str) -> Response:
    """The file under a path, or else the page, for a lab that is shown under ``root_path``."""
    if found := files.find(path):
        return found
    try:
        html = files.index(root_path)
    except PageNotBuiltError as error:
        return PlainTextResponse(str(error), status_code=503)
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})


def _compressed(cache_dir: Path, assets: list[Asset]) -> Path:
    """A folder with copies of the assets and their compressed variants, made once for all."""
    digest = hashlib.sha256()
    for asset in assets:
        state = asset.file.stat()
        digest.update(f"{asset.path} {state.st_size} {state.st_mtime_ns}\n".encode())
    target = cache_dir / f"static-{digest.hexdigest()[:16]}"
    if target.is_dir():
        return target
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir, prefix=".making-") as making:
        folder = Path(making, "static")
        compressor = Compressor(quiet=True)
        for asset in assets:
            copy = folder / asset.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(asset.file, copy)
            if compressor.should_compress(asset.path):
                compressor.compress(copy)
        folder.mkdir(exist_ok=True)
        for old in cache_dir.glob("static-*"):
            shutil.rmtree(old, ignore_errors=True)  # another page's files; made again if needed
        os.replace(folder, target)
    return target
