"""Volumes of a pod: one a source, under a name that nothing else of the pod has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.names import shortened
from datafluid.model.plain import as_list, as_map
from datafluid.workload.draft import Draft
from datafluid.workload.places import PodPlace

__all__ = ["add_volume", "has_source", "volume_name", "volumes_of"]

_BESIDE = ("readOnly", "defaultMode")  # what says how a source is seen, not which it is


def volume_name(*parts: str) -> str:
    """A name for a volume: readable, and one that Kubernetes takes.

    Example:
        >>> volume_name("fluid", "images.v2")
        'fluid-images-v2'
    """
    return shortened("-".join(parts).replace(".", "-").lower())


def volumes_of(draft: Draft, place: PodPlace) -> list[Mapping[str, Any]]:
    """The volumes that the pods of a place have now."""
    return [as_map(each) for each in as_list(draft.look(place.at(place.template.shape.volumes)))]


def has_source(volume: Mapping[str, Any], source: Mapping[str, Any]) -> bool:
    """Whether a volume is of this source.

    Example:
        >>> yours = {"name": "data", "persistentVolumeClaim": {"claimName": "flights", "readOnly": True}}
        >>> has_source(yours, {"persistentVolumeClaim": {"claimName": "flights"}})
        True
    """
    ((kind, wanted),) = source.items()
    said = as_map(volume.get(kind))
    return bool({key: value for key, value in said.items() if key not in _BESIDE and value is not None} == wanted)


def add_volume(draft: Draft, place: PodPlace, name: str, source: Mapping[str, Any], why: str) -> str:
    """Give the pods of a place a volume, unless they have one of that source, whatever it is called.

    Args:
        draft: The workload.
        place: Where its pods are.
        name: What to call it; where something else is called so, it gets a number.
        source: What it is: ``{"hostPath": {...}}``, ``{"configMap": {...}}``, ...
        why: What it is, for the report.

    Returns:
        Its name.
    """
    volumes = volumes_of(draft, place)
    for volume in volumes:
        if has_source(volume, source):
            return str(volume.get("name"))
    taken = [*(volume.get("name") for volume in volumes), *_mounted(draft, place)]  # of any type: they are yours
    free = next(each for each in _names(name) if each not in taken)
    draft.add(place.at(place.template.shape.volumes), {"name": free, **source}, why)
    return free


def _mounted(draft: Draft, place: PodPlace) -> Iterator[Any]:
    """The names that mounts speak of: a volume of another's template, or none, which must not become ours."""
    for container in place.containers(draft.data):
        for mount in as_list(draft.look(container.at(container.shape.mounts))):
            yield as_map(mount).get("name")


def _names(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield volume_name(name, str(number))
        number += 1
