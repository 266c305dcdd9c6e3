"""The objects that Fluid's helm charts make. Scripts and values are left out: nothing reads them here."""

from __future__ import annotations

from datafluid.plane.port import Manifest
from tests.cluster.double.traits import ALLUXIO, Identity, Trait, replicas_of
from tests.cluster.double.world import owner_of

_HOOK = {"helm.sh/hook": "pre-install", "helm.sh/hook-delete-policy": "before-hook-creation"}
_IMAGE = "double.example.com/engine:1"
_PORTS = {"rpc": 19998, "web": 19999, "job-rpc": 20001, "job-web": 20002}


def values(trait: Trait, identity: Identity) -> Manifest:
    """The ConfigMap of the chart's values, which the controller makes before it runs helm."""
    name = f"{identity.name}-{trait.type}-values"
    metadata = {"name": name, "namespace": identity.namespace, "labels": {"fluid.io/dataset-id": identity.id}}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"data": f"fullnameOverride: {identity.name}\n"},
    }


def runtime_chart(trait: Trait, runtime: Manifest, dataset: Manifest) -> list[Manifest]:
    """What ``helm install`` of a runtime makes, in the order in which it does."""
    chart = _Chart(trait, runtime, dataset)
    if trait is ALLUXIO:
        masters = replicas_of(runtime, "master")
        return [
            chart.config("config", hook=True),
            chart.config("mount-config", hook=True),
            *(chart.service(number) for number in range(masters)),
            chart.fuse(),
            chart.workers(),
            chart.masters(masters),
        ]
    if trait.type == "juicefs":
        scripts = [
            chart.config("fuse-script", role="juicefs-fuse"),
            chart.config("worker-script", role="juicefs-worker"),
        ]
        return [*scripts, chart.fuse(), chart.workers()]
    return [chart.config("fuse-conf", role="thin-fuse"), chart.fuse()]


class _Chart:
    """One release of one chart."""

    def __init__(self, trait: Trait, runtime: Manifest, dataset: Manifest) -> None:
        self.trait = trait
        self.runtime = runtime
        self.dataset = dataset
        self.identity = Identity.of(dataset)

    def labels(self, **more: str) -> dict[str, str]:
        return {
            "app": self.trait.type,
            "app.kubernetes.io/instance": self.identity.name,
            "app.kubernetes.io/managed-by": "Helm",
            "app.kubernetes.io/name": self.trait.type,
            "chart": self.trait.chart,
            "fluid.io/dataset-id": self.identity.id,
            "fluid.io/managed-by": "fluid",
            "heritage": "Helm",
            "release": self.identity.name,
            **more,
        }

    def made(self, api_version: str, kind: str, name: str, labels: dict[str, str], *, hook: bool = False) -> Manifest:
        release = {
            "meta.helm.sh/release-name": self.identity.name,
            "meta.helm.sh/release-namespace": self.identity.namespace,
        }
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {
                "name": f"{self.identity.name}-{name}",
                "namespace": self.identity.namespace,
                "labels": labels,
                "annotations": _HOOK if hook else release,
                "ownerReferences": [owner_of(self.runtime, controller=True, block=False)],
            },
        }

    def config(self, name: str, *, role: str = "", hook: bool = False) -> Manifest:
        own = {"name": f"{self.identity.name}-{name}"} if hook else {"role": role}
        return self.made("v1", "ConfigMap", name, self.labels(**own), hook=hook) | {"data": {}}

    def service(self, number: int) -> Manifest:
        labels = self.labels(monitor="alluxio_runtime_metrics", role="alluxio-master")
        ports = [{"name": name, "port": port} for name, port in _PORTS.items()]
        pod = {"statefulset.kubernetes.io/pod-name": f"{self.identity.name}-master-{number}"}
        spec = {"clusterIP": "None", "ports": ports, "selector": pod}
        return self.made("v1", "Service", f"master-{number}", labels) | {"spec": spec}

    def fuse(self) -> Manifest:
        labels = self.labels(role=f"{self.trait.type}-fuse")
        pod_labels = labels | ({"fuse.runtime.fluid.io/generation": "1"} if self.trait.type == "juicefs" else {})
        template = self.template(pod_labels)
        template["spec"] |= {"nodeSelector": {self.identity.key("f-"): "true"}, "tolerations": [{"operator": "Exists"}]}
        spec = {
            "selector": {"matchLabels": {"release": self.identity.name, "role": labels["role"]}},
            "updateStrategy": {"type": "OnDelete"},
            "template": template,
        }
        return self.made("apps/v1", "DaemonSet", "fuse", labels) | {"spec": spec}

    def workers(self) -> Manifest:
        placement = self.dataset["spec"].get("placement") or "Exclusive"
        own = {"fluid.io/dataset": self.identity.id, "fluid.io/dataset-placement": placement}
        labels = self.labels(role=f"{self.trait.type}-worker", **own)
        return self.stateful("worker", labels, replicas=0)

    def masters(self, replicas: int) -> Manifest:
        name = f"{self.identity.name}-master"
        return self.stateful("master", self.labels(role="alluxio-master", name=name), replicas=replicas)

    def stateful(self, name: str, labels: dict[str, str], *, replicas: int) -> Manifest:
        spec = {
            "podManagementPolicy": "Parallel",
            "replicas": replicas,
            "selector": {"matchLabels": {"release": self.identity.name, "role": labels["role"]}},
            "serviceName": f"{self.identity.name}-{name}",
            "template": self.template(labels),
            "updateStrategy": {"type": "OnDelete"},
        }
        return self.made("apps/v1", "StatefulSet", name, labels) | {"spec": spec}

    def template(self, labels: dict[str, str]) -> Manifest:
        quiet = {"sidecar.istio.io/inject": "false"}
        metadata = {"labels": labels | quiet, "annotations": quiet}
        return {"metadata": metadata, "spec": {"containers": [{"name": self.trait.type, "image": _IMAGE}]}}
