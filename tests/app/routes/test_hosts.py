"""By which names the lab may be called, and which pages may ask it for changes."""

from collections.abc import Iterator

import pytest

from app.settings import SettingsError, load_settings
from tests.app.harness import LabServer

REFUSED_BY_DEFAULT = [
    "evil.example",
    "evil.example:8000",
    "192.168.1.20:8000",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "user@localhost",
    "",
    "lab.example.org",
    "[::1",
    "0.0.0.0",
]


@pytest.mark.parametrize("host", REFUSED_BY_DEFAULT)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/runs"), ("DELETE", "/api/runs/x"), ("GET", "/")]
)
def test_other_names_are_refused(server: LabServer, host: str, method: str, path: str) -> None:
    answer = server.client.request(method, path, headers={"Host": host})
    assert answer.status_code == 400
    assert "NEWTON_LAB_HOSTS" in answer.json()["detail"]
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:9", "LOCALHOST.", "127.0.0.1:1", "127.1.2.3", "[::1]:8000"]
)
def test_names_of_this_machine_are_known(server: LabServer, host: str) -> None:
    assert server.client.get("/api/health", headers={"Host": host}).status_code == 200


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    lab = LabServer(
        tmp_path_factory.mktemp("public") / "data",
        host="0.0.0.0", hosts="lab.example.org, other.example:8443", fork_workers=0,
    )  # fmt: skip
    yield lab.start()
    lab.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("192.168.1.20:8000", 200),
        ("[2001:db8::1]", 200),
        ("localhost", 200),
        ("lab.example.org", 200),
        ("lab.example.org:8000", 200),
        ("other.example:8443", 200),
        ("other.example", 400),
        ("evil.example", 400),
        ("x.lab.example.org", 400),
    ],
)
def test_class_room_opens_an_address_or_a_listed_name(
    public: LabServer, host: str, status: int
) -> None:
    assert public.client.get("/api/health", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("192.168.1.20:8000", None, 404),
        ("192.168.1.20:8000", "http://192.168.1.20:8000", 404),
        ("192.168.1.20:8000", "http://192.168.1.20:8001", 403),
        ("192.168.1.20:8000", "http://192.168.1.20", 403),
        ("192.168.1.20:8000", "http://evil.example", 403),
        ("192.168.1.20:8000", "null", 403),
        ("192.168.1.20:8000", "http://lab.example.org", 404),
        ("192.168.1.20:8000", "https://other.example:8443", 404),
        ("192.168.1.20:8000", "https://other.example", 403),
        ("lab.example.org", "https://lab.example.org", 404),
        ("lab.example.org", "https://lab.example.org:443", 404),
        ("localhost:8000", "http://127.0.0.1:8000", 403),
        ("[::1]:8000", "http://[::1]:8000", 404),
        ("localhost:8000", "chrome-extension://localhost:8000", 403),
        ("localhost:8000", "", 403),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "PUT"])
def test_changes_come_from_pages_of_the_lab(
    public: LabServer, host: str, origin: str | None, status: int, method: str
) -> None:
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    path = "/api/runs/ffffffffffff" + ("/stop" if method == "POST" else "")
    answer = public.client.request(method, path, headers=headers, json={"pinned": True})
    allowed = (status, 405) if method == "PUT" else (status,)
    assert answer.status_code in allowed
    assert answer.json()["detail"]


def test_page_of_another_site_may_read_nothing_but_is_not_refused(server: LabServer) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = server.client.get("/api/health", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("hosts", ["https://lab.example.org", "lab.example.org/x", "*", "a:b"])
def test_list_of_names_is_checked(hosts: str) -> None:
    with pytest.raises(SettingsError, match="NEWTON_LAB_HOSTS"):
        load_settings(hosts=hosts)


def test_names_are_separated_by_spaces_or_commas() -> None:
    settings = load_settings(hosts=" a.example,b.example:8443  c.example ")
    assert settings.hosts == "a.example b.example:8443 c.example"
