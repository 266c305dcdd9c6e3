"""Cases of the rules about runtimes (DF2xx)."""

from __future__ import annotations

from .case import Case, dataset, level, obj, runtime

_ZONE = {"topology.kubernetes.io/zone": "z1"}

CASES = [
    Case(
        code="DF202",
        bad=[dataset(), runtime(name="demo-cache")],
        document=1,
        path="metadata.name",
        good=[dataset(), runtime(), runtime(name="elsewhere")],
    ),
    Case(
        code="DF203",
        bad=[dataset(), runtime(), runtime("JuiceFSRuntime")],
        document=2,
        path="kind",
        good=[dataset(), runtime(), runtime("JuiceFSRuntime", namespace="other")],
    ),
    Case(
        code="DF204",
        bad=[level(quota=None)],
        path="spec.tieredstore.levels[0]",
        good=[level(quota=None, quotaList="1Gi,1Gi", path="/a,/b")],
    ),
    Case(
        code="DF205",
        bad=[level(quota="10GB")],
        path="spec.tieredstore.levels[0].quota",
        good=[level(quota="10G"), level(quota=1073741824)],
    ),
    Case(
        code="DF206",
        bad=[level(quota=None, quotaList="10Gi")],
        path="spec.tieredstore.levels[0].quotaList",
        good=[level(quota=None, quotaList="10Gi,10Gi", path="/a,/b")],
    ),
    Case(
        code="DF207",
        bad=[level(quota=None, quotaList="1Gi,1Gi,1Gi", path="/a,/b")],
        path="spec.tieredstore.levels[0].quotaList",
        good=[level(quota=None, quotaList="1Gi,1Gi", path="/a,/b"), level(path="/a,/b")],
    ),
    Case(
        code="DF208",
        bad=[level(quotaList="1Gi,1Gi", path="/a,/b")],
        path="spec.tieredstore.levels[0].quota",
        good=[level(quota=None, quotaList="1Gi,1Gi", path="/a,/b")],
    ),
    Case(
        code="DF209",
        bad=[level(high="95")],
        path="spec.tieredstore.levels[0].high",
        good=[level(high="0.95", low="0.7"), level(high="1")],
    ),
    Case(
        code="DF210",
        bad=[level(high="0.7", low="0.95")],
        path="spec.tieredstore.levels[0].high",
        good=[level(high="0.95", low="0.7"), level(high="0.7")],
    ),
    Case(
        code="DF211",
        bad=[level(mediumtype="MEM", volumeType="emptyDir")],
        path="spec.tieredstore.levels[0].volumeType",
        good=[level(mediumtype="MEM", volumeType="hostPath")],
    ),
    Case(
        code="DF212",
        bad=[obj("AlluxioRuntime", {"tieredStore": {"levels": []}})],
        path="spec.tieredStore",
        good=[
            runtime(),
            obj("CacheRuntime", {"runtimeClassName": "x", "worker": {"tieredStore": {"levels": []}}}),
        ],
    ),
    Case(
        code="DF213",
        bad=[runtime(fuse={"cleanPolicy": "OnFuseChanged"})],
        path="spec.fuse.cleanPolicy",
        good=[
            runtime("JuiceFSRuntime", fuse={"cleanPolicy": "OnFuseChanged"}),
            runtime(fuse={"cleanPolicy": "OnDemand"}),
        ],
    ),
    Case(
        code="DF214",
        bad=[runtime(fuse={"properties": {"fs.oss.accessKeySecret": "hunter2"}})],
        path="spec.fuse.properties['fs.oss.accessKeySecret']",
        good=[runtime(properties={"alluxio.underfs.gcs.credential.path": "/etc/gcs", "alluxio.user.file.secret": ""})],
    ),
    Case(
        code="DF215",
        bad=[dataset(), runtime("ThinRuntime")],
        document=1,
        path="spec",
        good=[dataset(), runtime("ThinRuntime", profileName="nfs"), runtime("ThinRuntime", name="alone")],
    ),
    Case(
        code="DF216",
        bad=[runtime(fuse={"nodeSelector": _ZONE})],
        path="spec.fuse.nodeSelector['topology.kubernetes.io/zone']",
        good=[runtime(fuse={"nodeSelector": {"disk": "ssd"}}, worker={"nodeSelector": _ZONE})],
    ),
    Case(
        code="DF217",
        plane="embedded",
        bad=[runtime(replicas=3)],
        path="spec.replicas",
        good=[runtime(replicas=1)],
    ),
    Case(
        code="DF218",
        plane="embedded",
        bad=[runtime(worker={"networkMode": "HostNetwork"})],
        path="spec.worker.networkMode",
        good=[runtime(worker={"networkMode": ""})],
    ),
    Case(
        code="DF219",
        bad=[runtime("JindoRuntime", fuse={"metrics": {"scrapeTarget": "Everywhere"}})],
        path="spec.fuse.metrics.scrapeTarget",
        good=[runtime("JindoRuntime", fuse={"metrics": {"scrapeTarget": "MountPod,Sidecar"}})],
    ),
]
