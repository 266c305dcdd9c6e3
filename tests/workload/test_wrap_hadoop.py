"""Hadoop's file system in workloads: where ``fluid://`` leads, and how each consumer is told."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from datafluid.workload import DatasetFacts, DatasetUse, Topology, Wrapped, spark_properties, wrap
from datafluid.workload.injection import Mode
from datafluid.workload.sparksubmit import spark_submit

LINK = "fs.viewfs.mounttable.team.link./a"
TIERS = {"tieredstore": {"levels": [{"mediumtype": "MEM", "path": "/dev/shm,/ssd/", "quota": "2Gi"}]}}


def alluxio(**more: Any) -> Topology:
    facts: dict[str, Any] = {
        "namespace": "team",
        "name": "a",
        "runtime_type": "alluxio",
        "runtime": TIERS,
        "endpoint": "alluxio://a-master-0.team:20001",
        **more,
    }
    return Topology(datasets={"team/a": DatasetFacts(**facts)}, pod_security={"team": "privileged"})


def deployment(image: str = "app:1", namespace: str = "team", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w", "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}], **spec}}},
    }


def spark(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {"name": "s", "namespace": "team"},
        "spec": {"driver": {}, "executor": {}, **spec},
    }


def pod_of(wrapped: Wrapped) -> dict[str, Any]:
    spec: dict[str, Any] = wrapped.manifest["spec"]["template"]["spec"]
    return spec


def env(container: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container.get("env", ())}


def core_site(wrapped: Wrapped) -> dict[str, str]:
    """What Hadoop reads from the ConfigMap that goes with the workload."""
    (text,) = [extra["data"]["core-site.xml"] for extra in wrapped.extras if "core-site.xml" in extra.get("data", {})]
    return {each.findtext("name") or "": each.findtext("value") or "" for each in ET.fromstring(text).iter("property")}


def told(wrapped: Wrapped, *what: Any) -> str:
    return "\n".join(str(entry) for entry in wrapped.report.of(*what))


def test_any_pod_finds_core_site_by_its_directory() -> None:
    """HADOOP_CONF_DIR, the ConfigMap mounted there, and the dataset's mount behind the link."""
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")])
    (container,) = pod_of(wrapped)["containers"]
    places = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert env(container)["HADOOP_CONF_DIR"] in places
    assert core_site(wrapped)[LINK] == "rawfile:///mnt/fluid/team/a"
    assert "/mnt/fluid/team/a" in places
    volumes = {volume["name"]: volume for volume in pod_of(wrapped)["volumes"]}
    assert volumes["fluid-hadoop"]["configMap"]["name"] == wrapped.extras[0]["metadata"]["name"]
    assert "leads to the mount" in told(wrapped, "done")


def test_your_hadoop_directory_stays() -> None:
    """With what to include in it."""
    mine = deployment()
    mine["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "HADOOP_CONF_DIR", "value": "/mine"}]
    wrapped = wrap(mine, [DatasetUse("a", api="hcfs")])
    assert env(pod_of(wrapped)["containers"][0])["HADOOP_CONF_DIR"] == "/mine"
    assert "xi:include" in told(wrapped, "note")


def test_each_dataset_is_a_link() -> None:
    """Those that are used as files are none."""
    uses = [DatasetUse("a", api="hcfs"), DatasetUse("other/b", api="hcfs", sub_path="x"), DatasetUse("c")]
    links = {key: value for key, value in core_site(wrap(deployment(), uses)).items() if ".link." in key}
    assert links == {
        LINK: "rawfile:///mnt/fluid/team/a",
        "fs.viewfs.mounttable.other.link./b/x": "rawfile:///mnt/fluid/other/b/x",
    }


def test_an_engine_that_serves_hadoop_is_asked_itself() -> None:
    """No claim is mounted then; the client's keys, settings and address are there, and the jar is named."""
    properties = {"alluxio.user.block.size.bytes.default": "64MB", "alluxio.master.journal.type": "UFS"}
    topology = alluxio(runtime={**TIERS, "properties": properties})
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=topology)
    site = core_site(wrapped)
    assert site[LINK] == "alluxio://a-master-0.team.svc.cluster.local:20001/"
    assert site["fs.alluxio.impl"] == "alluxio.hadoop.FileSystem"
    assert site["alluxio.user.block.size.bytes.default"] == "64MB"
    assert "alluxio.master.journal.type" not in site
    (container,) = pod_of(wrapped)["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": "a-config"}}]
    assert env(container)["ALLUXIO_CLIENT_HOSTNAME"] == {"fieldRef": {"fieldPath": "status.hostIP"}}
    names = [each["name"] for each in container["env"]]
    assert names.index("ALLUXIO_CLIENT_HOSTNAME") < names.index("JAVA_TOOL_OPTIONS")  # or it is not expanded
    assert env(container)["JAVA_TOOL_OPTIONS"] == "-Dalluxio.user.hostname=$(ALLUXIO_CLIENT_HOSTNAME)"
    assert not [volume for volume in pod_of(wrapped)["volumes"] if "persistentVolumeClaim" in volume]
    assert "alluxio-shaded-client" in told(wrapped, "done")


