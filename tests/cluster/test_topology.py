"""What a wrap knows when a real cluster is asked."""

from __future__ import annotations

import datafluid
from datafluid.plane.kubernetes import KubernetesPlane
from tests.cluster.controlplane import Cluster


def test_facts_of_a_cluster(cluster: Cluster) -> None:
    """Dataset, claim, client settings, Pod Security, nodes: each from its own object."""
    cluster.install_crds()
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    namespace = cluster.namespace("facts", **labels)
    key = f"fluid.io/s-{namespace}-words"
    node = cluster.node(f"{namespace}-n1", labels={key: "true", "topology.kubernetes.io/zone": "z1"})
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    here = {"name": "words", "namespace": namespace}
    fluid = f"/apis/data.fluid.io/v1alpha1/namespaces/{namespace}"
    dataset = {"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": here}
    cluster.api.post(f"{fluid}/datasets", {**dataset, "spec": {"mounts": [{"mountPoint": "s3://words"}]}})
    status = {
        "phase": "Bound",
        "conditions": [],
        "hcfs": {"endpoint": "alluxio://words-master-0:20001"},
        "runtimes": [{"name": "words", "namespace": namespace, "type": "alluxio", "masterReplicas": 3}],
    }
    cluster.api.patch(f"{fluid}/datasets/words/status", {"status": status})
    core = f"/api/v1/namespaces/{namespace}"
    claim = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    cluster.api.post(f"{core}/persistentvolumeclaims", {"metadata": here, "spec": claim})
    cluster.api.post(f"{core}/configmaps", {"metadata": {"name": "words-config"}, "data": {"ALLUXIO_JAVA_OPTS": "-D"}})

    topology = datafluid.read_topology(plane, ["words"], namespace=namespace)

    facts = topology.datasets[f"{namespace}/words"]
    assert (facts.runtime_type, facts.masters, facts.writable) == ("alluxio", 3, True)
    assert facts.client_config == {"ALLUXIO_JAVA_OPTS": "-D"}
    assert topology.refuses_host_path(namespace) == "baseline"
    assert [found["topology.kubernetes.io/zone"] for found in topology.holding(key)] == ["z1"]
    assert node in (topology.nodes or {})
