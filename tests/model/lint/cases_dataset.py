"""Cases of the rules about documents, settings and datasets (DF0xx, DF1xx)."""

from __future__ import annotations

from .case import Case, annotated, backup, dataset, load, mounted, obj, pod, runtime

_LONG = "d" * 41
_RWX = {"accessModes": ["ReadWriteMany"]}
_TO_OTHER = dataset({"mountPoint": "dataset://base/imagenet"})

CASES = [
    Case(
        code="DF001",
        bad="kind: [Dataset\n",
        path="",
        good="kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n",
    ),
    Case(
        code="DF002",
        bad="kind: Dataset\nmetadata: {name: demo}\n",
        path="",
        good="apiVersion: v1\nkind: Secret\nmetadata: {name: demo}\n",
    ),
    Case(
        code="DF003",
        bad=[obj("AluxioRuntime", {})],
        path="kind",
        good=[runtime(), obj("AluxioRuntime", api="example.com/v1")],
    ),
    Case(
        code="DF004",
        bad=[obj("Dataset", {"mounts": [{"mountPoint": "s3://b/d"}]}, api="data.fluid.io/v1beta1")],
        path="apiVersion",
        good=[dataset(), obj("Dataset", api="example.com/v1")],
    ),
    Case(
        code="DF005",
        bad="apiVersion: data.fluid.io/v1alpha1\nkind: Dataset\nmetadata:\n  namespace: team\n",
        path="metadata",
        good=[load(), obj("DataLoad", {}, metadata={"name": "", "generateName": "warm-"})],
    ),
    Case(code="DF006", bad=[load(name="Warm_1")], path="metadata.name", good=[load(name="warm.1")]),
    Case(
        code="DF007",
        bad=[dataset(), dataset(placement="Shared")],
        document=1,
        path="metadata.name",
        good=[dataset(), dataset(namespace="other"), runtime()],
    ),
    Case(
        code="DF008",
        bad=[obj("ThinRuntimeProfile", {"fileSystemType": "nfs"})],
        path="metadata.namespace",
        good=[obj("ThinRuntimeProfile", {"fileSystemType": "nfs"}, namespace=None)],
    ),
    Case(
        code="DF009",
        bad=[{**dataset(), "status": {"phase": "Bound"}}],
        path="status",
        good=[{**dataset(), "status": {}}],
    ),
    Case(
        code="DF010",
        bad=[dataset(placment="Shared")],
        path="spec.placment",
        good=[dataset(placement="Shared")],
    ),
    Case(
        code="DF011",
        bad=[dataset({"name": "data"})],
        path="spec.mounts[0]",
        good=[dataset({"mountPoint": "s3://bucket/data"})],
    ),
    Case(
        code="DF012",
        bad=[mounted("s3://bucket/data", options={"aws.port": 9000})],
        path="spec.mounts[0].options['aws.port']",
        good=[mounted("s3://bucket/data", options={"aws.port": "9000"}, readOnly=True)],
    ),
    Case(
        code="DF013",
        bad=[dataset(placement="Alone")],
        path="spec.placement",
        good=[dataset(placement=""), dataset(placement="Exclusive", name="other")],
    ),
    Case(
        code="DF014",
        bad=[load(target=[{"path": "/caf\udce9"}])],
        path="spec.target[0].path",
        good=[load(target=[{"path": "/café"}])],
    ),
    Case(
        code="DF015",
        bad=[obj("Dataset", metadata={"labels": {"owner": "me@example.com"}})],
        path="metadata.labels.owner",
        good=[obj("Dataset", metadata={"labels": {"owner": "me"}, "annotations": {"owner": "me@example.com"}})],
    ),
    Case(
        code="DF020",
        bad=[annotated(dataset(), refesh="open")],
        path="metadata.annotations['datafluid.io/refesh']",
        good=[
            annotated(dataset(), refresh="open"),
            annotated(dataset(), s3_gateway="http://gateway.team:9000/fs", pinned="true", made_for_workloads="true"),
            annotated(backup(), accept_backup="true"),
        ],
    ),
    Case(
        code="DF021",
        bad=[annotated(load(policy="Cron", schedule="@daily"), time_zone="Mars/Olympus")],
        path="metadata.annotations['datafluid.io/time-zone']",
        good=[
            annotated(load(policy="Cron", schedule="@daily"), time_zone="Europe/Berlin", suspend="false"),
            annotated(dataset(), refresh="60s", offline="serve-stale"),
        ],
    ),
    Case(
        code="DF022",
        bad=[annotated(load(), suspend="true")],
        path="metadata.annotations['datafluid.io/suspend']",
        good=[
            annotated(load(policy="Cron", schedule="@daily"), suspend="true"),
            annotated(load(), cancel="true"),
        ],
    ),
    Case(
        code="DF101",
        bad=[dataset(name="1k-images")],
        path="metadata.name",
        good=[dataset(name="images-1k"), load(name="1k")],
    ),
    Case(
        code="DF102",
        bad=[obj("Dataset", {"placement": "Shared"})],
        path="spec",
        good=[obj("Dataset", {"placement": "Shared"}), runtime("VineyardRuntime")],
    ),
    Case(code="DF103", bad=[mounted("s3:/")], path="spec.mounts[0].mountPoint", good=[mounted("s3://")]),
    Case(
        code="DF104",
        bad=[mounted("oos://bucket/x")],
        path="spec.mounts[0].mountPoint",
        good=[mounted("oss://bucket/x"), mounted("nfs.example.com:/export"), mounted("juicefs:///x")],
    ),
    Case(
        code="DF124",
        bad=[mounted("s3://bucket/x", options={"endpoynt": "http://127.0.0.1:9000"})],
        path="spec.mounts[0].options.endpoynt",
        good=[
            mounted("s3://bucket/x", options={"fs.s3.endpoint": "http://127.0.0.1", "sparkle": "1"}),
            mounted("oss://b/x", options={"endpoynt": "x"}),
        ],
    ),
    Case(
        code="DF125",
        bad=[mounted("https:///data")],
        path="spec.mounts[0].mountPoint",
        good=[mounted("s3://b"), mounted("juicefs:///x"), mounted("hdfs:///x"), mounted("local:///x")],
    ),
    Case(
        code="DF105",
        bad=[mounted("s3://AKIA:hunter2@bucket/x")],
        path="spec.mounts[0].mountPoint",
        good=[mounted("sftp://user@host/x"), mounted("abfss://box@account.dfs.core.windows.net/x")],
    ),
    Case(
        code="DF106",
        bad=[mounted("s3://bucket/x", options={"aws.secretKey": "hunter2"})],
        path="spec.mounts[0].options['aws.secretKey']",
        good=[
            mounted(
                "s3://bucket/x",
                options={"fs.s3a.aws.credentials.provider": "com.example.Chain", "aws.region": "eu"},
                encryptOptions=[{"name": "aws.secretKey", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            )
        ],
    ),
    Case(
        code="DF107",
        bad=[mounted("local://data")],
        path="spec.mounts[0].mountPoint",
        good=[mounted("local:///data")],
    ),
    Case(
        code="DF108",
        bad=[mounted("pvc:///data")],
        path="spec.mounts[0].mountPoint",
        good=[mounted("pvc://disk/data"), mounted("pvc://disk.1")],
    ),
    Case(
        code="DF109",
        bad=[dataset({"mountPoint": "dataset://base/imagenet"}, {"mountPoint": "s3://bucket/x", "name": "x"})],
        path="spec.mounts",
        good=[_TO_OTHER],
    ),
    Case(
        code="DF110",
        bad=[mounted("dataset://imagenet")],
        path="spec.mounts[0].mountPoint",
        good=[mounted("dataset://base/imagenet/train")],
    ),
    Case(
        code="DF111",
        bad=[
            dataset({"mountPoint": "dataset://base/imagenet"}, name="middle"),
            dataset({"mountPoint": "dataset://team/middle"}, name="end"),
        ],
        document=1,
        path="spec.mounts[0].mountPoint",
        good=[dataset(name="middle"), dataset({"mountPoint": "dataset://team/middle"}, name="end")],
    ),
    Case(
        code="DF112",
        bad=[_TO_OTHER, runtime()],
        document=1,
        path="kind",
        good=[_TO_OTHER, runtime("ThinRuntime")],
    ),
    Case(
        code="DF113",
        bad=[dataset({"mountPoint": "s3://b/1", "name": "x"}, {"mountPoint": "s3://b/2", "name": "x", "path": "/y"})],
        path="spec.mounts[1].name",
        good=[dataset({"mountPoint": "s3://b/1", "name": "x"}, {"mountPoint": "s3://b/1", "name": "X"})],
    ),
    Case(
        code="DF114",
        bad=[
            dataset(
                {"mountPoint": "s3://b/1", "name": "x"},
                {"mountPoint": "s3://b/2", "name": "y", "path": "/x/"},
            )
        ],
        path="spec.mounts[1].path",
        good=[
            dataset(
                {"mountPoint": "s3://b/1", "name": "x"},
                {"mountPoint": "s3://b/2", "name": "y", "path": "/x/y"},
            )
        ],
    ),
    Case(
        code="DF115",
        bad=[
            mounted(
                "s3://b/1",
                options={"aws.region": "eu"},
                encryptOptions=[{"name": "aws.region", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            )
        ],
        path="spec.mounts[0].encryptOptions[0].name",
        good=[
            dataset(
                {
                    "mountPoint": "s3://b/1",
                    "options": {"aws.region": "eu"},
                    "encryptOptions": [
                        {"name": "aws.secretKey", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
                    ],
                },
                sharedOptions={"aws.region": "us"},
            )
        ],
    ),
    Case(
        code="DF116",
        bad=[dataset(accessModes=["ReadWriteMny"])],
        path="spec.accessModes[0]",
        good=[dataset(accessModes=["ReadWriteMany", "ReadOnlyMany"])],
    ),
    Case(
        code="DF117",
        bad=[mounted("s3://b/1", readOnly=False)],
        path="spec.mounts[0].readOnly",
        good=[
            dataset({"mountPoint": "s3://b/1", "readOnly": False}, **_RWX),
            dataset(name="other"),
            pod("other"),
        ],
    ),
    Case(
        code="DF119",
        bad=[dataset(name=_LONG, namespace="ml-platform")],
        path="metadata.name",
        good=[dataset(name=_LONG[2:], namespace="ml-platform")],
    ),
    Case(
        code="DF120",
        bad=[dataset(name="c", namespace="a-b"), dataset(name="b-c", namespace="a")],
        document=1,
        path="metadata.name",
        good=[dataset(name="c", namespace="a-b"), dataset(name="c-b", namespace="a")],
    ),
    Case(
        code="DF121",
        bad=[dataset(), runtime(name="other")],
        path="",
        good=[
            dataset(),
            runtime(namespace=None),
            dataset({"mountPoint": "dataset://base/imagenet"}, name="ref"),
        ],
    ),
    Case(
        code="DF122",
        bad=[dataset(dataRestoreLocation={"path": "/backup"})],
        path="spec.dataRestoreLocation.path",
        good=[dataset(dataRestoreLocation={"path": "local:///backup", "nodeName": "n1"})],
    ),
]
