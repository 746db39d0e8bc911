"""A proxy that can fall silent without closing anything, as a network does that has gone away."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 65_536


class Proxy:
    """Passes bytes on between browsers and a server, until it is told not to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []
        self._silent = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """From now on bytes go nowhere, also those of connections that are made meanwhile."""
        self._silent.set()

    def recover(self) -> None:
        """New connections are served again; those that there were stay silent."""
        self._silent = threading.Event()

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                browser, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [browser, server]
                self.connections += 1
                for ends in ((browser, server), (server, browser)):
                    arguments = (*ends, self._silent)
                    threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, here: socket.socket, there: socket.socket, silent: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(PIECE):
                if not silent.is_set():
                    there.sendall(data)
            if not silent.is_set():
                there.shutdown(socket.SHUT_WR)


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    started = Proxy(port)
    try:
        yield started
    finally:
        started.close()
