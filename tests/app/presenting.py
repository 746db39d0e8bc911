"""What tests ask of presentations."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.app.harness import LabServer, Message, read_messages


def begin_presentation(server: LabServer, address: str = "runs/3f2a?step=5") -> dict[str, Any]:
    answer = server.client.post("/api/presentations", json={"address": address})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def move_presentation(server: LabServer, begun: dict[str, Any], **change: Any) -> Any:
    body = {"secret": begun["secret"], **change}
    return server.client.put(f"/api/presentations/{begun['id']}", json=body)


@contextmanager
def followed(server: LabServer, name: str) -> Iterator[Iterator[Message]]:
    with server.client.stream("GET", f"/api/presentations/{name}/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield (m for m in read_messages(answer.iter_lines()) if m.get("event") != "ping")


def place_of(message: Message) -> tuple[str, str | None]:
    assert message["event"] == "place"
    data = json.loads(message["data"])
    return data["address"], data["highlight"]
