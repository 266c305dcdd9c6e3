"""The dataset-controller's process: a DataBackup that it runs, or that has Failed, takes it down."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.world import Create, Remember, Step, World, deleting, do

_CRASHED = "crashed"
_LOOKED = "looked"


def crashed(world: World) -> bool:
    """Whether the process is down."""
    return any(what == _CRASHED for _, what in world.memory)


def restarted(world: World) -> None:
    """Begin the process anew; it lives until it looks at the DataBackup again."""
    for key in [key for key in world.memory if key[1] in (_CRASHED, _LOOKED)]:
        del world.memory[key]


def crashes(world: World, backup: Manifest) -> Iterator[Step]:
    """Run its chart if that is still to do, and crash over its status."""
    metadata = backup["metadata"]
    if deleting(backup):
        return
    script = Ref("v1/ConfigMap", f"{metadata['name']}-script", metadata["namespace"])
    if backup["status"]["phase"] == "Executing" and world.get(script) is None:
        if not world.remembered(Ref.of(backup), "helm"):
            yield do(Remember(Ref.of(backup), "helm", 1), then=0.5)
        yield do(Create(_script(backup, script)), then=0.1)
    if not world.remembered(Ref.of(backup), _LOOKED):
        yield do(Remember(Ref.of(backup), _LOOKED, 1), then=0.035)
    yield do(Remember(Ref.of(backup), _CRASHED, True))


def _script(backup: Manifest, ref: Ref) -> Manifest:
    release = f"{backup['metadata']['name']}-charts"
    labels = {
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/name": "fluid-databackup",
        "fluid.io/dataset-id": "",
        "fluid.io/managed-by": "fluid",
    }
    helm = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": ref.namespace}
    metadata = {"name": ref.name, "namespace": ref.namespace, "labels": labels, "annotations": helm}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}
