"""Requests to a Kubernetes API server as data: built once, sent by either transport."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlencode

from datafluid.errors import Invalid
from datafluid.model.ref import Ref, qualified_kind

__all__ = ["MANAGER", "PAGE", "Request", "Resource", "Response", "agent"]

#: Who changes fields, in the words of server-side apply.
MANAGER = "datafluid"
#: Objects in one page of a list: as many as kubectl asks for.
PAGE = 500

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_WHOLE, _METADATA = "application/json", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Args:
        method: ``GET``, ...
        path: Below the server's address.
        subject: What it is about, for messages: ``Dataset team/imagenet``.
        query: Query parameters.
        body: What is sent as JSON.
        content_type: Of the body.
        accept: Of the answer.
        repeatable: Whether it may be sent again when nobody knows whether the first one arrived.
    """

    method: str
    path: str
    subject: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = "application/json"
    accept: str = "application/json"
    repeatable: bool = True

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def payload(self) -> bytes | None:
        """The body as it is sent. JSON is YAML, so it serves for an apply as well."""
        return None if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < 300

    def json(self) -> Any:
        """The decoded body; what is no JSON object, as proxies and log-in pages answer, is the message of a Status."""
        found = self.object()
        return {"message": self.body.decode(errors="replace").strip()} if found is None else found

    def object(self) -> dict[str, Any] | None:
        """The JSON object that the body is; None when it is something else."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind as the server's paths name it.

    Example:
        >>> datasets = Resource(api_version="data.fluid.io/v1alpha1", kind="Dataset", plural="datasets")
        >>> datasets.path("team", "imagenet")
        '/apis/data.fluid.io/v1alpha1/namespaces/team/datasets/imagenet'
        >>> Resource(api_version="v1", kind="Node", plural="nodes", namespaced=False).path(None)
        '/api/v1/nodes'
    """

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def name(self) -> str:
        """How planes name the kind."""
        return qualified_kind(self.api_version, self.kind)

    def path(self, namespace: str | None, name: str = "", subresource: str | None = None) -> str:
        """The path of the collection, of one object, or of its subresource.

        Raises:
            Invalid: an object of a kind that lives in namespaces is named without one.
        """
        if name and self.namespaced and not namespace:
            raise Invalid(f"{self.kind} {name} is named without its namespace.", hint="Give it metadata.namespace.")
        base = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        within = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        tail = (f"/{quote(name, safe='')}" if name else "") + (f"/{subresource}" if subresource else "")
        return f"{base}{within}/{self.plural}{tail}"

    def get(self, ref: Ref) -> Request:
        """Read one object."""
        return Request(method="GET", path=self._at(ref), subject=str(ref))

    def page(
        self,
        namespace: str | None,
        *,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        after: str = "",
        metadata_only: bool = False,
    ) -> Request:
        """Read one page of a list.

        Args:
            namespace: None for all.
            labels: Only objects with these.
            fields: Only objects whose fields are these.
            after: The ``continue`` of the page before.
            metadata_only: The server sends nothing of the objects but their metadata.
        """
        query = {"limit": str(PAGE), **_selectors(labels, fields)} | ({"continue": after} if after else {})
        subject, accept = self._many(namespace), _METADATA if metadata_only else _WHOLE
        return Request(method="GET", path=self.path(namespace), subject=subject, query=query, accept=accept)

    def watch(self, namespace: str | None, *, fields: Mapping[str, str] | None, since: str, seconds: int) -> Request:
        """Follow changes from a version on."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": since,
            "timeoutSeconds": str(seconds),
            **_selectors(None, fields),
        }
        return Request(method="GET", path=self.path(namespace), subject=self._many(namespace), query=query)

    def apply(self, manifest: Mapping[str, Any], *, dry_run: bool = False, force: bool = False) -> Request:
        """Server-side apply under our own name."""
        ref = Ref.of(manifest)
        query = {"fieldManager": MANAGER, "force": str(force).lower(), "fieldValidation": "Strict", **_dry(dry_run)}
        return Request(
            method="PATCH", path=self._at(ref), subject=str(ref), query=query, body=manifest, content_type=_APPLY
        )

    def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Request:
        """Create what must not be there yet; unknown fields are errors."""
        ref = Ref.of(manifest)
        self._at(ref)  # a name without a namespace is refused here, not by a server that looks for the kind elsewhere
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict", **_dry(dry_run)}
        return Request(
            method="POST",
            path=self.path(ref.namespace),
            subject=str(ref),
            query=query,
            body=manifest,
            repeatable=dry_run,
        )

    def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Request:
        """Merge changes into an object. One that names a version must not be sent twice: it would meet itself."""
        return Request(
            method="PATCH",
            path=self._at(ref, subresource),
            subject=str(ref),
            query={"fieldManager": MANAGER, "fieldValidation": "Strict"},
            body=changes,
            content_type=_MERGE,
            repeatable="resourceVersion" not in (changes.get("metadata") or {}),
        )

    def delete(self, ref: Ref, *, uid: str | None = None, cascade: bool = True) -> Request:
        """Delete one object, if it is still the one with this uid."""
        body: dict[str, Any] = {"propagationPolicy": "Background" if cascade else "Orphan"}
        if uid:
            body["preconditions"] = {"uid": uid}
        return Request(method="DELETE", path=self._at(ref), subject=str(ref), body=body)

    def _at(self, ref: Ref, subresource: str | None = None) -> str:
        """The path of one object, which must have a name: without one it would be that of all of them."""
        if not ref.name:
            raise Invalid(f"a {self.kind} is named by nothing.", hint="Give it metadata.name.")
        return self.path(ref.namespace, ref.name, subresource)

    def _many(self, namespace: str | None) -> str:
        return f"{self.plural} of namespace {namespace}" if self.namespaced and namespace else self.plural


@cache
def agent() -> str:
    """How we present ourselves to servers; audit logs have it."""
    return f"datafluid/{version('datafluid')}"


def _selectors(labels: Mapping[str, str] | None, fields: Mapping[str, str] | None) -> dict[str, str]:
    found = {"labelSelector": labels, "fieldSelector": fields}
    return {name: ",".join(f"{key}={value}" for key, value in each.items()) for name, each in found.items() if each}


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
