"""As much of an API server as rules need: objects, versions, finalizers, merge patches, events, and a log of it all."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.engine.reconcile.values import rfc3339
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.plain import merge_patch
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.world import Change, Create, Delete, Patch, Remember, Tell, Vanish, World, Write, deleting

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_MOST_COUNTS = 25  # a recorder's budget for one object
_PROTECTED = {
    "v1/PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "v1/PersistentVolume": "kubernetes.io/pv-protection",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log: a change of an object, or an event with its count."""

    t: float
    change: Change | None = None
    told: Tell | None = None
    count: int = 0


class Store:
    """Applies writes to a `World`, as an API server would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: list[Entry] = []
        self.refused: list[str] = []
        self._numbers = itertools.count(1)
        self._counts: dict[tuple[str, str, str, str], int] = {}
        self._random = random.Random(7)

    def write(self, write: Write) -> Change | None:
        """Do one write; one that cannot be done (it is there, it is gone) is left to the next look."""
        match write:
            case Create(object=manifest):
                return self._create(manifest)
            case Patch(ref=ref, changes=changes):
                return self._patch(ref, changes)
            case Delete(ref=ref):
                return self._delete(ref)
            case Vanish(ref=ref):
                return self._remove(ref) if ref in self.world.objects else None
            case Remember(ref=ref, what=what, value=value):
                self.world.memory[ref, what] = value
            case Tell():
                self._tell(write)
        return None

    def _create(self, manifest: Manifest) -> Change | None:
        new = copy.deepcopy(manifest)
        metadata = new["metadata"]
        if "generateName" in metadata:
            metadata.setdefault("name", metadata["generateName"] + "".join(self._random.choices(_LETTERS, k=5)))
        if (ref := Ref.of(new)) in self.world.objects:
            self.refused.append(f"{ref} is there")
            return None
        metadata |= {"uid": f"uid-{next(self._numbers)}", "generation": 1, "creationTimestamp": rfc3339(self.world.now)}
        if ref.kind in _PROTECTED:
            metadata["finalizers"] = [*metadata.get("finalizers", ()), _PROTECTED[ref.kind]]
        if ref.kind in OPERATION_KINDS and ref.kind != "DataBackup":
            new["spec"].setdefault("policy", "Once")
        return self._put("ADDED", new, None)

    def _patch(self, ref: Ref, changes: Mapping[str, Any]) -> Change | None:
        old = self.world.objects.get(ref)
        if old is None:
            self.refused.append(f"{ref} is gone")
            return None
        new = merge_patch(old, changes)
        if new == old:
            return None
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        if deleting(new) and not new["metadata"].get("finalizers"):
            return self._remove(ref)
        return self._put("MODIFIED", new, old)

    def _delete(self, ref: Ref) -> Change | None:
        old = self.world.objects.get(ref)
        if old is None or deleting(old):
            return None
        if not old["metadata"].get("finalizers") and ref.kind != "v1/Pod":
            return self._remove(ref)
        return self._put(
            "MODIFIED", merge_patch(old, {"metadata": {"deletionTimestamp": rfc3339(self.world.now)}}), old
        )

    def _remove(self, ref: Ref) -> Change:
        old = self.world.objects.pop(ref)
        for key in [key for key in self.world.memory if key[0] == ref]:
            del self.world.memory[key]
        return self._logged(Change("DELETED", old, old))

    def _put(self, what: Any, new: Manifest, old: Manifest | None) -> Change:
        new["metadata"]["resourceVersion"] = str(next(self._numbers))
        self.world.objects[Ref.of(new)] = new
        return self._logged(Change(what, new, old))

    def _logged(self, change: Change) -> Change:
        self.log.append(Entry(self.world.now, change=change))
        return change

    def _tell(self, told: Tell) -> None:
        about = self.world.objects.get(told.ref)
        key = (about["metadata"]["uid"] if about else "", told.type, told.reason, told.message)
        count = self._counts.get(key, 0) + 1
        if count <= _MOST_COUNTS:
            self._counts[key] = count
            self.log.append(Entry(self.world.now, told=told, count=count))
