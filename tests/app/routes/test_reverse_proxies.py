"""The lab behind real proxies under a path prefix, by the recipes of ``deploy``."""

import contextlib
import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.app.harness import LabServer, Scripts, long_spec, read_messages, tiny_spec

DEPLOY = Path(__file__).parents[3] / "deploy"
PREFIX = "/newton-lab/"
UPSTREAM = "127.0.0.1:8000"
NAME = "lab.example.org"


def nginx(folder: Path, port: int, upstream: str) -> list[str]:
    recipe = (DEPLOY / "nginx.conf").read_text("utf-8").replace(UPSTREAM, upstream)
    file = folder / "nginx.conf"
    file.write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; daemon off;\n"
        f"events {{}}\nhttp {{ access_log off; client_body_temp_path {folder}/body;\n"
        f"proxy_temp_path {folder}/proxy;\n"
        f"server {{ listen 127.0.0.1:{port}; server_name {NAME}; {recipe} }} }}\n"
    )
    return ["nginx", "-c", str(file), "-p", str(folder)]


def caddy(folder: Path, port: int, upstream: str) -> list[str]:
    recipe = (DEPLOY / "Caddyfile").read_text("utf-8").replace(UPSTREAM, upstream)
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n}\n" + recipe.replace(f"\n{NAME} {{", f"\nhttp://:{port} {{"))
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy])
def behind(
    request: pytest.FixtureRequest, tmp_path: Path, new_server: Callable[..., LabServer]
) -> Iterator[httpx.Client]:
    """A client of a lab behind a proxy, which it calls by the lab's public name."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = request.param.__name__
    if shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        pytest.skip(f"NOT TESTED behind {program}: it is not installed")
    server = new_server(fork_workers=0, hosts=NAME, root_path=PREFIX).start()
    folder = tmp_path / "proxy"
    folder.mkdir()
    command = request.param(folder, port, server.url.removeprefix("http://"))
    with (folder / "log").open("w") as log:
        proxy = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    headers = {"Host": NAME, "Origin": f"http://{NAME}"}
    address = f"http://127.0.0.1:{port}"
    client = httpx.Client(base_url=address, headers=headers, timeout=60.0)
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            client.get(PREFIX)
            break
        time.sleep(0.05)
    yield client
    client.close()
    proxy.terminate()
    proxy.wait(60)


def test_lab_works_behind_a_proxy_under_a_prefix(behind: httpx.Client) -> None:
    assert behind.get(PREFIX.rstrip("/")).headers["location"].endswith(PREFIX)
    page = behind.get(PREFIX)
    sources = Scripts(page.text).sources
    assert len(sources) > 2
    for source in sources:
        path = urljoin(PREFIX, source)
        assert path.startswith(PREFIX), source
        assert behind.get(path).status_code == 200, source
    assert behind.get(f"{PREFIX}api/health").json()["status"] == "ok"
    assert behind.get(f"{PREFIX}runs").text == page.text, "an address inside the page"
    posted = behind.post(f"{PREFIX}api/runs", json=tiny_spec())
    assert posted.status_code == 201, posted.text
    foreign = {"Origin": "http://evil.example"}
    refused = behind.post(f"{PREFIX}api/runs", json=tiny_spec(seed=2), headers=foreign)
    assert refused.status_code == 403
    with behind.stream("GET", f"{PREFIX}api/runs/{posted.json()['id']}/events") as answer:
        kinds = [message["event"] for message in read_messages(answer.iter_lines())]
    assert (kinds[0], kinds[-1]) == ("started", "finished")


def test_events_pass_a_proxy_while_the_run_goes_on(behind: httpx.Client) -> None:
    spec = long_spec(1, steps=100_000, evaluate_every=50_000)
    run = behind.post(f"{PREFIX}api/runs", json=spec).json()["id"]
    with behind.stream("GET", f"{PREFIX}api/runs/{run}/events") as answer:
        assert "content-encoding" not in answer.headers
        messages = read_messages(answer.iter_lines())
        kinds = (message.get("event") for message in messages)
        assert "metrics" in itertools.islice(kinds, 100)
        assert behind.get(f"{PREFIX}api/runs/{run}").json()["status"] == "running"
    assert behind.post(f"{PREFIX}api/runs/{run}/stop").status_code == 202
