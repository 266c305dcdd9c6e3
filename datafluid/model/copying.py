"""Taking a dataset's declaration to another place: what can go as it is, and what must change there. Pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafluid.model.kinds import KINDS
from datafluid.model.lint.around_objects import named_secrets
from datafluid.model.lint.subject import Subject, dotted
from datafluid.model.lint.surroundings import Surroundings
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.model.relations import reference_target

__all__ = ["Change", "CopyPlan", "plan_copy"]

Manifest = dict[str, Any]
_OURS = ("name", "labels", "annotations")
_FLUIDS = "fluid.io/"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_INSIDE = (".svc", ".svc.cluster.local", ".cluster.local")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that may be otherwise at the target.

    Args:
        kind: The object's kind.
        path: Where in it.
        message: What is to be seen to, one sentence.
        must: Whether it is known not to work as it is; else it could not be found out, or is worth a look.
    """

    kind: str
    path: str
    message: str
    must: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPlan:
    """What a copy would apply, and what must change.

    Args:
        manifests: What is to be applied: without status, owners, and what the source cluster wrote.
        changes: What is to be seen to, what must change first.
    """

    manifests: tuple[Manifest, ...]
    changes: tuple[Change, ...] = ()

    @property
    def obstacles(self) -> tuple[Change, ...]:
        """The changes without which it will not work."""
        return tuple(change for change in self.changes if change.must)


def plan_copy(objects: Sequence[Mapping[str, Any]], *, namespace: str, target: Surroundings | None) -> CopyPlan:
    """Plan the copy of a dataset and of its runtime.

    Args:
        objects: Their manifests, as the source holds them.
        namespace: Where they shall go.
        target: What the target holds; None for the embedded plane, which has no Kubernetes objects.

    Returns:
        The plan. Nothing is changed that the author wrote; what must change is named.

    Example:
        >>> mount = {"mountPoint": "pvc://disk/data", "name": "data"}
        >>> metadata = {"name": "flights", "namespace": "team", "uid": "1"}
        >>> dataset = {"kind": "Dataset", "metadata": metadata, "spec": {"mounts": [mount]}, "status": {}}
        >>> plan = plan_copy([dataset], namespace="edge", target=None)
        >>> plan.manifests[0]["metadata"], plan.changes[0].path
        ({'name': 'flights', 'namespace': 'edge'}, 'spec.mounts[0].mountPoint')
    """
    manifests = tuple(_authored(each, namespace) for each in objects)
    found = [change for manifest in manifests for check in _CHECKS for change in check(manifest, namespace, target)]
    return CopyPlan(manifests=manifests, changes=tuple(sorted(found, key=lambda change: not change.must)))


def _authored(manifest: Mapping[str, Any], namespace: str) -> Manifest:
    """What an author would have written: no status, no owners, nothing of the source's controllers."""
    metadata = {key: copy.deepcopy(value) for key, value in as_map(manifest.get("metadata")).items() if key in _OURS}
    for field in ("labels", "annotations"):
        kept = {key: value for key, value in as_map(metadata.pop(field, None)).items() if not _is_theirs(str(key))}
        if kept:
            metadata[field] = kept
    kind = KINDS.get(as_text(manifest.get("kind")))
    if kind is None or kind.namespaced:
        metadata["namespace"] = namespace
    kept = {key: copy.deepcopy(value) for key, value in manifest.items() if key not in ("metadata", "status")}
    return {**kept, "metadata": metadata}


def _is_theirs(key: str) -> bool:
    return key.startswith(_FLUIDS) or key == _APPLIED


_Check = Callable[[Manifest, str, Surroundings | None], Iterator[Change]]


def _kinds(manifest: Manifest, namespace: str, target: Surroundings | None) -> Iterator[Change]:
    kind = manifest["kind"]
    if target is not None and target.served and kind not in target.served:
        yield _change(manifest, ("kind",), f"the target has no {kind}; use a runtime that it has.", must=True)
    if target is not None and (there := target.one(kind, manifest["metadata"]["name"], namespace)) is not None:
        what = (
            "is there already, and is changed" if not there.at("metadata", "deletionTimestamp") else "is being deleted"
        )
        yield _change(manifest, ("metadata", "name"), f"the {kind} {what}.")


def _profiles(manifest: Manifest, namespace: str, target: Surroundings | None) -> Iterator[Change]:
    fields = {"profileName": "ThinRuntimeProfile", "runtimeClassName": "CacheRuntimeClass"}
    for field, kind in fields.items():
        name = as_text(look(manifest, ("spec", field)))
        if name and (target is None or target.one(kind, name) is None):
            known = target is not None and target.knows(kind)
            yield _change(manifest, ("spec", field), f"the target needs the {kind} {name!r}.", must=known)


def _secrets(manifest: Manifest, namespace: str, target: Surroundings | None) -> Iterator[Change]:
    for path, name in named_secrets(Subject(data=manifest)):
        known = target.secrets if target is not None else None
        if known is None or f"{namespace}/{name}" not in known:
            message = f"the Secret {name!r} must be made in namespace {namespace!r}: values are never copied."
            yield _change(manifest, path, message, must=known is not None)