def test_all_masters_are_named_in_full() -> None:
    """Fluid publishes the first, and short; an HA client needs all, from any namespace."""
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=alluxio(masters=3))
    hosts = core_site(wrapped)[LINK].removeprefix("alluxio://").rstrip("/").split(",")
    assert hosts == [f"a-master-{number}.team.svc.cluster.local:20001" for number in range(3)]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"endpoint": None}, "not known before it is Bound"),
        ({"runtime_type": "juicefs"}, "juicefs"),
        ({"runtime_type": None}, "unknown"),
    ],
)
def test_where_the_engine_cannot_be_asked_the_mount_is(facts: dict[str, Any], why: str) -> None:
    """And the report says which way and why."""
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=alluxio(**facts))
    assert core_site(wrapped)[LINK] == "rawfile:///mnt/fluid/team/a"
    assert why in told(wrapped, "done")


def test_a_runtime_that_could_not_be_read_is_told() -> None:
    """Its masters are known from nothing else: the status names the first."""
    for runtime, is_told in (({}, True), (TIERS, False)):
        wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=alluxio(runtime=runtime))
        assert ("one master is assumed" in told(wrapped, "warning")) is is_told


def test_the_port_of_a_master_in_the_container_network_is_known() -> None:
    """It is always the same there; in the host network it is drawn."""
    topology = alluxio(endpoint=None, runtime={**TIERS, "master": {"networkMode": "ContainerNetwork"}})
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=topology)
    assert core_site(wrapped)[LINK] == "alluxio://a-master-0.team.svc.cluster.local:19998/"


def test_short_circuit_mounts_the_tiers_at_their_own_paths() -> None:
    """Read-only for who reads, and never a directory that must be there: the pod may land elsewhere."""
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=alluxio())
    sources = [volume["hostPath"] for volume in pod_of(wrapped)["volumes"] if "hostPath" in volume]
    assert sources == [
        {"path": "/dev/shm/team/a", "type": "DirectoryOrCreate"},
        {"path": "/ssd/team/a", "type": "DirectoryOrCreate"},
    ]
    tiers = [m for m in pod_of(wrapped)["containers"][0]["volumeMounts"] if m["name"].startswith("fluid-cache")]
    assert [(mount["mountPath"], mount["readOnly"]) for mount in tiers] == [
        ("/dev/shm/team/a", True),
        ("/ssd/team/a", True),
    ]
    assert core_site(wrapped)["alluxio.user.short.circuit.enabled"] == "true"


def jindo(**more: Any) -> Topology:
    facts: dict[str, Any] = {"namespace": "team", "name": "a", "runtime_type": "jindo", "masters": 3, **more}
    return Topology(datasets={"team/a": DatasetFacts(**facts)}, pod_security={"team": "privileged"})


