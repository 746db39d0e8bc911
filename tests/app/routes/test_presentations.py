"""Presentations: pages that follow hear where the teacher is, and nobody else can move them."""

from collections.abc import Callable

import pytest

from tests.app.harness import LabServer
from tests.app.presenting import begin_presentation as begin
from tests.app.presenting import followed, place_of
from tests.app.presenting import move_presentation as move


def test_a_follower_hears_where_it_is_and_each_move_to_the_end(server: LabServer) -> None:
    begun = begin(server)
    with followed(server, begun["id"]) as messages:
        assert place_of(next(messages)) == ("runs/3f2a?step=5", None)
        moved = move(server, begun, address="surfaces?x=1", highlight="The loss").json()
        assert moved["followers"] == 1
        assert place_of(next(messages)) == ("surfaces?x=1", "The loss")
        assert move(server, begun, address="surfaces?x=1", ended=True).status_code == 200
        assert [m["event"] for m in messages] == ["ended"]
    assert server.client.get(f"/api/presentations/{begun['id']}").status_code == 404


def test_the_same_place_again_is_no_news(server: LabServer) -> None:
    begun = begin(server)
    first = move(server, begun, address="runs").json()
    again = move(server, begun, address="runs").json()
    assert again["number"] == first["number"] == begun["number"] + 1
    move(server, begun, ended=True)


@pytest.mark.parametrize("secret", ["", "0" * 32, "é"])
def test_without_the_secret_nothing_moves(server: LabServer, secret: str) -> None:
    begun = begin(server)
    assert move(server, {**begun, "secret": secret}, address="runs").status_code == 403
    other = begin(server)
    assert move(server, {**begun, "secret": other["secret"]}, ended=True).status_code == 403
    shown = server.client.get(f"/api/presentations/{begun['id']}").json()
    assert shown["address"] == "runs/3f2a?step=5"
    assert "secret" not in shown
    missing = server.client.put(f"/api/presentations/{begun['id']}", json={"address": "runs"})
    assert missing.status_code == 422
    for one in (begun, other):
        move(server, one, ended=True)


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example", "/api/runs", "javascript:alert(1)", "\\\\evil",
     "runs\0", "a" * 8001, "runs#<script>"],
)  # fmt: skip
def test_no_address_leads_out_of_the_lab(server: LabServer, address: str) -> None:
    answer = server.client.post("/api/presentations", json={"address": address})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "address"]


@pytest.mark.parametrize("name", ["0123456789ab", "nonsense"])
def test_an_unknown_presentation_has_no_followers(server: LabServer, name: str) -> None:
    status = 404 if name == "0123456789ab" else 422
    for path in ("", "/events", "/qr.svg"):
        assert server.client.get(f"/api/presentations/{name}{path}").status_code == status


def test_the_code_is_that_of_the_link(server: LabServer) -> None:
    begun = begin(server)
    assert begun["link"] == f"{server.url}/follow/{begun['id']}"
    page = server.client.get(begun["link"])
    assert page.status_code == 200
    assert "<html" in page.text
    code = server.client.get(f"/api/presentations/{begun['id']}/qr.svg")
    assert code.headers["content-type"] == "image/svg+xml"
    other = begin(server)
    assert code.text != server.client.get(f"/api/presentations/{other['id']}/qr.svg").text
    for one in (begun, other):
        move(server, one, ended=True)


def test_a_restart_forgets_nothing(new_server: Callable[..., LabServer]) -> None:
    server = new_server(shutdown_seconds=60).start()
    begun, over = begin(server), begin(server)
    move(server, over, ended=True)
    with followed(server, begun["id"]) as messages:
        next(messages)
        assert server.stop() < 30.0  # a follower would keep it for the 60 s
    server.start()
    with followed(server, begun["id"]) as messages:
        assert place_of(next(messages)) == ("runs/3f2a?step=5", None)
        assert move(server, begun, address="runs").json()["number"] == 1
        assert place_of(next(messages)) == ("runs", None)
    assert server.client.get(f"/api/presentations/{over['id']}").status_code == 404
    assert move(server, over, address="runs").json()["number"] == 0, "whoever has the secret"
