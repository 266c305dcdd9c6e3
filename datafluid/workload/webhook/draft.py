"""The pod while plugins change it: our own copy, and short ways to its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.plain import as_list, as_map, as_text

__all__ = ["PodDraft", "name_of"]


def name_of(part: Any) -> str:
    """What a container, a volume or a mount is called; empty when it is not."""
    return as_text(as_map(part).get("name"))


class PodDraft:
    """A pod that may be changed.

    Args:
        pod: A manifest that nobody else changes.
        namespace: Where the pod is to be; the manifest need not say it.
    """

    def __init__(self, pod: dict[str, Any], namespace: str) -> None:
        self.pod = pod
        self.namespace = namespace
        self._config_maps: set[tuple[str, str]] = set()

    @property
    def config_maps(self) -> tuple[tuple[str, str], ...]:
        """Namespace and name of what must exist beside the pod."""
        return tuple(sorted(self._config_maps))

    def needs(self, namespace: str, name: str) -> None:
        """Note a ConfigMap that must exist beside the pod."""
        self._config_maps.add((namespace, name))

    @property
    def name(self) -> str:
        """The pod's name; empty when Kubernetes is still to give it one."""
        return as_text(as_map(self.pod.get("metadata")).get("name"))

    @property
    def generate_name(self) -> str:
        """What Kubernetes is to make the name of."""
        return as_text(as_map(self.pod.get("metadata")).get("generateName"))

    @property
    def labels(self) -> Mapping[str, Any]:
        """The pod's labels."""
        return as_map(as_map(self.pod.get("metadata")).get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The pod's annotations."""
        return as_map(as_map(self.pod.get("metadata")).get("annotations"))

    @property
    def spec(self) -> dict[str, Any]:
        """The pod's spec, to be changed."""
        return self.within(self.pod, "spec")

    @property
    def volumes(self) -> list[dict[str, Any]]:
        """The pod's volumes, to be changed."""
        return self.items(self.spec, "volumes")

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The pod's containers, to be changed; init containers are not among them."""
        return self.items(self.spec, "containers")

    @property
    def init_containers(self) -> list[dict[str, Any]]:
        """The pod's init containers, to be changed."""
        return self.items(self.spec, "initContainers")

    def claims(self) -> Iterator[tuple[str, str]]:
        """The names of the volumes that are claims, and of their claims."""
        for volume in as_list(as_map(self.pod.get("spec")).get("volumes")):
            claim = as_map(volume).get("persistentVolumeClaim")
            if claim is not None:
                yield name_of(volume), as_text(as_map(claim).get("claimName"))

    def label(self, key: str, value: str) -> None:
        """Set a label."""
        self.within(self.within(self.pod, "metadata"), "labels")[key] = value

    def annotate(self, key: str, value: str) -> None:
        """Set an annotation."""
        self.within(self.within(self.pod, "metadata"), "annotations")[key] = value

    @staticmethod
    def within(parent: dict[str, Any], key: str) -> dict[str, Any]:
        """The mapping below a key, made when it is not there."""
        if not isinstance(parent.get(key), dict):
            parent[key] = {}
        below: dict[str, Any] = parent[key]
        return below

    @staticmethod
    def items(parent: dict[str, Any], key: str) -> list[dict[str, Any]]:
        """The list below a key; one that is not there is not made."""
        below = parent.get(key)
        return [each for each in below if isinstance(each, dict)] if isinstance(below, list) else []
