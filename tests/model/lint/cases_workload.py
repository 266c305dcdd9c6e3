"""Cases of the rules about pods and workloads (DF4xx)."""

from __future__ import annotations

from .case import REQUIRED, SERVERFUL, SERVERLESS, Case, dataset, job, obj, pod, runtime

_LABELS = "metadata.labels"
_SCHED = "['fluid.io/dataset.demo.sched']"
_OTHER = {"fluid.io/dataset.other.sched": "required"}
_ZONE = {"nodeSelector": {"topology.kubernetes.io/zone": "z1"}}
_PREFETCH = "metadata.annotations['file-prefetcher.fluid.io/"

_MOUNTED = {"name": "first", "image": "busybox", "volumeMounts": [{"name": "demo", "mountPath": "/data"}]}


def _scaler(kind: str, api: str = "data.fluid.io/v1alpha1") -> dict[str, object]:
    target = {"scaleTargetRef": {"apiVersion": api, "kind": kind, "name": "demo"}}
    return obj("HorizontalPodAutoscaler", target, api="autoscaling/v2")


CASES = [
    Case(
        code="DF416",
        bad=[pod(labels=SERVERFUL, resources={"limits": {"cpu": "1"}})],
        path="spec.resources",
        good=[pod(resources={"limits": {"cpu": "1"}}), pod(labels=SERVERFUL)],
    ),
    Case(
        code="DF417",
        bad=[pod(labels=SERVERLESS, initContainers=[_MOUNTED])],
        path="spec.initContainers[0]",
        good=[pod(labels=SERVERFUL, initContainers=[_MOUNTED]), pod("x", labels=SERVERLESS, initContainers=[_MOUNTED])],
    ),
    Case(
        code="DF418",
        bad=[_scaler("AlluxioRuntime")],
        path="spec.scaleTargetRef.kind",
        good=[_scaler("Deployment", "apps/v1")],
    ),
    Case(
        code="DF415",
        bad=[dataset(), pod()],
        document=1,
        path="spec.volumes",
        good=[dataset(), pod(labels=SERVERFUL), pod("other")],
    ),
    Case(
        code="DF401",
        bad=[pod(labels={**SERVERFUL, "fluid.io/dataset.demo.sched": "true"})],
        path=_LABELS + _SCHED,
        good=[pod(labels={**SERVERFUL, **REQUIRED})],
    ),
    Case(
        code="DF402",
        bad=[pod("demo", "other", labels={**SERVERFUL, **REQUIRED, **_OTHER})],
        path=_LABELS,
        good=[pod("demo", "other", labels={**SERVERFUL, **REQUIRED})],
    ),
    Case(
        code="DF403",
        bad=[job(pod(labels=REQUIRED))],
        path=f"spec.template.{_LABELS}{_SCHED}",
        good=[job(pod(labels={**REQUIRED, **SERVERFUL}))],
    ),
    Case(
        code="DF404",
        bad=[pod(labels={**SERVERFUL, **REQUIRED}, **_ZONE)],
        path="spec.nodeSelector['topology.kubernetes.io/zone']",
        good=[
            pod(labels={**SERVERFUL, **REQUIRED}, nodeSelector={"disk": "ssd"}),
            pod(labels=SERVERFUL, **_ZONE),
        ],
    ),
    Case(
        code="DF405",
        bad=[pod("demos", labels={**SERVERFUL, **REQUIRED})],
        path=_LABELS + _SCHED,
        good=[pod("demo", labels={**SERVERFUL, **REQUIRED})],
    ),
    Case(
        code="DF406",
        bad=[dataset({"mountPoint": "dataset://base/imagenet"}), pod(labels={**SERVERFUL, **REQUIRED})],
        document=1,
        path=_LABELS + _SCHED,
        good=[dataset(), runtime(), pod(labels={**SERVERFUL, **REQUIRED})],
    ),
    Case(
        code="DF407",
        bad=[pod(labels={"serverless.fluid.io/inject": "yes"})],
        path=f"{_LABELS}['serverless.fluid.io/inject']",
        good=[pod(labels={"serverless.fluid.io/inject": "false"})],
    ),
    Case(
        code="DF408",
        bad=[pod(labels={"fuse.sidecar.fluid.io/inject": "true"})],
        path=f"{_LABELS}['fuse.sidecar.fluid.io/inject']",
        good=[pod(labels=SERVERLESS)],
    ),
    Case(
        code="DF409",
        bad=[job(pod(), labels=SERVERFUL)],
        path=f"{_LABELS}['fuse.serverful.fluid.io/inject']",
        good=[job(pod(labels=SERVERFUL), labels={"app": "x"})],
    ),
    Case(
        code="DF410",
        bad=[pod(labels={**SERVERLESS, **REQUIRED})],
        path=_LABELS + _SCHED,
        good=[pod(labels={**SERVERFUL, **REQUIRED})],
    ),
    Case(
        code="DF411",
        bad=[pod(labels=SERVERFUL, annotations={"inject": "true", "prefetch-timeout-seconds": "10m"})],
        path=_PREFETCH + "prefetch-timeout-seconds']",
        good=[
            pod(
                labels=SERVERFUL,
                annotations={"inject": "true", "prefetch-timeout-seconds": "600", "extra-envs": "A=1 B=2"},
            ),
            pod(labels=SERVERFUL, annotations={"inject": "no", "prefetch-timeout-seconds": "10m"}),
        ],
    ),
    Case(
        code="DF412",
        bad=[
            dataset(placement="Shared"),
            dataset(name="other"),
            pod("demo", "other", labels={**SERVERFUL, **REQUIRED, **_OTHER}),
        ],
        document=2,
        path=_LABELS,
        good=[
            dataset(placement="Shared"),
            dataset(name="other", placement="Shared"),
            pod("demo", "other", labels={**SERVERFUL, **REQUIRED, **_OTHER}),
        ],
    ),
    Case(
        code="DF413",
        bad=[dataset(namespace="base"), pod()],
        document=1,
        path="spec.volumes",
        good=[dataset(), pod(), pod("scratch")],
    ),
    Case(
        code="DF414",
        bad=[dataset(), runtime("EFCRuntime"), pod(labels=SERVERLESS)],
        document=2,
        path=f"{_LABELS}['serverless.fluid.io/inject']",
        good=[dataset(), runtime(), pod(labels=SERVERLESS)],
    ),
]