def test_jindos_own_client_is_told_its_classes_and_all_masters() -> None:
    """Where a use asks for it: the keys of its unified namespace, and no key of a store."""
    runtime = {"fuse": {"properties": {"fs.jindocache.write.buffer": 7, "fs.oss.accessKeySecret": "hush"}}}
    topology = jindo(endpoint="a-jindofs-master-0.team:18001", runtime=runtime)
    wrapped = wrap(deployment(hostNetwork=True), [DatasetUse("a", api="hcfs", via="engine")], topology=topology)
    said = core_site(wrapped)
    masters = [f"a-jindofs-master-{number}.team.svc.cluster.local:18001" for number in range(3)]
    assert said[LINK] == f"jindo://{masters[0]}/"
    assert said["fs.jindo.impl"] == "com.aliyun.jindodata.jindo.JindoFileSystem"
    assert said["fs.AbstractFileSystem.jindo.impl"] == "com.aliyun.jindodata.jindo.JINDO"
    assert said["fs.xengine"] == "jindocache"
    assert said["fs.jindocache.namespace.rpc.address"].split(",") == masters
    assert said["fs.jindocache.data.cache.enable"] == "true"
    assert said["fs.jindocache.write.buffer"] == "7"
    assert "hush" not in str(wrapped)
    assert "fs.oss.accessKeyId" in told(wrapped, "done")
    spec = pod_of(wrapped)
    assert spec["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert "envFrom" not in spec["containers"][0]
    assert not any("hostPath" in volume or "persistentVolumeClaim" in volume for volume in spec["volumes"])


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ({"runtime": {"jindoVersion": {"imageTag": "4.6.8"}}, "endpoint": "a-jindofs-master-0.team:1"}, ":1"),
        ({"runtime": {"jindoVersion": {"imageTag": "4.6.8"}, "networkmode": "ContainerNetwork"}}, ":8101"),
    ],
)
def test_an_older_jindo_calls_its_keys_otherwise(more: dict[str, Any], address: str) -> None:
    """JindoFSx; and in the container network its port is known before it is Bound."""
    said = core_site(wrap(deployment(), [DatasetUse("a", api="hcfs", via="engine")], topology=jindo(**more)))
    assert said["fs.xengine"] == "jindofsx"
    assert said["fs.jindofsx.namespace.rpc.address"].endswith(address)


@pytest.mark.parametrize(("via", "endpoint"), [("auto", "a-jindofs-master-0.team:1"), ("engine", "N/A")])
def test_jindo_is_read_by_the_mount_unless_its_client_is_asked_for_and_has_a_master(via: Any, endpoint: str) -> None:
    """A mount needs neither an SDK nor keys; and without a master there is nobody to ask."""
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs", via=via)], topology=jindo(endpoint=endpoint))
    assert core_site(wrapped)[LINK] == "rawfile:///mnt/fluid/team/a"
    assert "leads to the mount" in told(wrapped, "done", "not done")


def test_every_directory_has_a_volume_of_its_own() -> None:
    """Two datasets whose names run together, and one that is called as our own volumes are: nothing is lost."""
    uses = [("c-d", "b"), ("d", "b-c"), ("team", "cache-b-0"), ("team", "hadoop")]
    known = {
        f"{namespace}/{name}": DatasetFacts(
            namespace=namespace,
            name=name,
            runtime_type="alluxio",
            runtime=TIERS,
            endpoint=f"alluxio://{name}-master-0.{namespace}:1",
            client_config={},
        )
        for namespace, name in uses
    }
    used = [DatasetUse(dataset, api=api) for dataset in known for api in ("posix", "hcfs")]  # type: ignore[arg-type]
    topology = Topology(datasets=known, pod_security={"team": "privileged"})
    wrapped = wrap(deployment(), used, topology=topology)
    volumes = {volume["name"]: volume for volume in pod_of(wrapped)["volumes"]}
    assert len(volumes) == len(pod_of(wrapped)["volumes"])
    (container,) = pod_of(wrapped)["containers"]
    at = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
    for namespace, name in uses:
        for directory in (f"/dev/shm/{namespace}/{name}", f"/ssd/{namespace}/{name}"):
            assert at[directory]["hostPath"]["path"] == directory
    assert at["/mnt/fluid/team/hadoop"]["persistentVolumeClaim"]["claimName"] == "hadoop"
    assert at[env(container)["HADOOP_CONF_DIR"]]["configMap"]["name"] == "w-fluid-hadoop"
    assert told(wrapped, "not done") == ""
    assert wrap(wrapped.manifest, used, topology=topology).manifest == wrapped.manifest


