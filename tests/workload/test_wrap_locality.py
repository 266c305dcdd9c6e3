"""Where wrapped pods may run and would rather run: the labels of the dataset that holds the bytes."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.errors import Invalid
from datafluid.placement import NodeAffinity, labels
from datafluid.workload import DatasetFacts, DatasetUse, Topology, Wrapped, wrap

A, B = "fluid.io/s-team-a", "fluid.io/s-team-b"
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"


def job(spec: dict[str, Any] | None = None, labels: dict[str, str] | None = None) -> dict[str, Any]:
    template = {"metadata": {"labels": labels or {}}, "spec": {"containers": [{"name": "main"}], **(spec or {})}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "namespace": "team"},
        "spec": {"template": template},
    }


def affinity(wrapped: Wrapped) -> NodeAffinity:
    return NodeAffinity.of(wrapped.manifest["spec"]["template"]["spec"])


def told(wrapped: Wrapped, *what: Any) -> str:
    return "\n".join(str(entry) for entry in wrapped.report.of(*what))


def claims(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]


def test_a_node_with_the_cache_is_preferred_then_one_with_the_mount() -> None:
    """Fluid's weight; the FUSE mount counts as much when files are read."""
    wanted = affinity(wrap(job(), ["a"]))
    assert wanted.required is None
    assert wanted.score({A: "true"}) == 100
    assert wanted.score({A: "true", "fluid.io/f-team-a": "true"}) == 200
    assert affinity(wrap(job(), [DatasetUse("a", reuse_fuse=False)])).score({"fluid.io/f-team-a": "true"}) == 0


def test_two_required_datasets_must_meet() -> None:
    """One term with both; Fluid's webhook takes either."""
    wanted = affinity(wrap(job(), [DatasetUse("a", locality="require"), DatasetUse("b", locality="require")]))
    assert wanted.matches({A: "true", B: "true"})
    assert not wanted.matches({A: "true"})
    assert not wanted.matches({B: "true"})
    assert wanted.preferred == ()


def test_what_you_require_still_holds() -> None:
    """On each of your alternatives, the dataset is required too."""
    terms = [{"matchExpressions": [{"key": "disk", "operator": "In", "values": [v]}]} for v in ("ssd", "nvme")]
    mine = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    wanted = affinity(wrap(job({"affinity": mine}), [DatasetUse("a", locality="require")]))
    assert wanted.matches({A: "true", "disk": "nvme"})
    assert not wanted.matches({A: "true", "disk": "hdd"})
    assert not wanted.matches({"disk": "ssd"})


@pytest.mark.parametrize("locality", ["require", "prefer"])
def test_an_affinity_without_terms_is_refused(locality: Any) -> None:
    """An empty list matches no node and no API server takes it, so there is nothing that ours could be merged with."""
    mine = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
    with pytest.raises(Invalid, match="no nodeSelectorTerms") as caught:
        wrap(job({"affinity": mine}), [DatasetUse("a", locality=locality)])
    assert "leave it away" in caught.value.hint


def test_other_affinities_are_left() -> None:
    """Pods' affinities are none of our business."""
    mine = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host"}]}}
    spec = wrap(job({"affinity": mine}), ["a"]).manifest["spec"]["template"]["spec"]
    assert spec["affinity"]["podAntiAffinity"] == mine["podAntiAffinity"]


def test_off_writes_nothing() -> None:
    """Not even an empty affinity."""
    assert "affinity" not in wrap(job(), [DatasetUse("a", locality="off")]).manifest["spec"]["template"]["spec"]


def test_zone_and_region_of_the_nodes_that_hold_the_cache() -> None:
    """50 and 20, from the node inventory; Fluid takes them from constraints that hardly anybody writes."""
    nodes = {
        "n1": {A: "true", ZONE: "z1", REGION: "r"},
        "n2": {A: "true", ZONE: "z2", REGION: "r"},
        "n3": {ZONE: "z3", REGION: "r"},
    }
    wanted = affinity(wrap(job(), [DatasetUse("a", reuse_fuse=False)], topology=Topology(nodes=nodes)))
    assert [wanted.score(labels) for labels in nodes.values()] == [170, 170, 20]


def test_no_zone_where_the_webhook_would_stop_at_it() -> None:
    """A zone in the pod switches Fluid's scheduling off, so it is left out and said."""
    nodes = {"n1": {A: "true", ZONE: "z1"}}
    wrapped = wrap(job(), ["a"], topology=Topology(nodes=nodes), mode="serverful")
    assert affinity(wrapped).score({ZONE: "z1"}) == 0
    assert "zone and region are left out" in told(wrapped, "note")


def test_the_label_of_fluid_is_read_as_a_request() -> None:
    """For a dataset of a use, and for a claim that the pod mounts itself."""
    request = {"fluid.io/dataset.a.sched": "required"}
    assert affinity(wrap(job(labels=request), ["a"])).matches({B: "true"}) is False
    own = wrap(job({"volumes": claims("a")}, labels=request), ["b"])
    assert affinity(own).matches({A: "true"})
    assert not affinity(own).matches({B: "true"})
    assert own.manifest["spec"]["template"]["metadata"]["labels"] == request


