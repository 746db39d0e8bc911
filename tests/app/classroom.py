"""Students who press play at the same moment, each with a browser of their own."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from tests.app.harness import Spec

PAGE = ("/", "/api/catalog", "/api/visitor", "/api/lessons")
"""What a page asks for before one can press anything."""
LOOK_SECONDS = 0.5


@dataclass
class Student:
    """What one of them saw.

    Attributes:
        run: id of the run on their page.
        reused: whether it was there before they asked.
        told: seconds from pressing play until the page said a place in the queue, or an event.
        places: those that it said, one after the other.
        last: type of the run's last event.
        slowest: seconds of the slowest answer to their page, from its first address on.
    """

    run: str = ""
    reused: bool = False
    told: float = 0.0
    places: list[int] = field(default_factory=list)
    last: str = ""
    slowest: float = 0.0


async def press_play(
    url: str, specs: Sequence[Spec], headers: dict[str, str] | None = None
) -> list[Student]:
    """Opens a page for each spec, presses play on all of them at once, and waits for the ends."""
    ready = asyncio.Barrier(len(specs))
    return await asyncio.gather(*(_attend(url, spec, headers, ready) for spec in specs))


async def _attend(
    url: str, spec: Spec, headers: dict[str, str] | None, ready: asyncio.Barrier
) -> Student:
    student = Student()
    # A browser asks again where the server has just closed a connection that was idle for 5 s;
    # this client does not, and so it leaves such connections earlier.
    limits = httpx.Limits(keepalive_expiry=1.0)
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=120.0, limits=limits
    ) as client:
        for path in PAGE:
            await _look(client, path, student)
        await ready.wait()
        began = time.monotonic()
        answer = await client.post("/api/runs", json=spec)
        assert answer.status_code in (200, 201), answer.text
        submitted = answer.json()
        student.run, student.reused = submitted["id"], submitted["reused"]
        ended = asyncio.Event()
        await asyncio.gather(
            _follow(client, student, began, ended), _keep_looking(client, student, ended)
        )
    return student


async def _look(client: httpx.AsyncClient, path: str, student: Student) -> None:
    began = time.monotonic()
    await client.get(path)
    student.slowest = max(student.slowest, time.monotonic() - began)


async def _keep_looking(client: httpx.AsyncClient, student: Student, ended: asyncio.Event) -> None:
    """As a page does that shows what the run waits for."""
    while not ended.is_set():
        await _look(client, f"/api/runs/{student.run}", student)
        try:
            await asyncio.wait_for(ended.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue


async def _follow(
    client: httpx.AsyncClient, student: Student, began: float, ended: asyncio.Event
) -> None:
    fields: dict[str, str] = {}
    async with client.stream("GET", f"/api/runs/{student.run}/events") as answer:
        async for line in answer.aiter_lines():
            if line:
                fields |= dict([line.split(": ", 1)])
                continue
            student.told = student.told or time.monotonic() - began
            student.last = fields.get("event", "")
            if student.last == "queue":
                student.places.append(json.loads(fields["data"])["position"])
            fields = {}
    ended.set()