def _mounts(manifest: Manifest, namespace: str, target: Surroundings | None) -> Iterator[Change]:
    for index, mount in enumerate(as_list(look(manifest, ("spec", "mounts")))):
        point, path = as_text(as_map(mount).get("mountPoint")), ("spec", "mounts", index, "mountPoint")
        if point.startswith("pvc://"):
            yield from _claim(manifest, path, point.removeprefix("pvc://").partition("/")[0], namespace, target)
        elif point.startswith("local://"):
            place = "this machine" if target is None else "every node with a worker"
            yield _change(manifest, path, f"{point.removeprefix('local://')!r} must be a directory of {place}.")
        elif reference := reference_target(point):
            yield from _reference(manifest, path, reference[0], reference[1], target)
        elif _is_inside(point):
            yield _change(manifest, path, f"{point!r} is an address of the source cluster alone.", must=True)


def _claim(
    manifest: Manifest, path: tuple[str | int, ...], name: str, namespace: str, target: Surroundings | None
) -> Iterator[Change]:
    kind = "v1/PersistentVolumeClaim"
    if target is None:
        yield _change(manifest, path, f"the embedded plane has no claim {name!r}; use local://.", must=True)
    elif target.one(kind, name, namespace) is None:
        message = f"the claim {name!r} must be in namespace {namespace!r}, with data and a storage class of the target."
        yield _change(manifest, path, message, must=target.knows(kind))


def _reference(
    manifest: Manifest, path: tuple[str | int, ...], namespace: str, name: str, target: Surroundings | None
) -> Iterator[Change]:
    if target is None or target.one("Dataset", name, namespace) is None:
        message = f"the dataset {namespace}/{name} must be copied first."
        yield _change(manifest, path, message, must=target is not None and target.knows("Dataset"))


def _addresses(manifest: Manifest, namespace: str, target: Surroundings | None) -> Iterator[Change]:
    places = [("spec", "sharedOptions"), ("spec", "properties")]
    mounts = range(len(as_list(look(manifest, ("spec", "mounts")))))
    for place in [*places, *(("spec", "mounts", index, "options") for index in mounts)]:
        for name, value in as_map(look(manifest, place)).items():
            if _is_inside(as_text(value)):
                message = f"the option {name!r} has an address of the source cluster alone."
                yield _change(manifest, (*place, str(name)), message, must=True)


def _is_inside(text: str) -> bool:
    host = text.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    return host.endswith(_INSIDE) or ".svc." in host


def _placing(manifest: Manifest, namespace: str, target: Surroundings | None) -> Iterator[Change]:
    """Constraints on nodes; their labels are those of the source cluster."""
    nodes = [as_map(each.at("metadata", "labels")) for each in target.of("v1/Node")] if target is not None else []
    for path, wanted in _constraints(manifest):
        fits = [labels for labels in nodes if all(labels.get(key) in values for key, values in wanted.items())]
        if target is None or not fits:
            names = ", ".join(sorted(wanted))
            known = target is not None and bool(nodes)
            message = (
                f"no node of the target is known to have {names} as wanted here." if nodes else f"it asks for {names}."
            )
            yield _change(manifest, path, message, must=known)


def _constraints(manifest: Manifest) -> Iterator[tuple[tuple[str | int, ...], dict[str, list[str]]]]:
    terms = ("spec", "nodeAffinity", "required", "nodeSelectorTerms")
    for index, term in enumerate(as_list(look(manifest, terms))):
        listed = [as_map(each) for each in as_list(as_map(term).get("matchExpressions"))]
        wanted = {
            as_text(each.get("key")): as_list(each.get("values")) for each in listed if each.get("operator") == "In"
        }
        if wanted:
            yield (*terms, index), wanted
    for name, part in as_map(manifest.get("spec")).items():
        if selector := as_map(as_map(part).get("nodeSelector")):
            yield ("spec", str(name), "nodeSelector"), {str(key): [value] for key, value in selector.items()}


def _volumes(manifest: Manifest, namespace: str, target: Surroundings | None) -> Iterator[Change]:
    for index, volume in enumerate(as_list(look(manifest, ("spec", "volumes")))):
        path: tuple[str | int, ...] = ("spec", "volumes", index)
        if name := as_text(look(volume, ("persistentVolumeClaim", "claimName"))):
            yield from _claim(manifest, path, name, namespace, target)
        elif config := as_text(look(volume, ("configMap", "name"))):
            yield _change(manifest, path, f"the ConfigMap {config!r} must be in namespace {namespace!r}.")
    for index, claim in enumerate(as_list(look(manifest, ("spec", "volumeClaimTemplates")))):
        if name := as_text(look(claim, ("spec", "storageClassName"))):
            path = ("spec", "volumeClaimTemplates", index, "spec", "storageClassName")
            yield from _storage_class(manifest, path, name, target)
    if config := as_text(look(manifest, ("spec", "hadoopConfig"))):
        yield _change(
            manifest, ("spec", "hadoopConfig"), f"the ConfigMap {config!r} must be in namespace {namespace!r}."
        )


def _storage_class(
    manifest: Manifest, path: tuple[str | int, ...], name: str, target: Surroundings | None
) -> Iterator[Change]:
    kind = "storage.k8s.io/v1/StorageClass"
    if target is None or target.one(kind, name) is None:
        known = target is not None and target.knows(kind)
        yield _change(manifest, path, f"the storage class {name!r} must be one of the target.", must=known)


def _change(manifest: Manifest, path: tuple[str | int, ...], message: str, *, must: bool = False) -> Change:
    return Change(kind=manifest["kind"], path=dotted(path), message=message, must=must)


_CHECKS: tuple[_Check, ...] = (_kinds, _profiles, _secrets, _mounts, _addresses, _placing, _volumes)
