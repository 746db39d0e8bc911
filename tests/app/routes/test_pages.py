"""The page and its files: caching, compression, policy, prefixes, unknown paths."""

import gzip
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.static import PageNotBuiltError, StaticFiles, page_dir, plotly_file
from tests.app.harness import LabServer, Scripts, tiny_spec

BUILT = (page_dir() / "index.html").is_file()
needs_page = pytest.mark.skipif(not BUILT, reason="NOT TESTED: the built page (run `make page`)")
IMMUTABLE = "max-age=315360000, public, immutable"


@needs_page
@pytest.mark.parametrize("path", ["/", "/runs/abc", "/no/such/page", "/surfaces?x=1"])
def test_page_answers_every_path_of_its_own(server: LabServer, path: str) -> None:
    answer = server.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "__" not in re.sub(r"<script.*?</script>", "", answer.text)
    assert '<base href="/"' in answer.text
    head = server.client.head(path)
    assert (head.status_code, head.text) == (200, "")


@needs_page
def test_page_loads_nothing_from_elsewhere(server: LabServer) -> None:
    text = server.client.get("/").text
    scripts = Scripts(text)
    assert scripts.inline == []
    # loaded by the page's own script once the first frame stands
    assert f'<meta name="plotly" content="{plotly_path()}"' in text
    for source in [*scripts.sources, plotly_path()]:
        assert not re.match(r"(https?:)?//", source)
        answer = server.client.get(httpx.URL(server.url).join("/").join(source))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == IMMUTABLE
        assert re.search(r"-[\w-]{8,}\.", source), "the name holds a hash"


def plotly_path() -> str:
    digest = hashlib.sha256(plotly_file().read_bytes()).hexdigest()[:12]
    return f"/assets/plotly-{digest}.min.js"


def test_plotly_is_that_of_the_installed_package(server: LabServer) -> None:
    answer = server.client.get(plotly_path())
    assert answer.headers["content-encoding"] in ("gzip", "br", "zstd")
    assert answer.headers["cache-control"] == IMMUTABLE
    assert "javascript" in answer.headers["content-type"]
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.content == plotly_file().read_bytes()
    plain = server.client.get(plotly_path(), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


@pytest.mark.parametrize("path", ["/api/nope", "/api", "/api/", "/api/runs/x/nope", "/assets/x.js"])
def test_unknown_path_is_not_the_page(server: LabServer, path: str) -> None:
    answer = server.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/runs"), ("GET", "/api/runs/0/stop"), ("POST", "/api/health")]
)
def test_wrong_method_is_said(server: LabServer, method: str, path: str) -> None:
    answer = server.client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"]


@pytest.mark.parametrize("path", ["/", "/api/health", "/api/nope", "/assets/x.js"])
def test_policy_allows_nothing_inline_or_foreign(server: LabServer, path: str) -> None:
    headers = server.client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["connect-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"


def test_path_prefix_holds_with_and_without_a_proxy_that_strips_it(
    new_server: Callable[..., LabServer],
) -> None:
    frames = "https://course.example.org"
    server = new_server(root_path="/lab/", fork_workers=0, frame_ancestors=frames).start()
    for prefix in ("/lab", ""):
        assert server.client.get(f"{prefix}/api/health").json()["status"] == "ok"
        assert server.client.get(f"{prefix}{plotly_path()}").status_code == 200
        assert server.client.get(f"{prefix}/api/nope").status_code == 404
        page = server.client.get(f"{prefix}/runs/x")
        assert f"frame-ancestors {frames}" in page.headers["content-security-policy"]
        if BUILT:
            assert '<base href="/lab/"' in page.text
            assert f'<meta name="plotly" content="/lab{plotly_path()}"' in page.text
    answer = server.client.post("/lab/api/runs", json=tiny_spec())
    assert answer.status_code == 201
    location = answer.headers["location"]
    assert httpx.URL(location).path == f"/lab/api/runs/{answer.json()['id']}"
    with server.client.stream("GET", f"{location}/events") as stream:
        assert "event: finished" in list(stream.iter_lines())


def test_measurements_are_served_where_they_are_wanted(server: LabServer) -> None:
    answer = server.client.get("/metrics")
    assert "newton_lab_runs_waiting 0.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "report").mkdir()
    (folder / "index.html").write_text('<base href="__ROOT_PATH__/"><script src="__PLOTLY_URL__">')
    (folder / "assets" / "index-0a1b2c3d.js").write_text("let x = 1;\n" * 200)
    (folder / "report" / "report.js").write_text("not served")
    (folder / ".built").write_text("")
    (folder / "robots.txt").write_text("x" * 500)
    return folder


def test_files_are_compressed_once(tmp_path: Path, page: Path) -> None:
    cache = tmp_path / "cache"
    files = StaticFiles(cache, page)
    (made,) = cache.iterdir()
    script = made / "assets" / "index-0a1b2c3d.js"
    packed = script.with_name(f"{script.name}.gz")
    assert gzip.decompress(packed.read_bytes()) == script.read_bytes()
    before = packed.stat().st_mtime_ns, packed.stat().st_ino
    StaticFiles(cache, page)
    assert (packed.stat().st_mtime_ns, packed.stat().st_ino) == before
    for path in ("/assets/index-0a1b2c3d.js", "/robots.txt", f"/{files.plotly_path}"):
        assert files.find(path) is not None
    for path in ("/index.html", "/report/report.js", "/.built", "/assets/../index.html", "/"):
        assert files.find(path) is None
    (page / "assets" / "index-0a1b2c3d.js").write_text("let x = 2;\n" * 300)
    StaticFiles(cache, page)
    assert len(list(cache.iterdir())) == 1, "files of an older page are removed"


def test_placeholders_are_filled_in(tmp_path: Path, page: Path) -> None:
    files = StaticFiles(tmp_path / "cache", page)
    assert files.index("") == f'<base href="/"><script src="/{files.plotly_path}">'
    assert files.index("/lab") == f'<base href="/lab/"><script src="/lab/{files.plotly_path}">'


def test_page_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    files = StaticFiles(tmp_path / "cache", tmp_path / "nothing")
    with pytest.raises(PageNotBuiltError, match="make page"):
        files.index("")
    assert files.find(f"/{files.plotly_path}") is not None
