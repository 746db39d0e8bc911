"""Events behind a proxy that compresses what it is not forbidden to."""

import gzip
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.app.harness import LabServer, long_spec

BUFFER_BYTES = 100_000_000
"""What the proxy gathers before it passes on what it compresses: more than a run has to say."""


@pytest.fixture
def proxy(server: LabServer) -> Iterator[str]:
    """The address of a proxy that compresses, but heeds ``no-transform``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with urllib.request.urlopen(f"{server.url}{self.path}", timeout=60) as answer:
                plain = "no-transform" in answer.headers.get("Cache-Control", "")
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                if not plain:
                    self.send_header("Content-Encoding", "gzip")
                self.end_headers()
                if plain:
                    while part := answer.read1(65536):
                        self.wfile.write(part)
                        self.wfile.flush()
                else:
                    self.wfile.write(gzip.compress(answer.read(BUFFER_BYTES)))

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()


def test_first_event_comes_at_once(server: LabServer, proxy: str) -> None:
    run_id = server.post(long_spec(500, steps=100_000, evaluate_every=50_000))["id"]
    server.wait_for(run_id, lambda run: run["step"] > 10)
    began = time.monotonic()
    with httpx.stream("GET", f"{proxy}/api/runs/{run_id}/events", timeout=60.0) as answer:
        first = next(answer.iter_lines())
        waited = time.monotonic() - began
        assert server.run(run_id)["status"] == "running", "nothing waits for its end"
    server.client.delete(f"/api/runs/{run_id}")
    assert first == "event: started"
    assert waited < 10.0  # some 0.02 s on a quiet machine
    assert httpx.get(f"{proxy}/api/health").headers["content-encoding"] == "gzip", "it compresses"
