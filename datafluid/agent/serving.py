"""The newest report over HTTP, for Prometheus and for people."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from datafluid.model.node_report import NodeReport

__all__ = ["serve_reports"]


@contextmanager
def serve_reports(
    host: str, port: int, *, metrics: Callable[[NodeReport], str]
) -> Iterator[tuple[str, Callable[[NodeReport], None]]]:
    """Answer ``/metrics`` and ``/report.json`` until the block ends.

    Args:
        host: The address to listen at; "" for all.
        port: The port; 0 takes a free one.
        metrics: Writes a report in Prometheus' text format.

    Yields:
        The address, and what to call with each new report.
    """
    newest: list[NodeReport] = []

    def tell(report: NodeReport) -> None:
        newest[:] = [report]

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # of an idle connection, which would hold a thread

        def do_GET(self) -> None:
            pages: dict[str, tuple[str, Callable[[NodeReport], str]]] = {
                "/metrics": ("text/plain; version=0.0.4; charset=utf-8", metrics),
                "/report.json": ("application/json", NodeReport.to_json),
            }
            if self.path not in pages or not newest:
                self.send_error(404 if newest else 503)
                return
            kind, write = pages[self.path]
            body = write(newest[0]).encode(errors="backslashreplace")
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a scrape every few seconds is not worth a line."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server((host, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="agent-metrics", daemon=True)
        thread.start()
        try:
            yield f"{host or '*'}:{server.server_address[1]}", tell
        finally:
            server.shutdown()
            thread.join()
