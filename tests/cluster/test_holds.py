"""Every kind that can be held is: created held, found so by the server, and let go as its user wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.errors import Unsupported
from datafluid.model.plain import look
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.port import Manifest
from datafluid.submission.holding import choose
from datafluid.workload.holds import HoldFacts, choose_hold, held, release_patch
from datafluid.workload.table import ALL
from tests.cluster.controlplane import Cluster
from tests.cluster.processes import eventually
from tests.cluster.test_third_party import OTHERS, OWN, definition_of, is_taken

_HELD = [each for each in OTHERS if any(kind.kind == each[1] and kind.hold.path for kind in ALL)]
_NAMES = [f"{module}-{kind}" for module, kind, _ in _HELD]


def go_through(plane: KubernetesPlane, manifest: Manifest) -> str:
    """Create it held, let it go; returns the way it was held."""
    ref = Ref.of(manifest)
    hold = choose(plane, manifest, ref, None)
    plane.create(held(manifest, hold))
    if hold.path:
        stopped = look(held(manifest, hold), hold.path)
        assert look(plane.get(ref), hold.path) == stopped
        plane.patch(ref, release_patch(plane.get(ref), hold, look(manifest, hold.path)))
        assert look(plane.get(ref), hold.path) != stopped
    plane.delete(ref)
    return hold.way


def is_known(plane: KubernetesPlane, ref: Ref) -> bool:
    """Whether the server tells of a kind; it does so some moments after it serves it."""
    try:
        plane.list(ref.kind, namespace=ref.namespace)
    except Unsupported:
        return False
    return True


@pytest.mark.parametrize(("api", "kind", "plural", "spec"), OWN, ids=lambda each: each if isinstance(each, str) else "")
def test_kinds_of_kubernetes(
    plane: KubernetesPlane, namespace: str, api: str, kind: str, plural: str, spec: dict[str, Any]
) -> None:
    """With the server's own defaults about them."""
    manifest = {"apiVersion": api, "kind": kind, "metadata": {"name": "w", "namespace": namespace}, "spec": spec}
    assert go_through(plane, manifest) == ("ordered" if kind == "DaemonSet" else choose_hold(manifest).way)


@pytest.mark.xdist_group("third_party")
@pytest.mark.parametrize(("module", "kind", "spec"), _HELD, ids=_NAMES)
def test_kinds_of_others(
    cluster: Cluster, plane: KubernetesPlane, namespace: str, module: str, kind: str, spec: dict[str, Any]
) -> None:
    """Strictly validated by the definitions that their own modules ship."""
    definition, version = definition_of(module, kind)
    cluster.install_crds([definition])
    group, names = definition["spec"]["group"], definition["spec"]["names"]
    metadata = {"name": "w", "namespace": namespace}
    if kind == "RayJob":
        spec = {**spec, "shutdownAfterJobFinishes": True}
    manifest = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, "spec": spec}
    path = f"/apis/{group}/{version}/namespaces/{namespace}/{names['plural']}"
    eventually(lambda: is_taken(cluster, path, manifest) and is_known(plane, Ref.of(manifest)), seconds=30)
    if module == "spark-2.3":  # suspend came with 2.4: it is looked for, and what does not have it waits
        eventually(lambda: not is_taken(cluster, path, held(manifest, choose_hold(manifest))), seconds=20)
        assert choose_hold(manifest, HoldFacts()).way == "suspend"
        assert go_through(plane, manifest) == "wait"
        return
    hold = choose_hold(manifest)
    eventually(lambda: is_taken(cluster, path, held(manifest, hold)), seconds=20)
    assert go_through(plane, manifest) == hold.way
