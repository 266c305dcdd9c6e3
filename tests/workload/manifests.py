"""Manifests of every kind, drawn at random: what a user may have written before a wrap."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from datafluid.workload import DatasetFacts, DatasetUse, Prefetch, Topology

__all__ = ["manifests", "templated", "topologies", "uses"]

_names = st.sampled_from(["main", "pytorch", "side", "a"])
_requirements = st.fixed_dictionaries(
    {"key": st.sampled_from(["disk", "zone", "fluid.io/s-team-b"]), "operator": st.just("In")},
    optional={"values": st.lists(st.sampled_from(["x", "y", "true"]), min_size=1, max_size=2, unique=True)},
)
_terms = st.fixed_dictionaries(
    {},
    optional={
        "matchExpressions": st.lists(_requirements, max_size=2),
        "matchFields": st.just([{"key": "metadata.name", "operator": "In", "values": ["n1"]}]),
    },
)
_affinity = st.fixed_dictionaries(
    {},
    optional={
        "podAntiAffinity": st.just({"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host"}]}),
        "nodeAffinity": st.fixed_dictionaries(
            {},
            optional={
                "requiredDuringSchedulingIgnoredDuringExecution": st.fixed_dictionaries(
                    {"nodeSelectorTerms": st.lists(_terms, min_size=1, max_size=3)}
                ),
                "preferredDuringSchedulingIgnoredDuringExecution": st.lists(
                    st.fixed_dictionaries({"weight": st.integers(1, 100), "preference": _terms}), max_size=2
                ),
            },
        ),
    },
)
_mounts = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["data", "fluid-a", "scratch"]),
            "mountPath": st.sampled_from(["/data", "/data/x/", "/mnt/fluid/team/a", "/mnt/fluid/team/a/", "/x"]),
        },
        optional={"readOnly": st.booleans(), "subPath": st.just("below")},
    ),
    max_size=2,
    unique_by=lambda mount: mount["mountPath"],
)
_variables = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["HADOOP_CONF_DIR", "JAVA_TOOL_OPTIONS", "DATAFLUID_MOUNT_ROOT", "HOME"]),
            "value": st.sampled_from(["/etc/mine", "-Xmx1g", ""]),
        }
    ),
    max_size=2,
    unique_by=lambda variable: variable["name"],
)
_holders = {"volumeMounts": _mounts, "env": _variables, "envFrom": st.just([{"secretRef": {"name": "s"}}])}
_containers = st.fixed_dictionaries(
    {"name": _names, "image": st.sampled_from(["busybox:1.36", "trinodb/trino:483", "prestodb/presto"])},
    optional=_holders,
)
_container_lists = st.lists(_containers, min_size=1, max_size=2, unique_by=lambda container: container["name"])
_volumes = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(["data", "fluid-a", "fluid-hadoop"]),
                "persistentVolumeClaim": st.fixed_dictionaries({"claimName": st.sampled_from(["a", "b", "mine"])}),
            }
        ),
        st.fixed_dictionaries({"name": st.sampled_from(["scratch", "fluid-b"]), "emptyDir": st.just({})}),
    ),
    max_size=2,
    unique_by=lambda volume: volume["name"],
)
_selectors = st.dictionaries(st.sampled_from(["disk", "gpu"]), st.just("x"), max_size=1)
_labels = st.dictionaries(
    st.sampled_from(["app", "fluid.io/dataset.a.sched", "fuse.serverful.fluid.io/inject"]),
    st.sampled_from(["required", "true", "x"]),
    max_size=2,
)
_annotations = st.dictionaries(
    st.sampled_from(["note", "file-prefetcher.fluid.io/inject", "file-prefetcher.fluid.io/prefetch-timeout-seconds"]),
    st.sampled_from(["true", "10m"]),
    max_size=2,
)
_metadata = st.fixed_dictionaries({}, optional={"labels": _labels, "annotations": _annotations})
_pods = st.fixed_dictionaries(
    {
        "spec": st.fixed_dictionaries(
            {"containers": _container_lists},
            optional={
                "affinity": _affinity,
                "nodeSelector": _selectors,
                "volumes": _volumes,
                "hostNetwork": st.booleans(),
                "dnsPolicy": st.sampled_from(["ClusterFirst", "None"]),
                "nodeName": st.just("n1"),
                "initContainers": _container_lists,
            },
        )
    },
    optional={"metadata": _metadata},
)
_spark_role = st.fixed_dictionaries(
    {}, optional={**_holders, "labels": _labels, "affinity": _affinity, "cores": st.just(2), "template": _pods}
)
_step = st.one_of(
    st.fixed_dictionaries(
        {"name": _names, "container": _containers}, optional={"affinity": _affinity, "metadata": _metadata}
    ),
    st.just({"name": "dag", "dag": {"tasks": []}}),
)
_catalogs = st.dictionaries(
    st.sampled_from(["lake", "tpch", "fluid"]),
    st.sampled_from(
        [
            "connector.name=tpch",
            "connector.name=hive\nhive.metastore.uri=thrift://m:9083\n",
            "# mine\nconnector.name = hive\nhive.config.resources=/etc/mine.xml\nfs.hadoop.enabled=false",
        ]
    ),
)


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def _object(api: str, kind: str, spec: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    metadata = st.fixed_dictionaries({"name": st.just("w")}, optional={"namespace": st.sampled_from(["team", "ours"])})
    return st.fixed_dictionaries(
        {"apiVersion": st.just(api), "kind": st.just(kind), "metadata": metadata, "spec": spec}
    )


def _spec(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields)


_roles = st.dictionaries(
    st.sampled_from(["Master", "Worker", "Launcher"]), _spec(template=_pods), min_size=1, max_size=2
)
_patch = _spec(
    manager=st.just("kueue.x-k8s.io/manager"),
    trainingRuntimeSpec=st.just({"template": {"metadata": {"labels": {"a": "b"}}}}),
)
_train = st.one_of(
    _optional(trainer=_optional(numNodes=st.just(2), env=_variables)),
    _spec(runtimePatches=st.lists(_patch, min_size=1, max_size=1)),
    _spec(
        podTemplateOverrides=st.lists(
            st.fixed_dictionaries({"targetJobs": st.just([{"name": "node"}]), "spec": _optional(volumes=_volumes)}),
            min_size=1,
            max_size=1,
        )
    ),
    _spec(
        podSpecOverrides=st.lists(
            st.fixed_dictionaries(
                {"targetJobs": st.just([{"name": "launcher"}])}, optional={"nodeSelector": _selectors}
            ),
            min_size=1,
            max_size=1,
        )
    ),
)
_templates = {
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("kubeflow.org/v1", "Notebook"),
    ("example.org/v1", "Strange"),
}
_spark = _optional(
    driver=_spark_role,
    executor=_spark_role,
    volumes=_volumes,
    hadoopConf=st.just({"fs.defaultFS": "hdfs://nn"}),
    hadoopConfigMap=st.just("mine"),
)
_trino_role = _optional(affinity=_affinity, additionalVolumes=_volumes, additionalVolumeMounts=_mounts, labels=_labels)
_presto_role = _optional(affinity=_affinity, volumes=_volumes, volumeMounts=_mounts, podAnnotations=_annotations)

#: Workloads with one template of pods, in ``spec.template``.
templated: st.SearchStrategy[dict[str, Any]] = st.one_of(
    *(_object(api, kind, _spec(template=_pods)) for api, kind in sorted(_templates))
)
#: Any workload that `wrap` knows, and one that it does not.
manifests: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda pod, name: {
            "apiVersion": "v1",
            "kind": "Pod",
            **pod,
            "metadata": {"name": name, **pod.get("metadata", {})},
        },
        _pods,
        _names,
    ),
    templated,
    _object("batch/v1", "CronJob", _spec(jobTemplate=_spec(spec=_spec(template=_pods)))),
    _object("sparkoperator.k8s.io/v1beta2", "SparkApplication", _spark),
    _object("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", _spec(template=_spark)),
    _object("sparkoperator.k8s.io/v1alpha1", "SparkConnect", _optional(server=_optional(template=_pods))),
    _object("spark.apache.org/v1", "SparkCluster", _optional(sparkConf=st.just({"spark.a": "b"}))),
    _object("spark.apache.org/v1", "SparkApplication", _optional(driverSpec=_optional(podTemplateSpec=_pods))),
    _object("kubeflow.org/v1", "PyTorchJob", _spec(pytorchReplicaSpecs=_roles)),
    _object("kubeflow.org/v1", "TFJob", _spec(tfReplicaSpecs=_roles)),
    _object(
        "kubeflow.org/v2beta1", "MPIJob", _spec(mpiReplicaSpecs=_roles.filter(lambda roles: set(roles) != {"Master"}))
    ),
    _object("trainer.kubeflow.org/v1alpha1", "TrainJob", _train),
    _object("ray.io/v1", "RayCluster", _spec(headGroupSpec=_spec(template=_pods))),
    _object("ray.io/v1", "RayJob", _spec(rayClusterSpec=_spec(headGroupSpec=_spec(template=_pods)))),
    _object(
        "jobset.x-k8s.io/v1alpha2",
        "JobSet",
        _spec(
            replicatedJobs=st.lists(
                _spec(name=_names, template=_spec(spec=_spec(template=_pods))), min_size=1, max_size=2
            )
        ),
    ),
    _object("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", _spec(leaderWorkerTemplate=_spec(workerTemplate=_pods))),
    _object("batch.volcano.sh/v1alpha1", "Job", _spec(tasks=st.lists(_spec(template=_pods), min_size=1, max_size=2))),
    _object(
        "flink.apache.org/v1beta1",
        "FlinkDeployment",
        _optional(podTemplate=_pods, flinkConfiguration=st.just({"a": "b"})),
    ),
    _object(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        _spec(predictor=_optional(model=_optional(env=_variables), affinity=_affinity, volumes=_volumes)),
    ),
    _object(
        "argoproj.io/v1alpha1",
        "Workflow",
        st.fixed_dictionaries(
            {
                "templates": st.lists(_step, min_size=1, max_size=2).filter(
                    lambda steps: any("container" in s for s in steps)
                )
            },
            optional={"affinity": _affinity, "volumes": _volumes},
        ),
    ),
    st.fixed_dictionaries(
        {"image": st.just({"repository": "trinodb/trino"})},
        optional={"coordinator": _trino_role, "worker": _trino_role, "env": _variables, "catalogs": _catalogs},
    ),
    st.fixed_dictionaries(
        {"image": st.just({"repository": "prestodb/presto"})},
        optional={"coordinator": _presto_role, "worker": _presto_role, "affinity": _affinity, "catalog": _catalogs},
    ),
)

uses: st.SearchStrategy[list[DatasetUse]] = st.lists(
    st.builds(
        DatasetUse,
        st.sampled_from(["a", "team/a", "team/b", "other/c"]),
        sub_path=st.sampled_from(["", "", "train"]),
        read_only=st.sampled_from([None, True, False]),
        api=st.sampled_from(["posix", "hcfs"]),
        via=st.sampled_from(["auto", "mount"]),
        locality=st.sampled_from(["prefer", "require", "off"]),
        reuse_fuse=st.booleans(),
        prefetch=st.sampled_from([None, Prefetch(), Prefetch(files=("*.tar",), image="p:1")]),
        containers=st.sampled_from([(), (), (), ("main",)]),
        roles=st.sampled_from([(), (), (), (), ("Worker",)]),
    ),
    max_size=3,
    unique_by=lambda use: use.dataset.rpartition("/")[2],
)

_facts = st.builds(
    DatasetFacts,
    namespace=st.sampled_from(["team"]),
    name=st.sampled_from(["a", "b"]),
    uid=st.just("5f2a"),
    runtime_type=st.sampled_from(["alluxio", "juicefs", "thin"]),
    runtime=st.sampled_from(
        [
            {},
            {"tieredstore": {"levels": [{"path": "/dev/shm,/ssd"}]}, "properties": {"alluxio.user.x": "1"}},
            {"tieredstore": {"levels": [{"path": "/dev/shm", "volumeType": "emptyDir"}]}},
        ]
    ),
    access_modes=st.sampled_from([("ReadOnlyMany",), ("ReadWriteMany",)]),
    endpoint=st.sampled_from([None, "alluxio://a-master-0.team:20000"]),
    masters=st.sampled_from([1, 3]),
    client_config=st.sampled_from([None, {"ALLUXIO_JAVA_OPTS": "-D"}]),
)
topologies: st.SearchStrategy[Topology] = st.builds(
    lambda facts, **known: Topology(datasets={f"{each.namespace}/{each.name}": each for each in facts}, **known),
    st.lists(_facts, max_size=2),
    namespace=st.sampled_from(["default", "team"]),
    nodes=st.sampled_from(
        [None, {"n1": {"fluid.io/s-team-a": "true", "topology.kubernetes.io/zone": "z1"}, "n2": {}}],
    ),
    pod_security=st.sampled_from([{}, {"team": "restricted"}]),
    spark_namespaces=st.sampled_from([None, frozenset({"team"}), frozenset({"elsewhere"})]),
)
