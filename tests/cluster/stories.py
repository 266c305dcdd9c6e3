"""What two runs of the same scenario have in common: times, uids and invented sizes are blotted out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.kinds import KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

_RUNS = re.compile(r"-[0-9]{8}(?=$|-)")
_SIZE = re.compile(r"\d+\.\d\d(B|KiB|MiB|GiB|TiB)")
_SHARE = re.compile(r"\d+\.\d%")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DURATION = re.compile(r"(\d+h)?(\d+m)?\d+s")
_SUFFIX = re.compile(r"-[a-z0-9]{5}(?= in Namespace)")
_VOLATILE_LABELS = ("controller-uid", "controller-revision-hash", "pod-template-generation", "job-name")
_RACES = ("valueFile", "selector")  # written or not, as a race goes
_LEFT_OUT = ("Pod", "Secret", "Node")
_FOLLOWED = ("PersistentVolume", "PersistentVolumeClaim", "CronJob")


def blotted(value: Any) -> Any:
    """A value without what differs from one run to the next."""
    if isinstance(value, Mapping):
        return {key: blotted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [blotted(each) for each in value]
    if not isinstance(value, str):
        return value
    for pattern, word in ((_SIZE, "<size>"), (_SHARE, "<share>"), (_TIME, "<time>")):
        value = pattern.sub(word, value)
    value = re.sub(r"(alluxio://[^:]+):\d+", r"\1:<port>", value)
    return "<duration>" if _DURATION.fullmatch(value) else "<count>" if value.isdigit() else value


def is_fluid(manifest: Manifest) -> bool:
    """Whether it is of one of Fluid's own kinds."""
    return manifest["kind"] in KINDS


def named(ref: Ref) -> str:
    """An object's name without the random parts."""
    return str(Ref(ref.bare_kind, _RUNS.sub("-<run>", ref.name), ref.namespace))


def look_of(manifest: Manifest) -> Any:
    """What two runs of the same scenario have in common about one state of an object."""
    metadata = manifest["metadata"]
    labels = {k: blotted(v) for k, v in (metadata.get("labels") or {}).items() if not k.endswith(_VOLATILE_LABELS)}
    seen: dict[str, Any] = {
        "labels": labels,
        "owners": [(o["kind"], o["name"], o.get("controller")) for o in metadata.get("ownerReferences") or ()],
        "deleting": bool(metadata.get("deletionTimestamp")),
    }
    if is_fluid(manifest):
        seen["finalizers"] = metadata.get("finalizers") or []
        seen["status"] = _status(manifest)
    elif manifest["kind"] in ("PersistentVolume", "PersistentVolumeClaim"):
        seen["phase"] = (manifest.get("status") or {}).get("phase") or "Pending"
        seen["spec"] = {k: v for k, v in manifest["spec"].items() if k != "claimRef"}
        seen["annotations"] = {k: v for k, v in metadata["annotations"].items() if k == "CreatedBy"}
    elif manifest["kind"] == "CronJob":
        seen["spec"] = {k: v for k, v in manifest["spec"].items() if k not in ("jobTemplate", "timeZone")}
    return seen


def _status(manifest: Manifest) -> Any:
    status = {key: blotted(value) for key, value in (manifest.get("status") or {}).items() if key not in _RACES}
    if "nodeAffinity" in status:  # which node is chance, and so is the order
        (term,) = status["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        status["nodeAffinity"] = sorted((each["key"], each["operator"]) for each in term["matchExpressions"])
    if "operationRef" in status:
        present = {key: value for key, value in status["operationRef"].items() if value}
        status["operationRef"] = {key: sorted(value.split(",")) for key, value in present.items()}
        if not present:
            del status["operationRef"]
    return status


@dataclass(frozen=True, slots=True)
class Moment:
    """One side of an object came to look like this at a time."""

    t: float
    name: str
    side: str
    look: Any


def sides_of(manifest: Manifest | None) -> dict[str, Any]:
    """An object's looks apart, by who writes them: two controllers race about the order, each keeps its own."""
    if manifest is None:
        return {"": "gone"}
    look = look_of(manifest)
    sides: dict[str, Any] = {"": "there", **look}
    status = sides.pop("status", {})
    for kind, names in status.pop("operationRef", {}).items():
        sides |= {f"operation {kind} {name}": True for name in names}
    for side in ("cacheStates", "datasetRef", "waitingFor", "fileNum", "ufsTotal"):
        sides[side] = status.pop(side, None)
    numbers = [key for key, value in status.items() if isinstance(value, int)]
    return sides | {key: status.pop(key) or None for key in numbers} | {"status": status}


def story(changes: Iterable[tuple[float, str, Manifest]]) -> list[Moment]:
    """Every change that shows, in order. Pods are left out: who they are on which node is chance."""
    last: dict[str, dict[str, Any]] = {}
    moments = []
    for t, what, manifest in changes:
        if manifest["kind"] in _LEFT_OUT or (what == "MODIFIED" and not _is_followed(manifest)):
            continue
        name = named(Ref.of(manifest))
        sides = sides_of(None if what == "DELETED" else manifest)
        before = {} if what == "ADDED" else last.get(name, {})
        if what != "DELETED":
            sides |= {side: None for side in before if side not in sides}
        news = {side: look for side, look in sides.items() if side not in before or before[side] != look}
        moments += [Moment(t, name, side, look) for side, look in news.items()]
        last[name] = before | sides
    return moments


def _is_followed(manifest: Manifest) -> bool:
    return is_fluid(manifest) or manifest["kind"] in _FOLLOWED


def by_side(moments: Iterable[Moment]) -> dict[tuple[str, str], list[Any]]:
    """The looks of each side of each object, in order; nothing is left out but a repetition."""
    found: dict[tuple[str, str], list[Any]] = {}
    for moment in moments:
        looks = found.setdefault((moment.name, moment.side), [])
        if (looks[-1] if looks else None) != moment.look:
            looks.append(moment.look)
    return {key: looks for key, looks in found.items() if looks}


def told(events: Iterable[tuple[Ref, str, str, str, int]]) -> dict[tuple[str, str, str, str], int]:
    """What was told of Fluid's objects, and how often at last."""
    counts: dict[tuple[str, str, str, str], int] = {}
    for ref, kind, reason, message, count in events:
        if ref.kind in KINDS and "No dataset can be bound" not in message:  # told or not, as a race goes
            counts[named(ref), kind, reason, _SUFFIX.sub("-<pod>", message)] = count
    return counts


def labels_of_datasets(nodes: Iterable[Manifest], namespaces: list[str]) -> dict[tuple[str, str], int]:
    """How many nodes at once had a label that Fluid writes for datasets of some namespaces, by key and value."""
    now: dict[str, dict[str, str]] = {}
    most: dict[tuple[str, str], int] = {}
    for node in nodes:
        labels = node["metadata"]["labels"]
        now[node["metadata"]["name"]] = {key: value for key, value in labels.items() if _is_of(key, value, namespaces)}
        counts = Counter(item for each in now.values() for item in each.items())
        most |= {item: max(count, most.get(item, 0)) for item, count in counts.items()}
    return most


def _is_of(key: str, value: str, namespaces: list[str]) -> bool:
    if key == "fluid_exclusive":
        return value.split("_")[0] in namespaces
    return any(re.fullmatch(rf"fluid\.io/s-.*{space}-[a-z0-9]+", key) for space in namespaces)