def test_a_label_for_what_is_not_mounted_is_reported() -> None:
    """Fluid ignores it, and so do we, aloud."""
    wrapped = wrap(job(labels={"fluid.io/dataset.z.sched": "required"}), ["a"])
    assert affinity(wrapped).required is None
    assert "a label requires z" in told(wrapped, "not done")


def test_another_value_of_the_label_means_nothing() -> None:
    """Exactly ``required``."""
    assert affinity(wrap(job(labels={"fluid.io/dataset.a.sched": "true"}), ["a"])).required is None


def test_a_reference_takes_the_labels_of_what_holds_the_bytes() -> None:
    """No node carries those of the reference."""
    topology = Topology(
        datasets={
            "team/a": DatasetFacts(namespace="team", name="a", physical=("store", "images", "")),
            "store/images": DatasetFacts(namespace="store", name="images", runtime_type="alluxio"),
        }
    )
    wanted = affinity(wrap(job(), [DatasetUse("a", locality="require")], topology=topology))
    assert wanted.matches({labels("store", "images").dataset: "true"})
    assert not wanted.matches({A: "true"})


def test_a_long_name_takes_the_uid_or_is_reported() -> None:
    """A label that no node can carry would keep a pod waiting for ever."""
    long = "d" * 60
    use = DatasetUse(long, locality="require")
    blind = wrap(job(), [use])
    assert "affinity" not in blind.manifest["spec"]["template"]["spec"]
    assert "UID" in told(blind, "not done")
    topology = Topology(datasets={f"team/{long}": DatasetFacts(namespace="team", name=long, uid="1234")})
    assert affinity(wrap(job(), [use], topology=topology)).matches({"fluid.io/s-1234": "true"})


def test_a_runtime_without_workers_has_no_near_node() -> None:
    """Required, it would wait for ever."""
    topology = Topology(datasets={"team/a": DatasetFacts(namespace="team", name="a", runtime_type="thin")})
    wrapped = wrap(job(), [DatasetUse("a", locality="require")], topology=topology)
    assert "affinity" not in wrapped.manifest["spec"]["template"]["spec"]
    assert "no workers" in told(wrapped, "not done")


def test_a_pod_that_is_bound_to_a_node_gets_no_affinity() -> None:
    """Nothing would read it."""
    wrapped = wrap(job({"nodeName": "n1"}), ["a"])
    assert "affinity" not in wrapped.manifest["spec"]["template"]["spec"]
    assert "n1" in told(wrapped, "not done")


def test_pods_without_a_dataset_leave_the_caches_to_others() -> None:
    """Fluid's PreferNodesWithoutCache; not for a pod that mounts a dataset by itself."""
    wanted = affinity(wrap(job(), []))
    assert wanted.score({}) == 100
    assert wanted.score({"fluid.io/dataset-num": "1"}) == 0
    known = Topology(datasets={"team/a": DatasetFacts(namespace="team", name="a")})
    assert (
        "affinity" not in wrap(job({"volumes": claims("a")}), [], topology=known).manifest["spec"]["template"]["spec"]
    )


@pytest.mark.parametrize(("autoscaled", "warned"), [(None, True), (True, True), (False, False)])
def test_an_autoscaler_cannot_make_a_required_node(autoscaled: bool | None, warned: bool) -> None:
    """Said, with what to write instead."""
    wrapped = wrap(job(), [DatasetUse("a", locality="require")], topology=Topology(autoscaled=autoscaled))
    assert ('locality="prefer"' in told(wrapped, "warning")) is warned


def test_who_steers_is_never_bound() -> None:
    """A driver reads little; it would wait for a full cache node for nothing."""
    app = {
        "apiVersion": "spark.apache.org/v1",
        "kind": "SparkApplication",
        "metadata": {"name": "s", "namespace": "team"},
        "spec": {},
    }
    spec = wrap(app, [DatasetUse("a", locality="require")]).manifest["spec"]
    driver, executor = (
        NodeAffinity.of(spec[role]["podTemplateSpec"]["spec"]) for role in ("driverSpec", "executorSpec")
    )
    assert driver.required is None
    assert driver.score({A: "true"}) == 100
    assert not executor.matches({})


def test_who_steers_is_bound_when_it_is_named() -> None:
    """You may know better."""
    app = {
        "apiVersion": "spark.apache.org/v1",
        "kind": "SparkApplication",
        "metadata": {"name": "s", "namespace": "team"},
        "spec": {},
    }
    spec = wrap(app, [DatasetUse("a", locality="require", roles=("driver",))]).manifest["spec"]
    assert not NodeAffinity.of(spec["driverSpec"]["podTemplateSpec"]["spec"]).matches({})


