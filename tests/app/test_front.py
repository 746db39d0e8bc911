"""What a server answers while its application is still being loaded."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.front import Front
from app.routes.health import Starting
from app.settings import load_settings
from app.static import StaticFiles

STOP = {"type": "lifespan.shutdown"}


async def _hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@asynccontextmanager
async def _living(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    """The application between its start and its stop, as a server has it."""
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    asked.put_nowait({"type": "lifespan.startup"})
    started = asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            started.set()

    life = asyncio.create_task(front({"type": "lifespan"}, asked.get, send))
    await started.wait()
    transport = httpx.ASGITransport(front)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client
    asked.put_nowait(STOP)
    await life


@pytest.fixture
def page(tmp_path: Path) -> StaticFiles:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<p>__ROOT_PATH__")
    (folder / "hello.txt").write_text("a file")
    return StaticFiles(tmp_path / "cache", folder)


def test_the_page_is_there_before_the_application(page: StaticFiles) -> None:
    may_load = threading.Event()

    def load() -> Starlette:
        may_load.wait(30)
        return Starlette(routes=[Route("/api/hello", _hello)])

    async def ask() -> None:
        front = Front(load_settings(root_path="/lab"), page, load)
        async with _living(front) as client:
            asked = asyncio.create_task(client.get("/api/hello"))
            first = await client.get("/lab/")
            assert (first.status_code, first.text) == (200, "<p>/lab")
            assert "default-src" in first.headers["Content-Security-Policy"]
            assert (await client.get("/lab/hello.txt")).text == "a file"
            assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 400
            health = await client.get("/lab/api/health")
            assert Starting.model_validate(health.json()).reasons == ["the lab is starting"]
            assert (health.status_code, int(health.headers["Retry-After"]) > 0) == (503, True)
            assert (await client.head("/lab/api/health")).status_code == 503
            evil = await client.get("/lab/api/health", headers={"Host": "evil.example"})
            assert evil.status_code == 400
            assert not asked.done()
            may_load.set()
            assert (await asked).text == "hello"
        assert front.failure is None

    asyncio.run(ask())


def test_a_shared_lab_shows_nothing_before_it_can_ask_for_the_code(page: StaticFiles) -> None:
    may_load = threading.Event()

    def load() -> Starlette:
        may_load.wait(30)
        return Starlette(routes=[Route("/", _hello)])

    async def ask() -> None:
        front = Front(load_settings(access_code="blue-whale"), page, load)
        async with _living(front) as client:
            asked = asyncio.create_task(client.get("/"))
            assert not (await asyncio.wait({asked}, timeout=0.1))[0]
            assert (await client.get("/api/health")).status_code == 503
            may_load.set()
            assert (await asked).text == "hello"

    asyncio.run(ask())


def test_whoever_waits_hears_that_the_application_failed(page: StaticFiles) -> None:
    told = []

    def load() -> Starlette:
        raise OSError("the disk is gone")

    async def ask() -> None:
        front = Front(load_settings(), page, load)
        front.on_failure = lambda: told.append(str(front.failure))
        async with _living(front) as client:
            assert (await client.get("/api/hello")).status_code == 503

    asyncio.run(ask())
    assert told == ["the disk is gone"]


def test_whoever_waits_is_answered_when_the_server_stops(page: StaticFiles) -> None:
    may_load = threading.Event()

    def load() -> Starlette:
        may_load.wait(30)
        return Starlette()

    async def ask() -> None:
        front = Front(load_settings(), page, load)
        async with _living(front) as client:
            asked = asyncio.create_task(client.get("/api/hello"))
            assert not (await asyncio.wait({asked}, timeout=0.1))[0]
            front.release()
            assert (await asked).status_code == 503
            may_load.set()

    asyncio.run(ask())