def test_no_two_datasets_share_a_stand_in() -> None:
    """Whatever their names and namespaces have in them: each has its reference, and its copy of client settings."""
    known = {
        f"{namespace}/{name}": DatasetFacts(
            namespace=namespace,
            name=name,
            runtime_type="alluxio",
            runtime=TIERS,
            endpoint=f"alluxio://{name}-master-0.{namespace}:1",
            client_config={},
        )
        for namespace, name in (("c-from-d", "b"), ("d", "b-from-c"))
    }
    used = [DatasetUse(dataset, api=api) for dataset in known for api in ("posix", "hcfs")]  # type: ignore[arg-type]
    wrapped = wrap(deployment(), used, topology=Topology(datasets=known))
    points = [each["spec"]["mounts"][0]["mountPoint"] for each in wrapped.extras if each["kind"] == "Dataset"]
    assert sorted(points) == ["dataset://c-from-d/b", "dataset://d/b-from-c"]


def test_short_circuit_can_write_where_the_use_does() -> None:
    """A block that is written lands in the same directory."""
    topology = alluxio(access_modes=("ReadWriteMany",))
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=topology)
    tiers = [m for m in pod_of(wrapped)["containers"][0]["volumeMounts"] if m["name"].startswith("fluid-cache")]
    assert not any("readOnly" in mount for mount in tiers)


@pytest.mark.parametrize(
    ("runtime", "level", "why"),
    [
        ({"tieredstore": {"levels": [{"path": "/dev/shm", "volumeType": "emptyDir"}]}}, None, "emptyDir"),
        ({}, None, "not known"),
        (TIERS, "baseline", "baseline"),
        (TIERS, "restricted", "restricted"),
    ],
)
def test_short_circuit_that_cannot_be_is_off_and_said(runtime: dict[str, Any], level: str | None, why: str) -> None:
    """No hostPath, the client's switch off, and the reason."""
    known = alluxio(runtime=runtime)
    topology = Topology(datasets=known.datasets, pod_security={"team": level} if level else {})
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], topology=topology)
    assert not [volume for volume in pod_of(wrapped)["volumes"] if "hostPath" in volume]
    assert core_site(wrapped)["alluxio.user.short.circuit.enabled"] == "false"
    assert why in told(wrapped, "not done")


def test_a_pod_in_the_host_network_asks_the_clusters_names() -> None:
    """Masters are found by name; a policy of yours stays, aloud."""
    wrapped = wrap(deployment(hostNetwork=True), [DatasetUse("a", api="hcfs")], topology=alluxio())
    assert pod_of(wrapped)["dnsPolicy"] == "ClusterFirstWithHostNet"
    mine = wrap(deployment(hostNetwork=True, dnsPolicy="Default"), [DatasetUse("a", api="hcfs")], topology=alluxio())
    assert pod_of(mine)["dnsPolicy"] == "Default"
    assert "Default" in told(mine, "not done")


def test_across_namespaces_the_client_settings_are_copied() -> None:
    """ConfigMaps stay in theirs; the URI stays the owner's."""
    settings = "-Dalluxio.master.hostname=a-master-0.team -Dalluxio.user.x=1 -Daws.secretKey=hush -Xmx1g"
    topology = alluxio(client_config={"ALLUXIO_JAVA_OPTS": settings, "ALLUXIO_MASTER_JAVA_OPTS": "-Dk=hush"})
    wrapped = wrap(deployment(namespace="ours"), [DatasetUse("team/a", api="hcfs")], topology=topology)
    copy = {extra["metadata"]["name"]: extra for extra in wrapped.extras}["a-config-from-team"]
    assert copy["metadata"]["namespace"] == "ours"
    assert copy["data"] == {"ALLUXIO_JAVA_OPTS": "-Dalluxio.master.hostname=a-master-0.team -Dalluxio.user.x=1"}
    assert "hush" not in repr(topology)
    assert pod_of(wrapped)["containers"][0]["envFrom"] == [{"configMapRef": {"name": "a-config-from-team"}}]
    assert LINK in core_site(wrapped)
    unknown = wrap(deployment(namespace="ours"), [DatasetUse("team/a", api="hcfs")], topology=alluxio())
    assert "a-config-from-team" in told(unknown, "not done")


