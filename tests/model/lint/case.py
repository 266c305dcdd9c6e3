"""The shape of a test case for a rule, and short ways to write manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from datafluid.model.kinds import KINDS
from datafluid.model.lint import Plane, Surroundings
from datafluid.model.lint.subject import Subject
from datafluid.model.ref import qualified_kind

API = "data.fluid.io/v1alpha1"
Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One rule: where it fires, and a near miss where it must not.

    Args:
        code: The rule.
        bad: Objects, or YAML text, in which it fires once or more.
        path: Where it fires first.
        good: What looks much the same and is right.
        document: Which of the bad objects is wrong.
        plane: Where the objects are going.
        around: What the cluster holds around the bad ones; None when nobody looked.
        calm: What it holds around the good ones; None: the same.
        secrets: The Secrets there are.
        absent: Kinds that the cluster does not serve.
    """

    code: str
    bad: list[Object] | str
    path: str
    good: list[Object] | str
    document: int = 0
    plane: Plane | None = None
    around: list[Object] | None = None
    calm: list[Object] | None = None
    secrets: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def bad_surroundings(self) -> Surroundings | None:
        """What is around the bad objects."""
        return None if self.around is None else surroundings(self.around, self.secrets, without=self.absent)

    @property
    def good_surroundings(self) -> Surroundings | None:
        """What is around the good ones."""
        return self.bad_surroundings if self.calm is None else surroundings(self.calm, self.secrets)

    @property
    def bad_text(self) -> str:
        """The bad objects as YAML."""
        return text_of(self.bad)

    @property
    def good_text(self) -> str:
        """The near miss as YAML."""
        return text_of(self.good)


#: The kinds of Kubernetes that lint looks at.
LOOKED_AT = (
    "v1/Node",
    "v1/Namespace",
    "v1/PersistentVolumeClaim",
    "v1/ResourceQuota",
    "v1/LimitRange",
    "v1/ConfigMap",
    "networking.k8s.io/v1/NetworkPolicy",
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration",
    "storage.k8s.io/v1/CSIDriver",
    "storage.k8s.io/v1/StorageClass",
)


def surroundings(
    objects: list[Object], secrets: tuple[str, ...] = (), *, without: tuple[str, ...] = ()
) -> Surroundings:
    """A cluster that holds these objects, and in which everything may be read; ``without`` some kinds of Fluid."""
    found: dict[str, list[Subject]] = {kind: [] for kind in (*KINDS, *LOOKED_AT) if kind not in without}
    for each in objects:
        found.setdefault(qualified_kind(each["apiVersion"], each["kind"]), []).append(Subject(data=each))
    free = {
        each["metadata"]["name"]: {"memory": each["free"]}
        for each in objects
        if each["kind"] == "Node" and "free" in each
    }
    return Surroundings(
        objects={kind: tuple(each) for kind, each in found.items()},
        served=frozenset(found),
        secrets=frozenset(secrets),
        free=free or None,
    )


def text_of(objects: list[Object] | str) -> str:
    if isinstance(objects, str):
        return objects
    return yaml.safe_dump_all(objects, sort_keys=False, width=1000, allow_unicode=True)


def obj(kind: str, spec: Any = None, *, name: str = "demo", namespace: str | None = "team", **more: Any) -> Object:
    """An object of Fluid."""
    metadata: Object = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    metadata.update(more.pop("metadata", {}))
    made: Object = {"apiVersion": more.pop("api", API), "kind": kind, "metadata": metadata}
    if spec is not None:
        made["spec"] = spec
    return {**made, **more}


def dataset(*mounts: Mapping[str, Any], name: str = "demo", namespace: str | None = "team", **spec: Any) -> Object:
    """A dataset with these mounts, or with a good one."""
    given = [dict(mount) for mount in mounts] or [{"mountPoint": "s3://bucket/data", "name": "data"}]
    return obj("Dataset", {"mounts": given, **spec}, name=name, namespace=namespace)


def mounted(point: str, **mount: Any) -> Object:
    """A dataset with one mount."""
    return dataset({"mountPoint": point, "name": "data", **mount})


def annotated(made: Object, **annotations: str) -> Object:
    """The object with annotations ``datafluid.io/<name>``."""
    ours = {f"datafluid.io/{name.replace('_', '-')}": value for name, value in annotations.items()}
    return {**made, "metadata": {**made["metadata"], "annotations": ours}}


LEVEL = {"mediumtype": "SSD", "path": "/ssd", "quota": "10Gi"}