def test_roles_are_wrapped_apart() -> None:
    """The master reads nothing here."""
    replicas = {role: {"template": job()["spec"]["template"]} for role in ("Master", "Worker")}
    manifest = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "p", "namespace": "team"},
        "spec": {"pytorchReplicaSpecs": replicas},
    }
    roles = wrap(manifest, [DatasetUse("a", roles=("Worker",))]).manifest["spec"]["pytorchReplicaSpecs"]
    assert roles["Master"] == replicas["Master"]
    assert roles["Worker"]["template"]["spec"]["volumes"] == [
        {"name": "fluid-a", "persistentVolumeClaim": {"claimName": "a"}}
    ]


def test_an_inherited_affinity_is_not_lost() -> None:
    """Presto's chart and Argo take the affinity above only while there is none below."""
    above = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host"}]}}
    values = {"image": {"repository": "prestodb/presto"}, "affinity": above}
    wrapped = wrap(values, ["team/a"])
    assert wrapped.manifest["worker"]["affinity"]["podAntiAffinity"] == above["podAntiAffinity"]
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "w", "namespace": "team"},
        "spec": {"affinity": above, "templates": [{"name": "t", "container": {"image": "i"}}]},
    }
    (step,) = wrap(workflow, ["a"]).manifest["spec"]["templates"]
    assert step["affinity"]["podAntiAffinity"] == above["podAntiAffinity"]


def test_the_defaults_of_a_workflow_count_before_the_workflow_for_inline_steps_too() -> None:
    """Argo lays a template over templateDefaults; the volume is the workflow's wherever the step is written."""
    nodes = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}]}}
    spec = {
        "affinity": {"podAffinity": {}},
        "templateDefaults": {"affinity": {"podAntiAffinity": {}, "nodeAffinity": nodes}},
        "templates": [{"name": "t", "steps": [[{"name": "s", "inline": {"container": {"image": "i"}}}]]}],
    }
    workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": spec}
    wrapped = wrap(workflow, ["a"]).manifest["spec"]
    inline = wrapped["templates"][0]["steps"][0][0]["inline"]
    assert inline["affinity"].keys() == {"podAntiAffinity", "nodeAffinity"}
    assert inline["affinity"]["nodeAffinity"].items() >= nodes.items()
    assert inline["container"]["volumeMounts"][0]["name"] == wrapped["volumes"][0]["name"]


@pytest.mark.parametrize("spelling", ["runtimePatches", "podTemplateOverrides"])
def test_the_affinity_of_your_own_patch_of_a_trainer_is_not_lost(spelling: str) -> None:
    """Trainer merges patch after patch, and the terms of a later one take the place of those before."""
    pool = {"key": "pool", "operator": "In", "values": ["a100"]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [pool]}]}
    mine = {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}
    jobs = [{"name": each, "template": {"spec": {"template": {"spec": mine}}}} for each in ("node", "launcher")]
    written = {
        "runtimePatches": {"manager": "me", "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": jobs}}}},
        "podTemplateOverrides": {"targetJobs": [{"name": "node"}, {"name": "launcher"}], "spec": mine},
    }
    train = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "t", "namespace": "team"},
        "spec": {spelling: [written[spelling]]},
    }
    wrapped = wrap(train, ["a,locality=require"]).manifest
    first, ours = wrapped["spec"][spelling]
    assert first == written[spelling]
    if spelling == "runtimePatches":
        (node,) = ours["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
        ours = node["template"]["spec"]["template"]
    found = NodeAffinity.of(ours["spec"])
    assert found.matches({A: "true", "pool": "a100"})
    assert not found.matches({A: "true"})
    assert wrap(wrapped, ["a,locality=require"]).manifest == wrapped


@pytest.mark.parametrize("wrong", ["x", ["x"], []])
def test_an_affinity_that_is_none_is_not_overruled(wrong: Any) -> None:
    with pytest.raises(Invalid, match="affinity is not a mapping"):
        wrap(job({"affinity": wrong}), ["a"])


def test_the_affinity_of_a_spark_template_is_not_lost() -> None:
    """The operator's webhook replaces it by that of the role, so it comes along."""
    above = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host"}]}}
    app = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {"name": "s", "namespace": "team"},
        "spec": {"driver": {}, "executor": {"template": {"spec": {"affinity": above}}}},
    }
    executor = wrap(app, ["a"]).manifest["spec"]["executor"]
    assert executor["affinity"]["podAntiAffinity"] == above["podAntiAffinity"]
    assert executor["template"]["spec"]["affinity"] == above


def test_an_api_without_affinity_can_still_require() -> None:
    """The oldest TrainJob has a node selector only."""
    manifest = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "t", "namespace": "team"},
        "spec": {"runtimeRef": {"name": "torch"}},
    }
    topology = Topology(train_patch="podSpecOverrides")
    required = wrap(manifest, [DatasetUse("a", locality="require")], topology=topology)
    assert required.manifest["spec"]["podSpecOverrides"][0]["nodeSelector"] == {A: "true"}
    preferred = wrap(manifest, ["a"], topology=topology)
    assert "no affinity" in told(preferred, "not done")
