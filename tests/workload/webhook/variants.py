"""Recorded calls, changed in ways that change the answer in a known way: no table of the recordings knows them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.workload.webhook.vectors import Vector

__all__ = ["VARIANTS", "Variant"]

Variant = Callable[[Vector], Vector]


def renamed_datasets(vector: Vector) -> Vector:
    """Datasets, with all that is named after them, have other names of the same length and in the same order."""
    names = _alternatives(each["metadata"]["name"] for kind in ("datasets", "pvcs") for each in vector.input[kind])
    return _replaced(vector, rf"(?<![A-Za-z0-9])(?P<name>{names})(?![A-Za-z0-9])")


def renamed_namespaces(vector: Vector) -> Vector:
    """Namespaces have other names of the same length."""
    pod = vector.input["pod"]
    claims = [each["persistentVolumeClaim"]["claimName"] for each in _volumes(pod) if "persistentVolumeClaim" in each]
    named = [each["metadata"]["name"] for kind in ("datasets", "pvcs") for each in vector.input[kind]]
    behind = _alternatives([*named, *claims, pod["metadata"].get("name", "")])
    namespace = _alternatives(_namespaces(vector))
    key = r"\"[a-z_.-]*namespace[a-z./0-9-]*\": \"|\"FLUID_RUNTIME_NS\", \"value\": \""
    alone = rf"(?P<key>{key})(?P<name>{namespace})(?=\")"
    before_a_name = rf"(?<![A-Za-z0-9])(?P<also>{namespace})(?=[-/_](?:{behind})(?![A-Za-z0-9]))"
    return _replaced(vector, f"{alone}|{before_a_name}")


def other_uids(vector: Vector) -> Vector:
    """Datasets have other UIDs."""
    uids = _alternatives(each["metadata"].get("uid", "") for each in vector.input["datasets"])
    return _replaced(vector, f"(?P<name>{uids})")


def renamed_containers(vector: Vector) -> Vector:
    """The pod's own containers have other names."""
    changed = _replaced(vector)
    own = {each["name"] for each in _containers(vector.input["pod"]) if not each["name"].startswith("fluid-")}
    for pod in _pods(changed):
        for container in _containers(pod):
            if container["name"] in own:
                container["name"] += "-x"
    return changed


def crowded(vector: Vector) -> Vector:
    """There are more containers, labels, annotations and tolerations, and more objects around the pod."""
    changed = _replaced(vector)
    for pod in _pods(changed):
        metadata = pod["metadata"]
        metadata["labels"] = {
            "example.com/team": "a",
            "fluid.io/dataset.nobody.sched": "required",
            **metadata.get("labels", {}),
        }
        metadata["annotations"] = {"example.com/note": "b", **metadata.get("annotations", {})}
        pod["spec"]["tolerations"] = [*pod["spec"].get("tolerations", ()), {"key": "gpu", "operator": "Exists"}]
        last = {"name": "one-more", "image": "busybox", "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}
        if pod is not changed.input["pod"]:
            last["volumeMounts"] += _status_mounts(pod)
        pod["spec"].setdefault("containers", []).append(last)
    for kind in ("datasets", "pvcs", "runtimes", "daemonsets"):
        for each in list(changed.input[kind]):
            elsewhere = copy.deepcopy(each)
            elsewhere["metadata"]["namespace"] = "somewhere-else"
            elsewhere["status"] = {}
            changed.input[kind].append(elsewhere)
    return changed


def turned_round(vector: Vector) -> Vector:
    """There is more around, and it comes in another order."""
    changed = crowded(vector)
    for kind in ("datasets", "runtimes", "pvcs", "pvs", "daemonsets"):
        changed.input[kind].reverse()
    return changed


VARIANTS: dict[str, Variant] = {
    each.__name__: each
    for each in (
        renamed_datasets, renamed_namespaces, other_uids, renamed_containers, crowded, turned_round,
    )
}  # fmt: skip


def _status_mounts(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """An asynchronous prefetcher gives every container the same mount."""
    others = [each for each in pod["spec"]["containers"] if not each["name"].startswith("fluid-")]
    return [
        each for other in others[:1] for each in other.get("volumeMounts", ()) if each["name"].endswith("-status-vol")
    ]


def _pods(vector: Vector) -> Iterable[dict[str, Any]]:
    yield vector.input["pod"]
    yield from (each for each in (vector.output["pod"], *(vector.output.get("alternatives") or ())) if each)


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"].get("containers", ()), *pod["spec"].get("initContainers", ())]


def _volumes(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return pod["spec"].get("volumes") or []


def _namespaces(vector: Vector) -> set[str]:
    found = {each["metadata"].get("namespace") for kind in ("datasets", "pvcs") for each in vector.input[kind]}
    return {each for each in {*found, vector.input["namespace"]} if each}


def _shifted(name: str) -> str:
    """Each letter becomes the next one: the length and the order of names stay."""
    return "".join(chr(ord(each) + 1) if "a" <= each < "z" else each for each in name)


def _alternatives(names: Iterable[str]) -> str:
    """A pattern for any of these, or for nothing at all."""
    known = sorted({name for name in names if name}, key=len, reverse=True)
    return "|".join(re.escape(name) for name in known) or "(?!)"


def _replaced(vector: Vector, pattern: str = "(?!)") -> Vector:
    """A copy in which whatever a pattern's named groups match is shifted, everywhere at once."""

    def shift(matched: re.Match[str]) -> str:
        groups = matched.groupdict()
        return (groups.get("key") or "") + _shifted(groups.get("name") or groups.get("also") or "")

    given, answered = json.loads(re.sub(pattern, shift, json.dumps([vector.input, vector.output])))
    return Vector(input=given, output=answered)
