"""Which kinds the server serves and under which paths: Fluid's are known, others are asked for once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.errors import Unsupported
from datafluid.model.kinds import API_VERSION, KINDS, find_kind
from datafluid.plane.kubernetes.requests import Request, Resource
from datafluid.plane.kubernetes.steps import Flow, call

__all__ = ["Catalogue"]

_AGGREGATED = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)


class Catalogue:
    """What is known of a server's kinds."""

    def __init__(self) -> None:
        self._known = {
            kind.kind: Resource(api_version=API_VERSION, kind=kind.kind, plural=kind.plural, namespaced=kind.namespaced)
            for kind in KINDS.values()
        }

    def find(self, kind: str) -> Flow[Resource]:
        """How the server names a kind.

        Raises:
            Invalid: no plane knows such a kind.
            Unsupported: this server does not serve it.
        """
        if kind not in self._known:
            api_version, _, bare = kind.rpartition("/")
            if not api_version:
                return self._known[find_kind(kind).kind]
            try:
                found = yield from call(_group_version(api_version))
            except Unsupported:  # there is no such group: the reason is the same, and it is none of Fluid's
                found = {}
            self._learn(_resources(api_version, found.get("resources", ())))
            if kind not in self._known:
                raise Unsupported(f"this cluster does not serve {kind}.", hint=f"Is the operator of {bare} installed?")
        return self._known[kind]

    def served(self) -> Flow[frozenset[str]]:
        """Every kind that is served now."""
        found: list[Resource] = []
        for root in ("/api", "/apis"):
            answer = yield from call(_discovery(root))
            if answer["kind"] == "APIGroupDiscoveryList":
                found += [each for group in answer["items"] for each in _of_group(group)]
            else:
                for version in _versions(answer):
                    listed = yield from call(_group_version(version))
                    found += _resources(version, listed.get("resources", ()))
        self._learn(found)
        return frozenset(each.name for each in found)

    def _learn(self, resources: list[Resource] | Iterator[Resource]) -> None:
        for each in resources:
            self._known.setdefault(each.name, each)


def _discovery(root: str) -> Request:
    return Request(method="GET", path=root, subject="its list of kinds", accept=f"{_AGGREGATED},application/json")


def _group_version(api_version: str) -> Request:
    root = "/apis" if "/" in api_version else "/api"
    return Request(method="GET", path=f"{root}/{api_version}", subject=f"the kinds of {api_version}")


def _versions(answer: Mapping[str, Any]) -> list[str]:
    """The preferred version of each group; Kubernetes' own oldest group has versions only."""
    if answer["kind"] == "APIVersions":
        return list(answer["versions"])
    return [group["preferredVersion"]["groupVersion"] for group in answer["groups"]]


def _of_group(group: Mapping[str, Any]) -> Iterator[Resource]:
    """Aggregated discovery: the versions of a group, each with its resources."""
    name = (group.get("metadata") or {}).get("name")
    for version in group.get("versions", ()):
        api_version = f"{name}/{version['version']}" if name else version["version"]
        for each in version.get("resources", ()):
            if kind := (each.get("responseKind") or {}).get("kind"):
                yield Resource(
                    api_version=api_version,
                    kind=kind,
                    plural=each["resource"],
                    namespaced=each.get("scope") == "Namespaced",
                )


def _resources(api_version: str, listed: Any) -> list[Resource]:
    """The older discovery: subresources are among them, with a slash in the name."""
    return [
        Resource(api_version=api_version, kind=each["kind"], plural=each["name"], namespaced=each["namespaced"])
        for each in listed
        if "/" not in each["name"]
    ]
