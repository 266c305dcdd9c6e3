"""A loopback relay in front of a server that lets so many bytes through and then holds them back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Relay"]


class Relay:
    """Forwards connections; answers stop after ``limit`` bytes until `release`.

    Args:
        endpoint: The server, ``http://host:port``.
        limit: Bytes that the server may answer in all before it is held back.

    Attributes:
        passed: Bytes of answers that went through.
        blocked: Set when answers are held back.
    """

    def __init__(self, endpoint: str, limit: int) -> None:
        parts = urlsplit(endpoint)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._left = limit
        self.passed = 0
        self._lock = threading.Lock()
        self._gate = threading.Event()
        self.blocked = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._run(self._accept)

    def release(self) -> None:
        """Let everything through from now on."""
        self._gate.set()

    def close(self) -> None:
        """Stop listening, and let go of what waits."""
        self.release()
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(timeout=10)
        for each in (self._listener, *self._open):
            each.close()

    def _run(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for source, sink, held in ((client, server, False), (server, client, True)):
                    self._run(self._copy, source, sink, held)

    def _copy(self, source: socket.socket, sink: socket.socket, held: bool) -> None:
        with suppress(OSError):
            while data := source.recv(16384):
                if held:
                    self._hold(len(data))
                sink.sendall(data)
                if held:
                    with self._lock:
                        self.passed += len(data)
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
