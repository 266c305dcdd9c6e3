"""Every kind through Fluid's webhook: its dataset is not bound, the client is killed at each step, no pod is refused.

Kubernetes' own controllers are there. Of the operators only what matters here is played: pods are made from the
templates of an object that does not say that it is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.model.plain import look
from datafluid.model.podlabels import SERVERFUL
from datafluid.model.ref import Ref
from datafluid.plane.finding import find
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.port import Manifest
from datafluid.workload import DatasetUse, Topology, wrap
from datafluid.workload.places import pod_places
from datafluid.workload.wrapping import Wrapped
from tests.cluster.controlplane import Cluster
from tests.cluster.farm import Farm
from tests.cluster.processes import eventually
from tests.cluster.test_holds import is_known
from tests.cluster.test_submit import Killed, Mortal, client, field, flights
from tests.cluster.test_submit_webhook import webhook
from tests.cluster.test_third_party import OTHERS, OWN, definition_of, is_taken
from tests.cluster.webhook import Webhook

pytestmark = pytest.mark.xdist_group("third_party")  # a server takes long to take in so many definitions: one does

__all__ = ["client", "field", "webhook"]  # fixtures

_LONG = 90.0  # seconds that nothing here takes on any machine
_MOST_STEPS = 12
_SUSPEND = ("spec", "suspend")
#: What each operator looks at before it makes pods; those that are not here are created when all is there.
_HELD: dict[str, tuple[tuple[str, ...], Any]] = {
    **dict.fromkeys(
        ("CronJob", "SparkApplication", "ScheduledSparkApplication", "TrainJob", "RayCluster", "RayJob", "JobSet"),
        (_SUSPEND, True),
    ),
    **dict.fromkeys(("Workflow", "CronWorkflow"), (_SUSPEND, True)),
    **dict.fromkeys(("PyTorchJob", "TFJob", "MPIJob"), (("spec", "runPolicy", "suspend"), True)),
    "LeaderWorkerSet": (("spec", "replicas"), 0),
}
#: Kinds whose controller is there.
_REAL = ("DaemonSet", "ReplicaSet")
_MODULES = [each for each in OTHERS if each[0] not in ("trainer-2.0", "trainer-2.1")]  # pods of those have no labels
_KINDS = [("", kind, spec) for _, kind, _, spec in OWN if kind in ("CronJob", *_REAL)] + _MODULES


def manifest_of(cluster: Cluster, namespace: str, module: str, kind: str, spec: dict[str, Any]) -> tuple[Manifest, Any]:
    """The workload, and what its kind calls the patches of pods; its definition is served then."""
    metadata = {"name": "w", "namespace": namespace}
    if not module:
        api = next(api for api, own, _, _ in OWN if own == kind)
        return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}, None
    definition, version = definition_of(module, kind)
    cluster.install_crds([definition])
    group, plural = definition["spec"]["group"], definition["spec"]["names"]["plural"]
    if kind == "RayJob":
        spec = {**spec, "shutdownAfterJobFinishes": True}
    manifest = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, "spec": spec}
    path = f"/apis/{group}/{version}/namespaces/{namespace}/{plural}"
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    eventually(lambda: is_taken(cluster, path, manifest) and is_known(plane, Ref.of(manifest)), seconds=30)
    return manifest, Topology.of([definition]).train_patch


class Operator:
    """Makes the pods of one object, once, unless it is held."""

    def __init__(self, cluster: Cluster, client: Client, ref: Ref) -> None:
        self._pods = f"/api/v1/namespaces/{ref.namespace}/pods"
        self._cluster, self._client, self._ref = cluster, client, ref
        self._made = False

    def look(self) -> None:
        """Look once."""
        live = find(self._client.plane, self._ref)
        path, value = _HELD.get(self._ref.bare_kind, ((), None))
        if live is None or self._made or (path and look(live, path) == value) or self._ref.bare_kind in _REAL:
            return
        self._made = True
        for number, place in enumerate(pod_places(live)):
            pod = place.pod(live)
            running = [{"image": "none", **each} for each in pod["spec"]["containers"]] or [{"name": "c", "image": "n"}]
            kept = {name: value for name, value in pod["spec"].items() if name in ("volumes", "affinity")}
            metadata = {"name": f"w-{number}", "labels": pod["metadata"].get("labels", {})}
            containers = [{**each, "name": each.get("name") or "c"} for each in running]
            self._cluster.api.post(self._pods, {"metadata": metadata, "spec": {**kept, "containers": containers}})


def kills() -> Iterator[int]:
    """Before and after the first change, before and after the second, and so on."""
    for number in range(1, _MOST_STEPS):
        yield number
        yield -number


def seen(client: Client) -> list[Manifest]:
    """The pods of the workload that the webhook was asked about."""
    found = client.plane.list("v1/Pod", namespace=client.context.namespace)
    return [each for each in found if each["metadata"].get("labels", {}).get(SERVERFUL) == "true"]


@pytest.mark.slow
@pytest.mark.parametrize(("module", "kind", "spec"), _KINDS, ids=[f"{module}-{kind}" for module, kind, _ in _KINDS])
def test_killed_at_each_step_the_same_command_completes_and_no_pod_is_refused(
    cluster: Cluster, client: Client, field: Farm, webhook: Webhook, module: str, kind: str, spec: dict[str, Any]
) -> None:
    """Its operator looks after every kill: what is left behind makes no pods before the webhook lets them in."""
    manifest, patch = manifest_of(cluster, field.namespace, module, kind, spec)
    topology = Topology(namespace=field.namespace, train_patch=patch)
    wrapped: Wrapped = wrap(manifest, [DatasetUse("flights", locality="require")], topology=topology, mode="serverful")
    operator = Operator(cluster, client, Ref.of(manifest))
    done = None
    for point in kills():
        mortal = Mortal(kubeconfig=str(cluster.kubeconfig))
        mortal.killed_at = point
        try:
            done = Client(mortal, client.context).submit(wrapped, flights(field), timeout=_LONG)
            break
        except Killed:
            operator.look()
    assert done is not None and done.runs
    operator.look()
    eventually(lambda: bool(seen(client)), seconds=60)
    assert all(each["metadata"]["annotations"]["fluid.io/datasets-in-use"] == "flights" for each in seen(client))
    assert [call.answer.message for call in webhook.calls if not call.answer.allowed] == []
