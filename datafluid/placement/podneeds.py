"""What a pod asks: of a node, and of the pods around it. Read once, asked of thousands of nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from datafluid.model.plain import as_list, as_map
from datafluid.placement.affinity import NodeAffinity
from datafluid.placement.resources import Amounts, pod_requests
from datafluid.placement.selector import Requirement
from datafluid.placement.taints import Taint, Toleration, tolerations_of

__all__ = ["LabelSelector", "Neighbours", "PodNeeds", "Spread"]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  # the API's own default, compared and not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """Which pods are meant, by their labels. No requirement at all means every pod.

    Args:
        requirements: All must hold. None: no pod is meant.

    Example:
        >>> LabelSelector.of({"matchLabels": {"app": "web"}}).matches({"app": "web", "tier": "1"})
        True
    """

    requirements: tuple[Requirement, ...] | None = ()

    @classmethod
    def of(cls, manifest: Any) -> LabelSelector:
        """Read a ``labelSelector``; one that is missing means no pod."""
        if manifest is None:
            return cls(requirements=None)
        pairs = as_map(as_map(manifest).get("matchLabels")).items()
        expressions = (as_map(each) for each in as_list(as_map(manifest).get("matchExpressions")))
        return cls(
            requirements=(
                *(Requirement(key=str(key), values=(str(value),)) for key, value in pairs),
                *(
                    Requirement(
                        key=str(each.get("key")),
                        operator=str(each.get("operator")),
                        values=tuple(str(value) for value in as_list(each.get("values"))),
                    )
                    for each in expressions
                ),
            )
        )

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a pod with these labels is meant."""
        return self.requirements is not None and all(each.holds(labels) for each in self.requirements)

    def narrowed(self, keys: Any, labels: Mapping[str, str], *, operator: str = "In") -> LabelSelector:
        """Also with the pod's own values of ``matchLabelKeys``, or without them for ``mismatchLabelKeys``."""
        if self.requirements is None:
            return self
        more = (
            Requirement(key=key, operator=operator, values=(labels[key],)) for key in as_list(keys) if key in labels
        )
        return LabelSelector(requirements=(*self.requirements, *more))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A topology spread constraint that must hold.

    Args:
        key: The label that names the domain of a node.
        selector: The pods that are counted, in the pod's own namespace.
        most: By how many a domain may lead over the one that has fewest.
        domains: With fewer domains than this the one that has fewest counts as empty.
        own_nodes_only: Whether only nodes count that the pod's node affinity allows.
        untainted_only: Whether only nodes count whose taints the pod tolerates.
    """

    key: str
    selector: LabelSelector
    most: int = 1
    domains: int = 1
    own_nodes_only: bool = True
    untainted_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """A required pod affinity or anti-affinity term.

    Args:
        key: The label that names the domain of a node.
        selector: The pods that are meant.
        namespaces: Where; None means everywhere.
    """

    key: str
    selector: LabelSelector
    namespaces: frozenset[str] | None

    def means(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether a pod is meant."""
        return (self.namespaces is None or namespace in self.namespaces) and self.selector.matches(labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNeeds:
    """What a pod asks of nodes and of other pods. Preferences are not in it, but for those of its node affinity.

    Args:
        requests: What it takes, see `datafluid.placement.resources`.
        host_ports: ``(protocol, address, port)`` on the node itself.
        near: Pods that must be in its domain.
        apart: Pods that must not be in its domain.
        node_name: The node that it is tied to; None when it is not.

    Example:
        >>> spec = {"nodeSelector": {"disk": "ssd"}, "containers": [{"resources": {"requests": {"cpu": 2}}}]}
        >>> needs = PodNeeds.of({"metadata": {"labels": {"app": "web"}}, "spec": spec}, namespace="team")
        >>> needs.requests, needs.affinity.matches({"disk": "hdd"})
        ({'cpu': 2000, 'pods': 1}, False)
    """

    namespace: str
    labels: Mapping[str, str]
    requests: Amounts
    tolerations: tuple[Toleration, ...] = ()
    affinity: NodeAffinity = field(default_factory=NodeAffinity)
    host_ports: frozenset[tuple[str, str, int]] = frozenset()
    spread: tuple[Spread, ...] = ()
    near: tuple[Neighbours, ...] = ()
    apart: tuple[Neighbours, ...] = ()
    node_name: str | None = None

    @classmethod
    def of(cls, pod: Mapping[str, Any], *, namespace: str = "default") -> PodNeeds:
        """Read a pod, or a template of pods.

        Args:
            namespace: Where it will be, unless it says so itself.

        Raises:
            Invalid: Kubernetes would not take it.
        """
        metadata, spec = as_map(pod.get("metadata")), as_map(pod.get("spec"))
        labels = {str(key): str(value) for key, value in as_map(metadata.get("labels")).items()}
        namespace = str(metadata.get("namespace") or namespace)
        affinity = as_map(spec.get("affinity"))
        return cls(
            namespace=namespace,
            labels=labels,
            requests=pod_requests(spec),
            tolerations=tolerations_of(spec),
            affinity=NodeAffinity.of(spec),
            host_ports=frozenset(_host_ports(spec)),
            spread=tuple(_spread(spec, labels)),
            near=tuple(_neighbours(affinity.get("podAffinity"), namespace, labels)),
            apart=tuple(_neighbours(affinity.get("podAntiAffinity"), namespace, labels)),
            node_name=spec.get("nodeName") or None,
        )

    def tolerates(self, taint: Taint) -> bool:
        """Whether a taint does not keep it off a node."""
        return not taint.repels or any(each.covers(taint) for each in self.tolerations)


def _host_ports(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    own = bool(spec.get("hostNetwork"))
    containers = [as_map(each) for each in as_list(spec.get("containers"))]
    containers += [c for c in map(as_map, as_list(spec.get("initContainers"))) if c.get("restartPolicy") == "Always"]
    for container in containers:
        for each in map(as_map, as_list(container.get("ports"))):
            port = each.get("hostPort") or (each.get("containerPort") if own else None)
            if isinstance(port, int):
                yield str(each.get("protocol") or "TCP"), str(each.get("hostIP") or _EVERY_ADDRESS), port


def ports_clash(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    """Whether two pods cannot have these ports on one node."""
    addresses = {one[1], other[1]}
    return one[0] == other[0] and one[2] == other[2] and (len(addresses) == 1 or _EVERY_ADDRESS in addresses)


def _spread(spec: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[Spread]:
    for each in map(as_map, as_list(spec.get("topologySpreadConstraints"))):
        if each.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule":
            selector = LabelSelector.of(each.get("labelSelector"))
            yield Spread(
                key=str(each.get("topologyKey")),
                selector=selector.narrowed(each.get("matchLabelKeys"), labels),
                most=_positive(each.get("maxSkew")),
                domains=_positive(each.get("minDomains")),
                own_nodes_only=each.get("nodeAffinityPolicy", "Honor") == "Honor",
                untainted_only=each.get("nodeTaintsPolicy", "Ignore") == "Honor",
            )


def _positive(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 1


def _neighbours(affinity: Any, namespace: str, labels: Mapping[str, str]) -> Iterator[Neighbours]:
    for each in map(as_map, as_list(as_map(affinity).get(_REQUIRED))):
        selector = LabelSelector.of(each.get("labelSelector"))
        selector = selector.narrowed(each.get("matchLabelKeys"), labels)
        selector = selector.narrowed(each.get("mismatchLabelKeys"), labels, operator="NotIn")
        named = frozenset(str(name) for name in as_list(each.get("namespaces")))
        # The labels of namespaces are not looked at: a selector of them means every namespace.
        everywhere = each.get("namespaceSelector") is not None
        yield Neighbours(
            key=str(each.get("topologyKey")),
            selector=selector,
            namespaces=None if everywhere else named or frozenset({namespace}),
        )
