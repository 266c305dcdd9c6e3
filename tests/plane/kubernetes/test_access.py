"""Kubeconfigs that are none: an error that says which, never one of the libraries' own."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from datafluid.errors import Invalid, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.kubernetes.access import KubeContext, kube_contexts

_REF = Ref("Dataset", "demo", "team")


@pytest.mark.parametrize("text", ["[1, 2]", "kind: Config\ncontexts: [{}]\n", "kind: Config\ncontexts: 3\n", "a: ["])
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, text: str) -> None:
    """Whatever stands in it; and a look at all contexts just passes it by."""
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(Invalid, match="config"):
        KubernetesPlane(kubeconfig=str(file)).get(_REF)
    with pytest.raises(Invalid, match="config"):
        asyncio.run(KubernetesPlane(kubeconfig=str(file)).twin().get(_REF))
    assert kube_contexts(str(file)) == {}


def test_a_context_that_says_nothing_is_still_one(tmp_path: Path) -> None:
    """Half a kubeconfig is somebody's work in progress."""
    file = tmp_path / "config"
    file.write_text("contexts: [{name: a, context: }, {name: b, context: {cluster: [1]}}]\nclusters: [3]\n")
    assert kube_contexts(str(file)) == {"a": KubeContext(), "b": KubeContext()}


def test_what_exists_is_told_however_little_time_there_is(tmp_path: Path) -> None:
    """Who may list and not read looks at one object by a watch without time."""
    listed = b'{"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "demo", "namespace": "team",'
    listed += b'"uid": "u", "resourceVersion": "5"}}]}'

    class Listing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(listed)))
            self.end_headers()
            self.wfile.write(listed)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Listing) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        file = tmp_path / "config"
        file.write_text(
            "kind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
            f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{server.server_port}'}}}}]\n"
            "users: [{name: u, user: {token: t}}]\n"
        )
        plane = KubernetesPlane(kubeconfig=str(file))

        async def look() -> list[str]:
            return [event.object["metadata"]["name"] async for event in plane.twin().watch("Dataset", timeout=0.0)]

        try:
            assert [event.version for event in plane.watch("Dataset", timeout=0.0)] == ["7"]
            assert asyncio.run(look()) == ["demo"]
        finally:
            server.shutdown()
            serving.join()


def test_nobody_is_sent_elsewhere(tmp_path: Path) -> None:
    """A redirect is not followed, on either transport: credentials go to the server that was named."""
    asked: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        file = tmp_path / "config"
        file.write_text(
            "kind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
            f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{server.server_port}'}}}}]\n"
            "users: [{name: u, user: {token: t}}]\n"
        )
        plane = KubernetesPlane(kubeconfig=str(file))
        try:
            with pytest.raises(Unavailable):
                plane.get(_REF)
            with pytest.raises(Unavailable):
                asyncio.run(plane.twin().get(_REF))
        finally:
            server.shutdown()
            serving.join()
    assert asked
    assert "/elsewhere" not in asked
