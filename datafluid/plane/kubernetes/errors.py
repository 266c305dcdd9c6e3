"""What a Kubernetes ``Status`` means in datafluid's words: the one boundary where foreign errors are mapped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from datafluid.errors import (
    AlreadyExists,
    Conflict,
    DatafluidError,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
    Unsupported,
)
from datafluid.plane.kubernetes.requests import Request, Response

__all__ = ["answer_of", "error_of", "field_conflicts", "is_gone", "is_typed_patch", "not_kubernetes"]

_TYPED_PATCH = "failed to create typed patch object"
_CANNOT = re.compile(
    r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_EXPLAIN = "`kubectl explain` tells what each field takes."
_NOBODY = 'User "system:anonymous"'
_UNKNOWN = re.compile(r'unknown field "(?P<strict>[^"]+)"|(?P<typed>\.\S+): field not declared in schema')
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]+)"')


def error_of(request: Request, response: Response) -> DatafluidError:
    """The error that an answer means."""
    status = response.json()
    message = str(status.get("message") or f"HTTP {response.status}")
    mapped = {
        400: _invalid,
        401: _unauthorized,
        403: _forbidden,
        404: _not_found,
        405: _unsupported,
        409: _conflict,
        410: _expired,
        413: _invalid,
        422: _invalid,
        500: _internal,
    }.get(response.status, _unavailable)
    return mapped(request, status, message)


def answer_of(request: Request, response: Response) -> dict[str, Any]:
    """The object that a server answered with.

    Raises:
        DatafluidError: what its refusal means; `Unavailable` where something else than an API server answers.
    """
    if not response.ok:
        raise error_of(request, response)
    found = response.object()
    if found is None:
        raise not_kubernetes(request.subject)
    return found


def not_kubernetes(subject: str) -> Unavailable:
    """The error for an answer that no API server gives."""
    return Unavailable(
        f"{subject}: what answers is no Kubernetes API server.", hint="Is a proxy or a log-in page in between?"
    )


def is_gone(response: Response) -> bool:
    """Whether the server has no such object; a kind that it does not serve is another matter."""
    return response.status == 404 and bool((response.json().get("details") or {}).get("name"))


def is_typed_patch(response: Response) -> bool:
    """Whether an apply was refused for an unknown field: a 500 without a reason, which names the first one only."""
    return response.status == 500 and _TYPED_PATCH in str(response.json().get("message"))


def field_conflicts(response: Response) -> list[tuple[str, str]]:
    """Which manager owns which field that an apply wanted to change; empty for other answers."""
    if response.status != 409:
        return []
    causes = (response.json().get("details") or {}).get("causes") or ()
    return [
        (manager["manager"] if (manager := _MANAGER.search(cause["message"])) else "?", cause.get("field", ""))
        for cause in causes
        if cause.get("reason") == "FieldManagerConflict"
    ]


def _invalid(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    from datafluid.model.lint import Finding

    causes = [(each.get("field", ""), each["message"]) for each in (status.get("details") or {}).get("causes") or ()]
    unknown = [(found["strict"] or found["typed"].lstrip("."), "unknown field") for found in _UNKNOWN.finditer(message)]
    findings = [
        Finding(code="DF000", severity="error", path=path, message=f"{path}: {text}." if path else text)
        for path, text in unknown or causes or [("", message)]
    ]
    hint = _EXPLAIN if causes or status.get("reason") == "BadRequest" else ""
    hint = "Check its spelling; this cluster may have an older version of the kind." if unknown else hint
    told = "; ".join(finding.message for finding in findings) if unknown else message
    return Invalid(f"{request.subject}: the server refuses it: {told}", hint=hint, findings=findings)


def _unauthorized(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    return Forbidden(
        f"{request.subject}: the server does not accept the credentials ({message}).",
        hint="Log in again, and see `kubectl auth whoami`.",
    )


def _forbidden(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    if any(cause.get("reason") == "NamespaceTerminating" for cause in _causes(status)):
        return Conflict(f"{request.subject}: its namespace is being deleted.", hint="Wait for its end, or use another.")
    if _NOBODY in message:
        return Forbidden(
            f"{request.subject}: the request came without credentials, and the server tells strangers nothing.",
            hint="Has the context's user a token, a certificate or a plugin that works? See `kubectl auth whoami`.",
        )
    found = _CANNOT.search(message)
    if found is None:
        return Forbidden(f"{request.subject}: {message}.", hint="Ask whoever administers the cluster.")
    rule = f'apiGroups: ["{found["group"]}"], resources: ["{found["resource"]}"], verbs: ["{found["verb"]}"]'
    kind = "Role in namespace " + found["namespace"] if found["namespace"] else "ClusterRole"
    return Forbidden(
        f"{request.subject}: you may not {found['verb']} {found['resource']}.",
        hint=f"A {kind} must grant {{{rule}}}; `datafluid rbac` prints what is needed.",
        rule=rule,
    )


def _not_found(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    details = status.get("details") or {}
    if not details.get("name"):  # see `is_gone`
        return Unsupported(
            f"{request.subject}: this cluster does not serve that kind.",
            hint="Is Fluid installed there? `datafluid crds` prints its definitions.",
        )
    if details.get("kind") == "namespaces" and not request.path.endswith(f"/namespaces/{details['name']}"):
        return NotFound(f"there is no namespace {details['name']!r}.", hint="Create it first.")
    return NotFound(f"there is no {request.subject}.", hint="Apply it first.")


def _unsupported(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    return Unsupported(f"{request.subject}: {message}.", hint="The server does not allow it for this kind.")


def _conflict(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    if status.get("reason") == "AlreadyExists":
        return AlreadyExists(f"{request.subject} is there already.", hint="Apply it, or use another name.")
    owners = field_conflicts(Response(status=409, body=_encoded(status)))
    if owners:
        told = ", ".join(f"{manager!r} owns {field.lstrip('.')}" for manager, field in owners)
        return Conflict(
            f"{request.subject}: {told}.", hint="Leave those fields out, or apply with adopt=True (`--adopt`)."
        )
    return Conflict(f"{request.subject} has changed since it was read: {message}", hint="Read it again.")


def _expired(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    return Unavailable(f"{request.subject}: that version is too old ({message}).", hint="List again.")


def _internal(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    refused = any(words in message for words in (_TYPED_PATCH, "denied the request", "Invalid value:"))
    return (_invalid if refused else _unavailable)(request, status, message)


def _unavailable(request: Request, status: Mapping[str, Any], message: str) -> DatafluidError:
    return Unavailable(f"{request.subject}: the server cannot answer now: {message}.", hint="Try again later.")


def _causes(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return (status.get("details") or {}).get("causes") or []


def _encoded(status: Mapping[str, Any]) -> bytes:
    import json

    return json.dumps(status).encode()