def test_java_options_of_yours_stay() -> None:
    """With the option to add."""
    mine = deployment()
    mine["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1g"}]
    wrapped = wrap(mine, [DatasetUse("a", api="hcfs")], topology=alluxio())
    assert env(pod_of(wrapped)["containers"][0])["JAVA_TOOL_OPTIONS"] == "-Xmx1g"
    assert "Add to it: -Dalluxio.user.hostname=$(ALLUXIO_CLIENT_HOSTNAME)" in told(wrapped, "not done")


def test_java_options_of_yours_that_come_too_early_are_told() -> None:
    """Kubernetes puts in the values of earlier variables only; where it stands later nothing is to be said."""
    option = {"name": "JAVA_TOOL_OPTIONS", "value": "-Dalluxio.user.hostname=$(ALLUXIO_CLIENT_HOSTNAME)"}
    node = {"name": "ALLUXIO_CLIENT_HOSTNAME", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    for variables, early in (([option], True), ([node, option], False)):
        mine = deployment()
        mine["spec"]["template"]["spec"]["containers"][0]["env"] = variables
        wrapped = wrap(mine, [DatasetUse("a", api="hcfs")], topology=alluxio())
        assert ("stands before ALLUXIO_CLIENT_HOSTNAME" in told(wrapped, "not done")) is early


def test_spark_by_its_operator() -> None:
    """hadoopConf for driver and executors, hadoopConfigMap for what runs beside Spark; your own wins."""
    wrapped = wrap(spark(hadoopConf={"fs.defaultFS": "hdfs://nn"}), [DatasetUse("a", api="hcfs")])
    spec = wrapped.manifest["spec"]
    assert spec["hadoopConf"].items() >= core_site(wrapped).items() | {("fs.defaultFS", "hdfs://nn")}
    assert spec["hadoopConfigMap"] == wrapped.extras[0]["metadata"]["name"]
    for role in ("driver", "executor"):
        assert spec[role]["volumeMounts"][0]["name"] == spec["volumes"][0]["name"]  # the operator adds no other
    mine = wrap(spark(hadoopConfigMap="mine"), [DatasetUse("a", api="hcfs")])
    assert mine.manifest["spec"]["hadoopConfigMap"] == "mine"
    assert mine.manifest["spec"]["hadoopConf"][LINK]
    assert mine.extras == ()


def test_what_you_tell_spark_is_not_overruled_by_hadoop_conf() -> None:
    """The operator passes hadoopConf on after sparkConf, as the same properties."""
    key = "fs.viewfs.rename.strategy"
    wrapped = wrap(spark(sparkConf={f"spark.hadoop.{key}": "SAME_MOUNTPOINT"}), [DatasetUse("a", api="hcfs")])
    assert key not in wrapped.manifest["spec"]["hadoopConf"]
    assert LINK in wrapped.manifest["spec"]["hadoopConf"]
    assert "It says 'SAME_MOUNTPOINT', which was left" in told(wrapped, "not done")


@pytest.mark.parametrize(
    ("namespaces", "by_template"), [(None, False), ({"team"}, False), ({""}, False), ({"elsewhere"}, True)]
)
def test_where_the_operators_webhook_does_not_act_pod_templates_do(
    namespaces: set[str] | None, by_template: bool
) -> None:
    """Its role fields would be ignored silently there."""
    topology = Topology(spark_namespaces=frozenset(namespaces) if namespaces is not None else None)
    wrapped = wrap(spark(), ["a"], topology=topology)
    driver = wrapped.manifest["spec"]["driver"]
    assert ("template" in driver) is by_template
    assert ("volumeMounts" in driver) is not by_template
    assert ("ignored silently" in told(wrapped, "warning")) is (namespaces is None)
    if by_template:
        assert driver["template"]["spec"]["containers"][0]["name"] == "spark-kubernetes-driver"
        assert driver["template"]["spec"]["affinity"]


def test_scheduled_spark_is_spark_one_level_down() -> None:
    """In ``spec.template``."""
    manifest = {**spark(), "kind": "ScheduledSparkApplication"}
    manifest["spec"] = {"schedule": "@daily", "template": manifest["spec"]}
    wrapped = wrap(manifest, [DatasetUse("a", api="hcfs")])
    assert wrapped.manifest["spec"]["template"]["hadoopConf"][LINK]
    assert set(wrapped.manifest["spec"]) == {"schedule", "template"}


def test_dynamic_allocation_is_known() -> None:
    """Executors that come later are of the same template."""
    wrapped = wrap(spark(dynamicAllocation={"enabled": True}), [DatasetUse("a", api="hcfs")])
    assert "dynamic allocation" in told(wrapped, "note")


def test_spark_submit_gets_a_file_and_two_templates() -> None:
    """Your own properties and templates stay; what is written is read back by Java's rules."""
    job = spark_submit(
        [DatasetUse("a", api="hcfs", locality="require")],
        namespace="team",
        properties={"spark.app.name": "my job"},
        executor={"spec": {"tolerations": [{"operator": "Exists"}], "containers": [{"name": "mine"}]}},
    )
    assert job.properties.items() >= {("spark.app.name", "my job")}
    assert job.properties.items() >= spark_properties({LINK: "rawfile:///mnt/fluid/team/a"}).items()
    assert job.executor["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert job.executor["spec"]["containers"][0]["name"] == "mine"
    assert "requiredDuringSchedulingIgnoredDuringExecution" in job.executor["spec"]["affinity"]["nodeAffinity"]
    assert "requiredDuringSchedulingIgnoredDuringExecution" not in job.driver["spec"]["affinity"]["nodeAffinity"]
    files = job.files("/jobs/1")
    lines = dict(line.split(" ", 1) for line in files["/jobs/1/spark.properties"].splitlines())
    assert lines["spark.kubernetes.executor.podTemplateFile"] == "/jobs/1/executor.yaml"
    assert lines["spark.hadoop.fs.viewfs.mounttable.team.link./a"] == "rawfile:///mnt/fluid/team/a"
    places = {entry.path.partition(".")[0].partition("[")[0] for entry in job.report if entry.path}
    assert places == {"driver", "executor", "properties"}


def test_trino_by_chart_values() -> None:
    """core-site.xml in every pod, and each catalog that reads Hadoop names it; what you wrote stays."""
    values = {
        "image": {"repository": "trinodb/trino"},
        "catalogs": {"tpch": "connector.name=tpch", "lake": "# mine\nconnector.name=hive\nhive.metastore.uri=x"},
        "worker": {"additionalVolumes": [{"name": "scratch", "emptyDir": {}}]},
    }
    wrapped = wrap(values, [DatasetUse("team/a", api="hcfs")])
    catalogs = wrapped.manifest["catalogs"]
    assert catalogs["tpch"] == "connector.name=tpch"
    assert catalogs["lake"].splitlines() == [
        "# mine",
        "connector.name=hive",
        "hive.metastore.uri=x",
        "fs.hadoop.enabled=true",
        "hive.config.resources=/etc/datafluid/hadoop/core-site.xml",
    ]
    assert "fluid" not in catalogs
    assert "forgotten" not in told(wrapped, "note")
    for role in ("coordinator", "worker"):
        paths = [mount["mountPath"] for mount in wrapped.manifest[role]["additionalVolumeMounts"]]
        assert {"/etc/datafluid/hadoop", "/mnt/fluid/team/a"} <= set(paths)
    assert wrapped.manifest["worker"]["additionalVolumes"][0] == {"name": "scratch", "emptyDir": {}}


def test_trino_without_a_catalog_gets_one() -> None:
    """Its metastore is a directory, which the report says."""
    wrapped = wrap({"image": {"repository": "trinodb/trino"}}, [DatasetUse("team/a", api="hcfs")])
    catalog = dict(line.split("=", 1) for line in wrapped.manifest["catalogs"]["fluid"].splitlines())
    assert catalog["fs.hadoop.enabled"] == "true"
    assert catalog["connector.name"] == "hive"
    assert "forgotten" in told(wrapped, "note")


def test_a_catalog_that_reads_no_hadoop_is_left() -> None:
    """You switched it off."""
    values = {"catalogs": {"lake": "connector.name=hive\nfs.hadoop.enabled=false"}}
    wrapped = wrap(values, [DatasetUse("team/a", api="hcfs")])
    assert wrapped.manifest["catalogs"] == values["catalogs"]
    assert "fs.hadoop.enabled is false" in told(wrapped, "not done")


def test_a_catalog_with_resources_gets_one_more() -> None:
    """Yours first."""
    values = {"catalogs": {"lake": "connector.name=iceberg\nhive.config.resources = /etc/mine.xml\n"}}
    lake = wrap(values, [DatasetUse("team/a", api="hcfs")]).manifest["catalogs"]["lake"]
    assert "hive.config.resources=/etc/mine.xml,/etc/datafluid/hadoop/core-site.xml" in lake


def test_trino_does_not_use_the_engines_client() -> None:
    """Its Java is too new for it; so the mount, and the report says so."""
    wrapped = wrap({"catalogs": {}}, [DatasetUse("team/a", api="hcfs")], topology=alluxio())
    assert core_site(wrapped)[LINK] == "rawfile:///mnt/fluid/team/a"
    assert "Java" in told(wrapped, "done")
    asked = wrap({"catalogs": {}}, [DatasetUse("team/a", api="hcfs", via="engine")], topology=alluxio())
    assert core_site(asked)[LINK].startswith("alluxio://")
    assert "Java" in told(asked, "warning")


@pytest.mark.parametrize(
    ("image", "directory"),
    [("trinodb/trino:483", "/etc/trino/catalog"), ("prestodb/presto:0.294", "/opt/presto-server/etc/catalog")],
)
def test_plain_deployments_of_trino_and_presto(image: str, directory: str) -> None:
    """The catalog is a file of a ConfigMap, mounted beside the others."""
    wrapped = wrap(deployment(image), [DatasetUse("a", api="hcfs")])
    (container,) = pod_of(wrapped)["containers"]
    mount = {each["mountPath"]: each for each in container["volumeMounts"]}[f"{directory}/fluid.properties"]
    volume = {each["name"]: each for each in pod_of(wrapped)["volumes"]}[mount["name"]]
    (catalog,) = [e for e in wrapped.extras if e["metadata"]["name"] == volume["configMap"]["name"]]
    assert "hive.config.resources" in catalog["data"][mount["subPath"]]
    assert "applying this replaces its pods" in told(wrapped, "warning")


def test_a_catalog_directory_of_yours_takes_no_file() -> None:
    """A file cannot be mounted into a ConfigMap's volume; its text is in the report."""
    mine = deployment("trinodb/trino:483", volumes=[{"name": "c", "configMap": {"name": "catalogs"}}])
    mount = {"name": "c", "mountPath": "/etc/trino/catalog"}
    mine["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [mount]
    wrapped = wrap(mine, [DatasetUse("a", api="hcfs")])
    assert not [extra for extra in wrapped.extras if "catalog" in extra["metadata"]["name"]]
    assert "connector.name=hive" in told(wrapped, "not done")


def test_presto_is_told_its_own_scheme() -> None:
    """Hadoop 2.7 has the mount table, not the overload of schemes; the engine's client is its own."""
    values = {"image": {"repository": "prestodb/presto"}}
    wrapped = wrap(values, [DatasetUse("team/a", api="hcfs")], topology=alluxio())
    assert "viewfs://<namespace>/<dataset>" in told(wrapped, "warning")
    assert core_site(wrapped)[LINK].startswith("alluxio://")
    assert "fs.hadoop.enabled" not in wrapped.manifest["catalog"]["fluid"]


def test_hive_needs_it_in_both_servers() -> None:
    """Locations of tables are read by the metastore too."""
    wrapped = wrap(deployment("apache/hive:4.0.0"), [DatasetUse("a", api="hcfs")])
    assert env(pod_of(wrapped)["containers"][0])["HADOOP_CONF_DIR"]
    assert "metastore both need" in told(wrapped, "note")


def test_flink_by_its_operator() -> None:
    """It hands ``flink.hadoop.*`` to Hadoop; the one container of its template is named."""
    manifest = {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": "f", "namespace": "team"},
        "spec": {"flinkConfiguration": {"taskmanager.numberOfTaskSlots": "2"}},
    }
    spec = wrap(manifest, [DatasetUse("a", api="hcfs")]).manifest["spec"]
    assert spec["flinkConfiguration"][f"flink.hadoop.{LINK}"] == "rawfile:///mnt/fluid/team/a"
    assert spec["flinkConfiguration"]["taskmanager.numberOfTaskSlots"] == "2"
    assert spec["podTemplate"]["spec"]["containers"][0]["name"] == "flink-main-container"


@pytest.mark.parametrize(
    ("own", "mixed"),
    [
        ({"spec": {"containers": [{"name": "flink-main-container", "env": [{"name": "X", "value": "y"}]}]}}, True),
        ({"spec": {"initContainers": [{"name": "x"}], "nodeSelector": {"a": "b"}}}, False),
        (None, False),
    ],
)
def test_flinks_merge_of_templates_is_told_where_it_mixes_lists(own: Any, mixed: bool) -> None:
    """By position: a variable of the task manager's becomes one with ours."""
    manifest = {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": "f", "namespace": "team"},
        "spec": {"taskManager": {"podTemplate": own}},
    }
    assert ("item by item" in told(wrap(manifest, ["a"]), "warning")) is mixed


@pytest.mark.parametrize(("mode", "refused"), [(None, True), ("Serverless", True), ("RawDeployment", False)])
def test_what_knative_refuses_of_an_inference_service_is_told(mode: str | None, refused: bool) -> None:
    annotations = {"annotations": {"serving.kserve.io/deploymentMode": mode}} if mode else {}
    manifest = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "i", "namespace": "team", **annotations},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "onnx"}}}},
    }
    assert ("Knative refuses" in told(wrap(manifest, ["a"]), "warning")) is refused


