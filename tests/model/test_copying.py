"""Taking a declaration elsewhere: what is stripped, and what is named as to be changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.model.copying import CopyPlan, plan_copy
from datafluid.model.kinds import KINDS
from datafluid.model.lint import Surroundings, lint
from tests.model.lint.case import bound, dataset, kube, mounted, node, obj, runtime, surroundings

KEYS = {"encryptOptions": [{"name": "key", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}}]}
CLAIM = kube("v1/PersistentVolumeClaim", "disk", namespace="edge")
CLASS = kube("storage.k8s.io/v1/StorageClass", "fast", namespace=None)


def plan(*objects: Any, holds: list[Any] | None = None, secrets: tuple[str, ...] = (), **options: Any) -> CopyPlan:
    """The plan of a copy into namespace ``edge`` of a cluster that holds these objects."""
    return plan_copy(objects, namespace="edge", target=surroundings(holds or [], secrets, **options))


def told(made: CopyPlan) -> list[tuple[str, bool]]:
    return [(change.path, change.must) for change in made.changes]


def test_only_what_an_author_wrote_is_copied() -> None:
    """Status, owners, finalizers, UIDs and Fluid's labels stay behind; the spec is untouched."""
    held = bound(dataset(placement="Shared"))
    held["metadata"] |= {
        "uid": "1",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": "2027-01-15T07:00:00Z",
        "finalizers": ["fluid-dataset-controller-finalizer"],
        "ownerReferences": [{"kind": "Team"}],
        "labels": {"fluid.io/dataset-id": "team-demo", "team": "vision"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "datafluid.io/refresh": "60s"},
    }
    (made,) = plan(held).manifests
    assert made["metadata"] == {
        "name": "demo",
        "namespace": "edge",
        "labels": {"team": "vision"},
        "annotations": {"datafluid.io/refresh": "60s"},
    }
    assert made["spec"] == held["spec"]
    assert "status" not in made
    assert told(plan(held, runtime())) == []


def test_cluster_scoped_kinds_get_no_namespace() -> None:
    """A profile belongs to the whole cluster."""
    (made,) = plan(obj("ThinRuntimeProfile", {"fileSystemType": "nfs"}, namespace=None)).manifests
    assert "namespace" not in made["metadata"]


@pytest.mark.parametrize(
    ("made", "path", "cured"),
    [
        (mounted("pvc://disk/data"), "spec.mounts[0].mountPoint", [CLAIM]),
        (
            mounted("dataset://base/imagenet"),
            "spec.mounts[0].mountPoint",
            [bound(dataset(name="imagenet", namespace="base"))],
        ),
        (mounted("s3://minio.team.svc:9000/x"), "spec.mounts[0].mountPoint", None),
        (
            mounted("s3://bucket/x", options={"endpoint": "http://minio.team.svc.cluster.local:9000"}),
            "spec.mounts[0].options.endpoint",
            None,
        ),
        (
            runtime(worker={"nodeSelector": {"disk": "nvme"}}),
            "spec.worker.nodeSelector",
            [node("n1", disk="nvme")],
        ),
        (
            runtime(volumes=[{"name": "x", "persistentVolumeClaim": {"claimName": "disk"}}]),
            "spec.volumes[0]",
            [CLAIM],
        ),
        (
            runtime("JuiceFSRuntime", volumeClaimTemplates=[{"spec": {"storageClassName": "fast"}}]),
            "spec.volumeClaimTemplates[0].spec.storageClassName",
            [CLASS],
        ),
        (
            runtime("ThinRuntime", profileName="nfs"),
            "spec.profileName",
            [obj("ThinRuntimeProfile", {"fileSystemType": "nfs"}, name="nfs", namespace=None)],
        ),
    ],
)
def test_what_must_change_is_named_until_the_target_has_it(made: Any, path: str, cured: list[Any] | None) -> None:
    """With nothing there it must change; with the right thing there it need not."""
    assert told(plan(made, holds=[node("n0")])) == [(path, True)]
    if cured is not None:
        assert told(plan(made, holds=[node("n0"), *cured])) == []


def test_secrets_are_named_and_never_copied() -> None:
    """One must be made; one that is there is right."""
    made = mounted("s3://bucket/x", **KEYS)
    (change,) = plan(made).changes
    assert (change.must, "'keys'" in change.message) == (True, True)
    assert plan(made, secrets=("edge/keys",)).changes == ()
    blind = plan_copy([made], namespace="edge", target=Surroundings())
    assert [each.must for each in blind.changes] == [False]


def test_a_runtime_kind_that_the_target_lacks() -> None:
    """Discovery says so."""
    assert told(plan(runtime("CacheRuntime", runtimeClassName="x"), without=("CacheRuntime",)))[0] == ("kind", True)


def test_local_paths_and_what_is_there_already_are_worth_a_look() -> None:
    """Nobody can see the disks of the target from here, and applying again changes what is there."""
    changes = plan(mounted("local:///data"), holds=[dataset(namespace="edge")]).changes
    assert [(change.path, change.must) for change in changes] == [
        ("metadata.name", False),
        ("spec.mounts[0].mountPoint", False),
    ]


def test_one_machine_has_no_claims() -> None:
    """The embedded plane takes local paths in their place."""
    (change,) = plan_copy([mounted("pvc://disk/data")], namespace="edge", target=None).changes
    assert (change.must, "local://" in change.message) == (True, True)


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(["team", "edge"]))
def test_planning_twice_changes_nothing(kind: str, namespace: str) -> None:
    """A copy of a copy is the copy, and the source is left as it was."""
    made = obj(kind, {"mounts": [{"mountPoint": "s3://bucket/x"}]})
    before = repr(made)
    (once,) = plan_copy([made], namespace=namespace, target=None).manifests
    (twice,) = plan_copy([once], namespace=namespace, target=None).manifests
    assert once == twice
    assert repr(made) == before


def test_what_is_copied_is_a_good_manifest() -> None:
    """Lint has nothing against what a plan without obstacles would apply."""
    made = plan(bound(dataset()), {**runtime(), "status": {"masterPhase": "Ready"}})
    assert lint(list(made.manifests)) == []
