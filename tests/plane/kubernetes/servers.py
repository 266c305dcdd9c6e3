"""Servers on loopback that play an API server, and kubeconfigs for them."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["Asking", "kubeconfig", "serving"]

#: One request: answer it with ``send_response`` and the like.
Asking = BaseHTTPRequestHandler


@contextmanager
def serving(answer: Callable[[Asking], None], *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server until the block ends.

    Args:
        answer: Answers one request, or does not.
        tls: Speak TLS; what this is changed to later holds for later connections.

    Yields:
        Its address.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def kubeconfig(file: Path, url: str, *, authority: str = "", user: str = "{token: t}") -> str:
    """Write a kubeconfig; returns where."""
    trust = f", certificate-authority-data: {base64.b64encode(authority.encode()).decode()}" if authority else ""
    file.write_text(
        "kind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
        f"clusters: [{{name: c, cluster: {{server: '{url}'{trust}}}}}]\nusers: [{{name: u, user: {user}}}]\n"
    )
    return str(file)
