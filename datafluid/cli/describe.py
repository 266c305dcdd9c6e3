"""``datafluid describe``: all there is to know about one object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datafluid.cli import completion
from datafluid.cli.escape import safe
from datafluid.cli.objects import dig, since
from datafluid.cli.output import age, echo, paint, percent, size, table, tick
from datafluid.cli.session import Session, command
from datafluid.errors import Unsupported
from datafluid.redaction import redact_url

if TYPE_CHECKING:
    from datafluid.handles import DatasetHandle, LoadHandle
    from datafluid.plane.port import Event, Manifest

__all__ = ["register"]

_KUBECTLS_COPY = "kubectl.kubernetes.io/last-applied-configuration"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def describe(
        session: Session,
        kind: Annotated[str, typer.Argument(autocompletion=completion.kinds)],
        name: Annotated[str | None, typer.Argument(metavar="[NAME]", autocompletion=completion.names)] = None,
    ) -> None:
        """Show one object: status, mounts, cache, conditions, next runs and events."""
        from datafluid.clusters.lifecycle import lifecycle_of

        client = session.client
        ref = session.ref(*(word for word in (kind, name) if word), example="datafluid describe dataset NAME")
        manifest = client.plane.get(ref)
        _heading(manifest)
        if ref.kind == "Dataset":
            _dataset(client.dataset(ref.name, namespace=ref.namespace))
        elif "dataset" in (manifest.get("spec") or {}) or "from" in (manifest.get("spec") or {}):
            _operation(session, manifest)
        _section("Life cycle", ("What", "How"), lifecycle_of(client, ref).items())
        _mapping("Cache", dig(manifest, ".status.cacheStates"))
        _conditions(dig(manifest, ".status.conditions") or ())
        _events(client.plane.events(ref))


def _heading(manifest: Manifest) -> None:
    metadata = manifest["metadata"]
    _fields(
        {
            "Name": metadata["name"],
            "Namespace": metadata.get("namespace"),
            "Kind": manifest["kind"],
            "UID": metadata.get("uid"),
            "Age": since(metadata.get("creationTimestamp")),
            "Labels": _pairs(metadata.get("labels")),
            "Annotations": _pairs(_shown(metadata.get("annotations") or {})),
            "Phase": dig(manifest, ".status.phase"),
        }
    )


def _shown(annotations: Mapping[str, str]) -> dict[str, str]:
    """Annotations without kubectl's copy of the manifest, and without credentials."""
    from datafluid.diagnosis.masking import mask_text

    return {name: mask_text(text) for name, text in annotations.items() if name != _KUBECTLS_COPY}


def _dataset(handle: DatasetHandle) -> None:
    status = handle.status
    _fields(
        {
            "Total": size(status.total),
            "Files": status.files,
            "Cached": size(status.cached),
            "Fraction": percent(status.fraction),
            "Capacity": size(status.capacity),
            "As of": status.as_of,
            "Access": ", ".join(handle.manifest["spec"].get("accessModes") or ["ReadOnlyMany"]),
            "URL": handle.uri,
        }
    )
    mounts = handle.manifest["spec"].get("mounts") or ()
    _section("Mounts", ("Path", "Name", "Mount point", "Read only"), (_mount(each) for each in mounts))
    _section(
        "Loads",
        ("Name", "Policy", "Phase", "Duration"),
        ((load.name, *_load(load.manifest)) for load in handle.loads()),
    )


def _mount(mount: Mapping[str, Any]) -> Sequence[object]:
    where = redact_url(mount.get("mountPoint") or "")
    return mount.get("path"), mount.get("name"), where, mount.get("readOnly", False)


def _load(manifest: Manifest) -> Sequence[object]:
    return (
        dig(manifest, ".spec.policy") or "Once",
        dig(manifest, ".status.phase"),
        dig(manifest, ".status.duration"),
    )


def _operation(session: Session, manifest: Manifest) -> None:
    from datafluid.handles import LoadHandle
    from datafluid.model.ref import Ref

    handle = LoadHandle(session.client.plane, Ref.of(manifest))
    spec, status = manifest["spec"], handle.status
    rests = spec.get("policy") == "Cron" and handle.suspended
    _fields(
        {
            "Dataset": dig(spec, "dataset.name"),
            "Policy": spec.get("policy") or "Once",
            "Schedule": spec.get("schedule"),
            "Suspended": "yes" if rests else None,
            "Duration": dig(manifest, ".status.duration"),
            "Last run": dig(manifest, ".status.lastScheduleTime"),
            "Last good": dig(manifest, ".status.lastSuccessfulTime"),
            "Next runs": "none until it is resumed" if rests else ", ".join(map(tick, _next_runs(handle))),
        }
    )
    _runs(handle)
    targets = spec.get("target") or ()
    _section("Targets", ("Path", "Replicas"), ((each.get("path"), each.get("replicas")) for each in targets))
    if (moved := status.progress) is not None:
        _section(
            "Progress",
            ("Files", "Of", "Bytes", "Of", "Rate", "ETA", "Errors"),
            [
                (
                    moved.files_done,
                    moved.files_total,
                    size(moved.bytes_done),
                    size(moved.bytes_total),
                    f"{size(moved.rate)}/s" if moved.rate else None,
                    age(moved.eta),
                    len(moved.errors),
                )
            ],
        )
        _section("Errors", ("Error",), ((error,) for error in moved.errors))


def _runs(handle: LoadHandle) -> None:
    try:
        runs = handle.history if handle.is_cron else []
    except Unsupported:
        return
    _section(
        "Runs",
        ("Scheduled", "Took", "Phase", "Message"),
        (
            (
                tick(datetime.fromtimestamp(run.scheduled, UTC)) if run.scheduled else None,
                age(run.ended - run.started) if run.ended is not None else None,
                run.phase,
                run.message,
            )
            for run in runs[:5]
        ),
    )


def _next_runs(handle: Any) -> Iterable[Any]:
    try:
        return list(handle.next_runs(3))
    except Unsupported:
        return []


def _conditions(conditions: Iterable[Mapping[str, Any]]) -> None:
    _section(
        "Conditions",
        ("Type", "Status", "Reason", "Age", "Message"),
        (
            (
                each.get("type"),
                each.get("status"),
                each.get("reason"),
                since(each.get("lastTransitionTime")),
                each.get("message"),
            )
            for each in conditions
        ),
    )


def _events(events: Iterable[Event]) -> None:
    import time

    now = time.time()
    _section(
        "Events",
        ("Type", "Reason", "Age", "Count", "Message"),
        ((each.type, each.reason, age(now - each.last_seen), each.count, each.message) for each in events),
    )


def _fields(fields: Mapping[str, object]) -> None:
    for label, value in fields.items():
        if value not in (None, ""):
            print(f"{label + ':':<13} {paint(safe(value))}")


def _mapping(title: str, values: Mapping[str, object] | None) -> None:
    known = [(name, value) for name, value in sorted((values or {}).items()) if value not in (None, "", "N/A")]
    _section(title, ("Figure", "Value"), known)


def _pairs(values: Mapping[str, str] | None) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted((values or {}).items()))


def _section(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    rows = list(rows)
    if not rows:
        return
    echo()
    echo(f"{title}:")
    table(headers, rows)
