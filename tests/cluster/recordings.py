"""Recorded scenarios of real Fluid, as values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datafluid.engine.reconcile.values import parse_time
from datafluid.model.kinds import KINDS
from datafluid.model.quantity import parse_size
from datafluid.model.ref import Ref, qualified_kind
from datafluid.plane.port import Manifest
from tests.cluster.stories import labels_of_datasets
from tests.shared import FLUID

_API = {
    "DaemonSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    **dict.fromkeys(KINDS, "data.fluid.io/v1alpha1"),
}


@dataclass(frozen=True, slots=True)
class Input:
    """What a user, or the engine, did."""

    t: float
    action: str
    ref: Ref | None
    body: Any
    accepted: bool


@dataclass(slots=True)
class Recording:
    """One scenario."""

    name: str
    namespaces: list[str]
    inputs: list[Input]
    changes: list[tuple[float, str, Manifest]]
    events: list[tuple[float, Manifest]] = field(default_factory=list)
    nodes: list[Manifest] = field(default_factory=list)
    gate: bool = False

    def node_labels(self) -> dict[tuple[str, str], int]:
        """How many nodes at once had a label of this scenario's datasets, by key and value."""
        return labels_of_datasets(self.nodes, self.namespaces)

    @property
    def start(self) -> float:
        """Seconds since the epoch at which it began: the latest that fits all stamps, which are whole seconds."""
        added = [(t, found["metadata"]) for t, what, found in self.changes if what == "ADDED"]
        stamps = [(t, parse_time(metadata["creationTimestamp"])) for t, metadata in added]
        return max(stamp - t for t, stamp in stamps if stamp) + 0.005

    @property
    def helm(self) -> float:
        """Seconds that helm took on the machine that recorded it."""
        runtimes = [(t, found["metadata"]) for t, _, found in self.changes if found["kind"].endswith("Runtime")]
        held = [t for t, metadata in runtimes if metadata.get("finalizers")]
        made = [t for t, what, found in self.changes if what == "ADDED" and found["kind"] == "DaemonSet"]
        return max(made[0] - held[0], 0.05) if made and held else 0.35

    @property
    def end(self) -> float:
        """When its last change or event was."""
        return max([*(t for t, _, _ in self.changes), *(t for t, _ in self.events)])

    def bound_at(self, t: float) -> dict[Ref, float]:
        """The Datasets that had a runtime, and the claims that were bound, at a moment; and since when."""
        bound: dict[Ref, float] = {}
        for moment, what, found in self.changes:
            if moment < t and found["kind"] in ("Dataset", "PersistentVolumeClaim"):
                if what != "DELETED" and is_bound(found):
                    bound.setdefault(Ref.of(found), moment)
                else:
                    bound.pop(Ref.of(found), None)
        return bound

    def cached_at_first(self) -> int:
        """What the engine's canned answer was before any note changed it."""
        for _, _, found in self.changes:
            cached = parse_size(((found.get("status") or {}).get("cacheStates") or {}).get("cached"))
            if cached is not None and found["kind"] == "AlluxioRuntime":
                return cached
        return 0


def is_bound(manifest: Manifest) -> bool:
    """Whether a Dataset has a runtime, or a claim its volume."""
    status = manifest.get("status") or {}
    return bool(status.get("runtimes")) if manifest["kind"] == "Dataset" else status.get("phase") == "Bound"


def names() -> list[str]:
    """All recordings that are there."""
    return sorted(path.stem for path in (FLUID / "transcripts").glob("*.jsonl"))


def load(name: str) -> Recording:
    """Read one."""
    head, *lines = [json.loads(line) for line in (FLUID / "transcripts" / f"{name}.jsonl").read_text().splitlines()]
    recording = Recording(name, head["namespaces"], [_input(each) for each in head["inputs"]], [])
    recording.gate = "feature gate dataflowaffinity" in head["description"].lower()
    for line in lines:
        found = line["object"]
        if line["kind"] == "Event":
            recording.events.append((line["t"], found))
        elif line["kind"] == "Node":
            recording.nodes.append(found)
        elif in_scope(line["kind"], found, recording.namespaces):
            found |= {"kind": line["kind"], "apiVersion": _API.get(line["kind"], "v1")}
            recording.changes.append((line["t"], line["event"], found))
    return recording


def in_scope(kind: str, found: Manifest, namespaces: list[str]) -> bool:
    """Whether an object belongs to the scenario: it is in its namespaces, or the volume of one that is."""
    metadata = found["metadata"]
    if kind == "PersistentVolume":
        return found["spec"].get("claimRef", {}).get("namespace") in namespaces
    return metadata.get("namespace") in namespaces


def _input(line: Manifest) -> Input:
    code = (line.get("response") or {}).get("code", 200)
    if line["action"] == "note":
        return Input(line["t"], "note", None, line["text"], True)
    manifest = line.get("manifest")
    if manifest is not None:
        return Input(line["t"], "create", Ref.of(manifest), manifest, code == 201)
    kind = qualified_kind(_API.get(line["kind"], "v1"), line["kind"])
    return Input(
        line["t"], line["action"], Ref(kind, line["name"], line.get("namespace")), line.get("patch"), code < 300
    )


def recorded_events(recording: Recording) -> Iterator[tuple[Ref, str, str, str, int]]:
    """The events of a recording."""
    for _, event in recording.events:
        about = event.get("involvedObject") or event.get("regarding") or {}
        kind = qualified_kind(_API.get(about.get("kind", ""), "v1"), about.get("kind", ""))
        yield (
            Ref(kind, about["name"], about.get("namespace")),
            event["type"],
            event["reason"],
            event.get("message", ""),
            event.get("count") or 1,
        )
