"""Cases of the rules about the cluster around (DF5xx)."""

from __future__ import annotations

from .case import (
    SERVERFUL,
    SERVERLESS,
    Case,
    bound,
    dataset,
    kube,
    leaving,
    load,
    mounted,
    namespace,
    node,
    obj,
    pod,
    runtime,
)

_GI = 1 << 30
_WEBHOOK = kube(
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "fluid-pod-admission-webhook", namespace=None
)
_DRIVER = kube("storage.k8s.io/v1/CSIDriver", "fuse.csi.fluid.io", namespace=None)
_STRICT = namespace(**{"pod-security.kubernetes.io/enforce": "baseline"})
_CALM = namespace()
_KEYS = {"encryptOptions": [{"name": "key", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}}]}
_FULL = {"resources": {"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}}
_PARTS = ("master", "worker", "jobMaster", "jobWorker", "fuse")
_MEMORY = {"mediumtype": "MEM", "path": "/dev/shm", "quota": "20Gi"}


def _claim(**labels: str) -> dict[str, object]:
    return kube("v1/PersistentVolumeClaim", "demo", metadata={"labels": labels})


def _quota(used: str = "0", **hard: str) -> dict[str, object]:
    hard = {name.replace("_", "."): value for name, value in hard.items()}
    return kube("v1/ResourceQuota", "limit", spec={"hard": hard}, status={"used": dict.fromkeys(hard, used)})


def _policy(*sources: object, chosen: object = None) -> dict[str, object]:
    spec = {"podSelector": chosen or {}, "policyTypes": ["Ingress"], "ingress": list(sources)}
    return kube("networking.k8s.io/v1/NetworkPolicy", "deny", spec=spec)


_IN_PODS = runtime(worker={"networkMode": "ContainerNetwork"}, jobWorker={"networkMode": "ContainerNetwork"})
_HELD = {"fluid.io/s-team-other": "true"}

CASES = [
    Case(
        code="DF501",
        bad=[obj("GooseRuntime", {}, api="example.com/v1"), obj("CacheRuntime", {"runtimeClassName": "x"})],
        document=1,
        path="kind",
        good=[runtime()],
        around=[],
        calm=[],
        absent=("CacheRuntime",),
    ),
    Case(
        code="DF502",
        bad=[dataset()],
        path="metadata.namespace",
        good=[dataset(), obj("ThinRuntimeProfile", {"fileSystemType": "nfs"}, namespace=None)],
        around=[namespace("elsewhere")],
        calm=[_CALM],
    ),
    Case(
        code="DF503",
        bad=[runtime("ThinRuntime", profileName="nfss")],
        path="spec.profileName",
        good=[runtime("ThinRuntime", profileName="nfs")],
        around=[obj("ThinRuntimeProfile", {"fileSystemType": "nfs"}, name="nfs", namespace=None)],
    ),
    Case(
        code="DF504",
        bad=[dataset()],
        path="metadata.name",
        good=[dataset(), load()],
        around=[leaving(dataset())],
        calm=[dataset(), leaving(dataset(namespace="other"))],
    ),
    Case(
        code="DF505",
        bad=[pod(labels=SERVERFUL)],
        path="metadata.labels['fuse.serverful.fluid.io/inject']",
        good=[pod(labels=SERVERFUL)],
        around=[],
        calm=[_WEBHOOK],
    ),
    Case(
        code="DF506",
        bad=[dataset(), pod()],
        document=1,
        path="spec.volumes",
        good=[dataset(), pod(labels=SERVERLESS), pod("other")],
        around=[],
    ),
    Case(
        code="DF510",
        bad=[dataset()],
        path="metadata.name",
        good=[dataset()],
        around=[_claim(app="mine")],
        calm=[_claim(**{"fluid.io/s-team-demo": "true"})],
    ),
    Case(
        code="DF511",
        bad=[mounted("s3://bucket/data", **_KEYS)],
        path="spec.mounts[0].encryptOptions[0].valueFrom.secretKeyRef.name",
        good=[mounted("s3://bucket/data", **_KEYS), kube("v1/Secret", "keys")],
        around=[],
        secrets=("other/keys",),
    ),
    Case(
        code="DF512",
        bad=[mounted("dataset://base/imagenet/train")],
        path="spec.mounts[0].mountPoint",
        good=[mounted("dataset://base/imagenet/train")],
        around=[bound(dataset(name="imagenet", namespace="base"), "NotBound")],
        calm=[bound(dataset(name="imagenet", namespace="base"))],
    ),
    Case(
        code="DF513",
        bad=[dataset(), runtime(replicas=2)],
        path="spec",
        good=[dataset(placement="Shared"), runtime(replicas=2)],
        around=[dataset(name="other"), node("n0", **_HELD), node("n1")],
        calm=[dataset(name="other", placement="Shared"), node("n0", **_HELD), node("n1")],
    ),
    Case(
        code="DF514",
        bad=[pod("demmo", labels=SERVERFUL)],
        path="spec.volumes",
        good=[pod("demo")],
        around=[_claim()],
    ),
    Case(
        code="DF515",
        bad=[runtime(name="dmeo")],
        path="metadata.name",
        good=[runtime()],
        around=[dataset()],
    ),
    Case(
        code="DF520",
        bad=[runtime("AlluxioRuntime", _MEMORY)],
        path="spec.tieredstore",
        good=[runtime("AlluxioRuntime", _MEMORY)],
        around=[node("n0", free=16 * _GI)],
        calm=[node("n0", free=16 * _GI), node("n1", free=32 * _GI)],
    ),
    Case(
        code="DF521",
        bad=[runtime(replicas=3, worker=_FULL)],
        path="spec",
        good=[runtime(replicas=2, worker=_FULL)],
        around=[_quota("2Gi", requests_memory="10Gi")],
    ),
    Case(
        code="DF522",
        bad=[obj("AlluxioRuntime", dict.fromkeys(_PARTS[:4], _FULL))],
        path="spec",
        good=[obj("AlluxioRuntime", dict.fromkeys(_PARTS, _FULL))],
        around=[_quota(limits_memory="100Gi")],
    ),
    Case(
        code="DF523",
        bad=[runtime(worker=_FULL)],
        path="spec.worker.resources.requests.memory",
        good=[runtime(worker={"resources": {"limits": {"memory": "1Gi"}}})],
        around=[kube("v1/LimitRange", "range", spec={"limits": [{"type": "Container", "max": {"memory": "2Gi"}}]})],
    ),
    Case(
        code="DF530",
        bad=[runtime()],
        path="metadata.namespace",
        good=[runtime(), dataset()],
        around=[_STRICT],
        calm=[_CALM],
    ),
    Case(
        code="DF531",
        bad=[pod(labels=SERVERLESS)],
        path="metadata.labels['serverless.fluid.io/inject']",
        good=[pod(labels={**SERVERLESS, "unprivileged.sidecar.fluid.io/inject": "true"}), pod(labels=SERVERFUL)],
        around=[_STRICT],
    ),
    Case(
        code="DF532",
        bad=[_IN_PODS],
        path="spec.worker",
        good=[_IN_PODS, runtime()],
        around=[_policy()],
        calm=[
            _policy({"from": [{"podSelector": {}}]}),
            _policy(chosen={"matchLabels": {"app": "web"}}),
        ],
    ),
    Case(
        code="DF516",
        bad=[runtime(replicas=3)],
        path="spec.replicas",
        good=[runtime(replicas=2), runtime("ThinRuntime", replicas=3)],
        around=[node("n0"), node("n1")],
    ),
    Case(
        code="DF540",
        bad=[dataset(accessModes=["ReadWriteMany"])],
        path="spec.accessModes",
        good=[dataset(accessModes=["ReadOnlyMany"])],
        around=[dataset()],
    ),
    Case(
        code="DF541",
        bad=[load(policy="Cron", schedule="0 4 * * *")],
        path="spec.schedule",
        good=[load(policy="Cron", schedule="0 3 * * *")],
        around=[load(policy="Cron", schedule="0 3 * * *")],
    ),
    Case(
        code="DF542",
        bad=[dataset({"mountPoint": "nfs.example.com:/other", "name": "data"})],
        path="spec.mounts",
        good=[dataset()],
        around=[bound(dataset()), runtime("ThinRuntime", profileName="nfs")],
    ),
]