def runtime(kind: str = "AlluxioRuntime", *levels: Mapping[str, Any], **spec: Any) -> Object:
    """A runtime with these cache levels, or with a good one."""
    tiers = {"tieredstore": {"levels": [dict(level) for level in levels] or [dict(LEVEL)]}}
    if kind in ("CacheRuntime", "ThinRuntime"):
        tiers = {}
    name, namespace = spec.pop("name", "demo"), spec.pop("namespace", "team")
    return obj(kind, {**tiers, **spec}, name=name, namespace=namespace)


def level(**changes: Any) -> Object:
    """An AlluxioRuntime with one cache level; None takes a field away."""
    merged = {**LEVEL, **changes}
    return runtime("AlluxioRuntime", {key: value for key, value in merged.items() if value is not None})


def load(*paths: str, name: str = "warm", namespace: str | None = "team", **spec: Any) -> Object:
    """A DataLoad of the dataset team/demo."""
    target = {"target": [{"path": path} for path in paths]} if paths else {}
    return obj(
        "DataLoad",
        {"dataset": {"name": "demo", "namespace": "team"}, **target, **spec},
        name=name,
        namespace=namespace,
    )


def after(*, kind: str = "DataLoad", name: str = "first", **more: Any) -> Object:
    """A ``runAfter``."""
    return {"runAfter": {"kind": kind, "name": name, **more}}


def migrate(source: Any = None, target: Any = None, **spec: Any) -> Object:
    """A DataMigrate from a store into the dataset team/demo."""
    source = {"externalStorage": {"uri": "s3://bucket/old"}} if source is None else source
    target = {"dataset": {"name": "demo", "namespace": "team"}} if target is None else target
    return obj("DataMigrate", {"from": source, "to": target, **spec}, name="move")


def process(**processor: Any) -> Object:
    """A DataProcess on the dataset team/demo."""
    spec = {"dataset": {"name": "demo", "namespace": "team", "mountPath": "/data"}, "processor": processor}
    return obj("DataProcess", spec, name="crunch")


SCRIPT = {"image": "busybox", "imageTag": "1.36", "source": "ls /data"}


def script(**changes: Any) -> Object:
    """A DataProcess with a script; None takes a field away."""
    merged = {**SCRIPT, **changes}
    return process(script={key: value for key, value in merged.items() if value is not None})


def backup(path: str = "pvc://disk/backup") -> Object:
    """A DataBackup of the dataset demo."""
    return obj("DataBackup", {"dataset": "demo", "backupPath": path}, name="save")


SERVERFUL = {"fuse.serverful.fluid.io/inject": "true"}
SERVERLESS = {"serverless.fluid.io/inject": "true"}
REQUIRED = {"fluid.io/dataset.demo.sched": "required"}


def pod(*claims: str, labels: Mapping[str, str] | None = None, annotations: Any = None, **spec: Any) -> Object:
    """A pod that mounts these claims, or that of the dataset demo."""
    volumes = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in (claims or ("demo",))]
    metadata: Object = {"labels": dict(labels or {})}
    if annotations:
        metadata["annotations"] = {f"file-prefetcher.fluid.io/{key}": value for key, value in annotations.items()}
    body = {"containers": [{"name": "main", "image": "busybox"}], "volumes": volumes, **spec}
    return obj("Pod", body, name="app", api="v1", metadata=metadata)


def job(made: Object, labels: Mapping[str, str] | None = None) -> Object:
    """A Job that makes this pod."""
    template = {"metadata": {"labels": made["metadata"]["labels"]}, "spec": made["spec"]}
    return obj("Job", {"template": template}, name="app", api="batch/v1", metadata={"labels": dict(labels or {})})


def unrelated() -> Object:
    """An object that no rule has anything to say about."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first", "namespace": "elsewhere"}}


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding in short."""

    code: str
    path: str
    document: int = field(default=0)


def kube(kind: str, name: str, *, namespace: str | None = "team", **more: Any) -> Object:
    """An object of Kubernetes: ``v1/Node``, ..."""
    api, _, bare = kind.rpartition("/")
    return obj(bare, name=name, namespace=namespace, api=api, **more)


def namespace(name: str = "team", **labels: str) -> Object:
    """A namespace."""
    return kube("v1/Namespace", name, namespace=None, metadata={"labels": labels})


def node(name: str, *, free: int | None = None, **labels: str) -> Object:
    """A node, with labels and with memory that nobody has asked for."""
    made = kube("v1/Node", name, namespace=None, metadata={"labels": {key: value for key, value in labels.items()}})
    return made if free is None else {**made, "free": free}


def bound(made: Object, phase: str = "Bound") -> Object:
    """The object with a phase."""
    return {**made, "status": {"phase": phase}}


def leaving(made: Object) -> Object:
    """The object while it is being deleted."""
    return {**made, "metadata": {**made["metadata"], "deletionTimestamp": "2027-01-15T07:59:00Z"}}
