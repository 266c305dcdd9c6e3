"""A wrap as a kustomization: the user's file stays as it is, and what is added to it is a patch that one can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from datafluid.errors import Unsupported
from datafluid.model.plain import Path, as_map
from datafluid.workload.wrapping import Wrapped

__all__ = ["EXTRAS_FILE", "json_patch", "kustomization"]

#: Where what goes with the workload is kept beside the kustomization.
EXTRAS_FILE = "fluid-extras.yaml"


def json_patch(before: Any, after: Any) -> list[dict[str, Any]]:
    """The operations (RFC 6902) that turn one value into one that has grown.

    Args:
        before: What is there.
        after: The same with additions; lists only grew at their ends.

    Example:
        >>> json_patch({"a": [1]}, {"a": [1, 2], "b/c": 3})
        [{'op': 'add', 'path': '/a/-', 'value': 2}, {'op': 'add', 'path': '/b~1c', 'value': 3}]
    """
    return list(_operations(before, after, ()))


def kustomization(file: str, wraps: Sequence[tuple[Mapping[str, Any], Wrapped]]) -> dict[str, Any]:
    """The kustomization for a file of manifests: the file, the extras, and a patch for each workload.

    Args:
        file: The file, relative to the kustomization.
        wraps: Each workload of the file with its wrap.

    Raises:
        Unsupported: one of them is no Kubernetes object but the values of a chart, or has no name of its own.
    """
    patches = [patch for before, wrapped in wraps for patch in _patches(before, wrapped.manifest)]
    extras = any(wrapped.extras for _, wrapped in wraps)
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [file, EXTRAS_FILE] if extras else [file],
        "patches": patches,
    }


def _patches(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    from datafluid.model.manifest import dump

    if "kind" not in before:
        raise Unsupported("the values of a chart are no resource of a kustomization.", hint="Use -o yaml.")
    group, slash, version = str(before.get("apiVersion") or "").rpartition("/")
    metadata = as_map(before.get("metadata"))
    if not metadata.get("name"):
        raise Unsupported(
            f"kustomize takes no {before['kind']} without a name.",
            hint="Write metadata.name rather than generateName, or use -o yaml.",
        )
    target = {
        **({"group": group} if slash else {}),
        "version": version,
        "kind": before["kind"],
        **{name: metadata[name] for name in ("name", "namespace") if metadata.get(name)},
    }
    if operations := json_patch(before, after):
        yield {"target": target, "patch": dump([{"operations": operations}]).partition("\n")[2]}


def _operations(before: Any, after: Any, at: Path) -> Iterator[dict[str, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in after.items():
            if before.get(key) is None:
                yield {"op": "add", "path": _pointer((*at, key)), "value": value}
            else:
                yield from _operations(before[key], value, (*at, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index, (old, new) in enumerate(zip(before, after, strict=False)):
            yield from _operations(old, new, (*at, index))
        for value in after[len(before) :]:
            yield {"op": "add", "path": _pointer((*at, "-")), "value": value}
    elif before != after:
        yield {"op": "replace", "path": _pointer(at), "value": after}


def _pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
