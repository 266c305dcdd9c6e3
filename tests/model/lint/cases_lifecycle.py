"""Cases of the rules about a runtime's pods (DF123, DF22x)."""

from __future__ import annotations

from .case import Case, dataset, level, node, runtime

_HEAP = {"jvmOptions": ["-Xmx2G", "-XX:MaxDirectMemorySize=1G"]}


def _memory(limit: str) -> dict[str, object]:
    return {"resources": {"limits": {"memory": limit}}}


CASES = [
    Case(
        code="DF123",
        bad=[runtime(name="a" * 46)],
        path="metadata.name",
        good=[runtime(name="a" * 45), runtime("ThinRuntime", name="b" * 53)],
    ),
    Case(
        code="DF220",
        bad=[runtime(worker={"networkMode": "ContainerNetwork"}, jobWorker={"networkMode": "HostNetwork"})],
        path="spec.jobWorker.networkMode",
        good=[runtime(worker={"networkMode": "HostNetwork"}, fuse={"networkMode": "ContainerNetwork"})],
    ),
    Case(
        code="DF221",
        bad=[runtime(master={"replicas": 2})],
        path="spec.master.replicas",
        good=[runtime(master={"replicas": 3}), runtime("EFCRuntime", master={"replicas": 2})],
    ),
    Case(
        code="DF222",
        bad=[runtime(master={"replicas": 3})],
        path="spec.master.replicas",
        good=[runtime(master={"replicas": 1})],
        around=[node("n0"), node("n1")],
    ),
    Case(
        code="DF223",
        bad=[runtime(fuse={**_HEAP, **_memory("2Gi")})],
        path="spec.fuse.resources.limits.memory",
        good=[runtime(fuse={**_HEAP, **_memory("4Gi")}), runtime(fuse=_HEAP)],
    ),
    Case(
        code="DF224",
        bad=[
            runtime("AlluxioRuntime", {"mediumtype": "MEM", "path": "/dev/shm", "quota": "8Gi"}, worker=_memory("4Gi"))
        ],
        path="spec.worker.resources.limits.memory",
        good=[runtime("AlluxioRuntime", worker=_memory("4Gi")), dataset()],
    ),
    Case(
        code="DF225",
        bad=[runtime(properties={"alluxio.worker.fuse.enabled": "true"})],
        path="spec.properties['alluxio.worker.fuse.enabled']",
        good=[runtime(properties={"alluxio.worker.fuse.enabled": "false"}), level()],
    ),
]
