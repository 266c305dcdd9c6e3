"""Kubeconfigs that are none: an error that says which, never one of the libraries' own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from datafluid.errors import Invalid, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.kubernetes.access import KubeContext, kube_contexts
from tests.plane.kubernetes.servers import Asking, kubeconfig, serving

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

    def answer(asking: Asking) -> None:
        asking.send_response(200)
        asking.send_header("Content-Length", str(len(listed)))
        asking.end_headers()
        asking.wfile.write(listed)

    with serving(answer) as url:
        plane = KubernetesPlane(kubeconfig=kubeconfig(tmp_path / "config", url))

        async def look() -> list[str]:
            return [event.object["metadata"]["name"] async for event in plane.twin().watch("Dataset", timeout=0.0)]

        assert [event.version for event in plane.watch("Dataset", timeout=0.0)] == ["7"]
        assert asyncio.run(look()) == ["demo"]


def test_nobody_is_sent_elsewhere(tmp_path: Path) -> None:
    """A redirect is not followed, on either transport: credentials go to the server that was named."""
    asked: list[str] = []

    def answer(asking: Asking) -> None:
        asked.append(asking.path)
        asking.send_response(302)
        asking.send_header("Location", "/elsewhere")
        asking.send_header("Content-Length", "0")
        asking.end_headers()

    with serving(answer) as url:
        plane = KubernetesPlane(kubeconfig=kubeconfig(tmp_path / "config", url))
        with pytest.raises(Unavailable):
            plane.get(_REF)
        with pytest.raises(Unavailable):
            asyncio.run(plane.twin().get(_REF))
    assert asked
    assert "/elsewhere" not in asked
