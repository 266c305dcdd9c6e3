"""A loopback relay in front of a server that lets so many bytes through and then holds them back."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

__all__ = ["Relay"]


class Relay:
    """Forwards connections; answers stop after ``limit`` bytes until `release`.

    Args:
        endpoint: The server, ``http://host:port``.
        limit: Bytes that the server may answer in all before it is held back.
    """

    def __init__(self, endpoint: str, limit: int) -> None:
        parts = urlsplit(endpoint)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._left = limit
        self._lock = threading.Lock()
        self._gate = threading.Event()
        self.blocked = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def release(self) -> None:
        """Let everything through from now on."""
        self._gate.set()

    def close(self) -> None:
        """Stop listening, and let go of what waits."""
        self.release()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for source, sink, held in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._copy, args=(source, sink, held), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, held: bool) -> None:
        with suppress(OSError):
            while data := source.recv(16384):
                if held:
                    self._hold(len(data))
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _hold(self, count: int) -> None:
        with self._lock:
            self._left -= count
            over = self._left < 0
        if over:
            self.blocked.set()
            self._gate.wait()