def test_a_trainer_gets_its_environment_beside_the_patch() -> None:
    """Trainer's webhook refuses environment in a patch of the node container; settings cannot be read at all."""
    manifest = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "t", "namespace": "team"},
        "spec": {"runtimeRef": {"name": "torch"}},
    }
    wrapped = wrap(manifest, [DatasetUse("a", api="hcfs")], topology=alluxio())
    spec = wrapped.manifest["spec"]
    names = [each["name"] for each in spec["trainer"]["env"]]
    assert {"ALLUXIO_CLIENT_HOSTNAME", "HADOOP_CONF_DIR"} <= set(names)
    (job,) = spec["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    assert set(job["template"]["spec"]["template"]["spec"]["containers"][0]) == {"name", "volumeMounts"}
    assert "cannot be read here" in told(wrapped, "not done")


@pytest.mark.parametrize("spelling", ["runtimePatches", "podTemplateOverrides", "podSpecOverrides"])
def test_a_trainjob_is_patched_in_the_spelling_that_it_has(spelling: str) -> None:
    """Yours is left; the trainer's own entry is found again."""
    theirs: dict[str, Any] = {
        "runtimePatches": {"manager": "kueue.x-k8s.io/manager"},
        "podTemplateOverrides": {"targetJobs": [{"name": "launcher"}]},
        "podSpecOverrides": {"targetJobs": [{"name": "launcher"}]},
    }[spelling]
    manifest = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "t", "namespace": "team"},
        "spec": {spelling: [theirs]},
    }
    spec = wrap(manifest, ["a"]).manifest["spec"]
    assert spec[spelling][0] == theirs
    assert len(spec[spelling]) == 2
    assert set(spec) == {spelling, "trainer"}


@pytest.mark.parametrize("mode", ["csi", "serverless"])
def test_the_mode_does_not_change_where_uris_lead(mode: Mode) -> None:
    """Only who mounts."""
    wrapped = wrap(deployment(), [DatasetUse("a", api="hcfs")], mode=mode)
    assert core_site(wrapped)[LINK] == "rawfile:///mnt/fluid/team/a"
