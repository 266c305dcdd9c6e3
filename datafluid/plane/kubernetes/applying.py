"""Server-side apply, with what the server really does.

- A conflict with ourselves, whichever operation or subresource it was, is none: it is forced.
- A conflict with others names them, and is forced only when the caller adopts the fields.
- Status, managedFields and resourceVersion are never sent.
- A terminating object would take the change and vanish with it: refused.
- A finished operation would take another spec and do nothing: refused, or replaced when the caller says so.
- An unknown field is answered with a 500 that names the first one; a strict create, tried only, names them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.errors import Conflict, NotFound
from datafluid.model.begun import has_begun, is_diverted, refuse_diverted
from datafluid.model.kinds import API_VERSION
from datafluid.model.ref import Ref
from datafluid.model.status import OperationStatus
from datafluid.plane.admission import admit, must_be_named, without_server_fields
from datafluid.plane.kubernetes.catalogue import Catalogue
from datafluid.plane.kubernetes.errors import answer_of, field_conflicts, is_typed_patch
from datafluid.plane.kubernetes.reading import plain
from datafluid.plane.kubernetes.requests import MANAGER, Resource
from datafluid.plane.kubernetes.steps import Flow, Pause, backoff, call, exchange
from datafluid.plane.port import Manifest

__all__ = ["apply"]

_LOOKS = 12  # at an object that is to vanish, before it is called stuck


def apply(
    catalogue: Catalogue, manifest: Mapping[str, Any], *, dry_run: bool, adopt: bool, replace: bool
) -> Flow[Manifest]:
    """Create or change one object; see `datafluid.plane.port.ControlPlane.apply`."""
    authored = _admitted(manifest)
    ref = Ref.of(authored)
    resource = yield from catalogue.find(ref.kind)
    current = yield from _find(resource, ref)
    if current is not None:
        _refuse_if_terminating(ref, current)
        again = replace and OperationStatus.parse(current).finished
        if (yield from _is_another(resource, authored, current, adopt, again)):
            if not replace:
                refuse_diverted(current, authored)
                raise Conflict(
                    f"{ref} has begun already: Fluid ignores another spec.",
                    hint="Apply with replace=True (`--replace`), or use another name.",
                )
            if not dry_run:
                yield from _remove(resource, ref, current)
    applied = yield from _send(resource, authored, dry_run, adopt)
    if not dry_run:
        _refuse_if_terminating(ref, applied)
    return plain(applied)


def _admitted(manifest: Mapping[str, Any]) -> Manifest:
    if manifest.get("apiVersion", API_VERSION) == API_VERSION:
        return admit(manifest, plane="kubernetes")
    must_be_named(manifest)
    return without_server_fields(manifest)


def _find(resource: Resource, ref: Ref) -> Flow[Manifest | None]:
    try:
        found: Manifest = yield from call(resource.get(ref))
    except NotFound:
        return None
    return found


def _send(resource: Resource, authored: Manifest, dry_run: bool, adopt: bool) -> Flow[Manifest]:
    request = resource.apply(authored, dry_run=dry_run, force=adopt)
    response = yield from exchange(request)
    owners = field_conflicts(response)
    if owners and all(manager == MANAGER for manager, _ in owners):
        request = resource.apply(authored, dry_run=dry_run, force=True)
        response = yield from exchange(request)
    if is_typed_patch(response):
        strict = yield from exchange(resource.create(authored, dry_run=True))
        if strict.status == 400:
            response = strict
    return answer_of(request, response)


def _refuse_if_terminating(ref: Ref, current: Mapping[str, Any]) -> None:
    if current["metadata"].get("deletionTimestamp"):
        finalizers = ", ".join(current["metadata"].get("finalizers") or ()) or "nothing"
        raise Conflict(
            f"{ref} is being deleted, and what is applied to it now would vanish with it (kept by: {finalizers}).",
            hint="Wait for its end, then apply again.",
        )


def _is_another(resource: Resource, authored: Manifest, current: Manifest, adopt: bool, again: bool) -> Flow[bool]:
    """Whether it can be what is applied only as a new object, for Fluid acts on nothing of a changed spec."""
    if not has_begun(current):
        return is_diverted(current, authored)
    if again:
        return True
    tried = yield from _send(resource, authored, True, adopt)  # only the server knows: it fills in the defaults
    return bool(tried["spec"] != current["spec"])


def _remove(resource: Resource, ref: Ref, current: Manifest) -> Flow[None]:
    """Delete an object and see it gone."""
    uid = current["metadata"]["uid"]
    yield from call(resource.delete(ref, uid=uid))
    for attempt in range(_LOOKS):
        left = yield from _find(resource, ref)
        if left is None or left["metadata"]["uid"] != uid:
            return
        yield Pause(backoff(attempt))
    raise Conflict(
        f"{ref} does not go away.",
        hint=f"`datafluid describe {ref.kind.lower()} {ref.name} -n {ref.namespace}` may say why.",
    )
