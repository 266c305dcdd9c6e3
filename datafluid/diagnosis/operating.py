"""Why an operation does not get on: it waits, it fails, or it never will."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datafluid.diagnosis.amends import is_made_good
from datafluid.diagnosis.cause import Found, command, quoted, rule
from datafluid.diagnosis.picture import Picture, line, phase_of
from datafluid.model.lint.facts import OPERATIONS
from datafluid.model.lint.subject import Subject, as_list, as_map, as_text, show
from datafluid.model.names import OperationNames

_NO_TARGET = ("TargetDatasetNotFound", "TargetDatasetNamespaceNotSame", "TargetDatasetNotReady")
_REFUSED = (
    "DataOperationNotValid",
    "ScheduleNotSpecified",
    "ProcessorNotSpecified",
    "MultipleProcessorSpecified",
    "ConflictMountPath",
    "TargetSSHSecretNameNotSet",
    "PathNotSupported",
    "DataOperationCollision",
)
_FAILURES = re.compile(r"Error: (?:INSTALLATION FAILED: )?(?P<why>.+)$")


def _open(picture: Picture) -> list[Subject]:
    """The operations that have not ended well."""
    return [each for each in picture.operations if phase_of(each) != "Complete"]


@rule("helm-failure", "An operation that Fluid fails to start, over and over")
def helm_failure(picture: Picture) -> Iterator[Found]:
    for operation in _open(picture):
        told = picture.about(operation, reason="DataOperationExecutionFailed")
        if told and phase_of(operation) in ("", "Pending", "Executing"):
            text = " ".join(told[-1].event.message.split())
            found = _FAILURES.search(text)
            why = (found["why"] if found else text.rpartition("fail to execute data operation: ")[2]).strip(" .")
            summary = f"{_named(operation)} shows Executing for ever: Fluid cannot start it: {why[:200]}."
            mend = command("edit" if "schedule" in why else "delete", operation)
            yield Found(summary, [line(told[-1])], mend)


@rule("waits-for", "An operation that waits for another")
def waits_for(picture: Picture) -> Iterator[Found]:
    for operation in _open(picture):
        after = as_map(operation.spec.get("runAfter"))
        if not after or phase_of(operation) not in ("", "Pending"):
            continue
        kind, name = as_text(after.get("kind")), as_text(after.get("name"))
        namespace = as_text(after.get("namespace")) or operation.namespace
        first = picture.one(kind, name, namespace)
        seen = [f"{operation.kind} {operation.name} has runAfter {kind} {name}", *picture.said(operation)]
        label = f"{kind} {show(f'{namespace}/{name}')}"
        if namespace != picture.namespace:
            yield Found(
                f"{_named(operation)} waits for {label} of another namespace.", seen, _get(kind, name, namespace)
            )
        elif first is None and kind not in picture.unknown:
            summary = f"{_named(operation)} waits for {label}, which is not there; it goes on once that is made."
            yield Found(summary, seen, _get(kind, name, namespace))
        elif first is not None:
            yield from _behind(picture, operation, first, seen)


def _behind(picture: Picture, operation: Subject, first: Subject, seen: list[str]) -> Iterator[Found]:
    phase = phase_of(first)
    seen = [f"{first.kind} {first.name}: {phase or 'no phase yet'}", *seen]
    if phase == "Failed":
        summary = f"{_named(operation)} waits for ever: {first.kind} {show(first.name)}, which it runs after, failed."
        yield Found(summary, seen, command("describe", first))
    elif ring := _ring(picture, operation):
        summary = f"{_named(operation)} waits for itself: {' -> '.join(ring)}."
        yield Found(summary, seen, command("delete", operation))
    else:
        summary = f"{_named(operation)} waits for {first.kind} {show(first.name)}."
        yield Found(summary, seen, command("describe", first), certain=False)


def _ring(picture: Picture, start: Subject) -> list[str]:
    """The names around a cycle of ``runAfter``; empty when there is none."""
    names, at = [start.name], start
    for _ in range(len(picture.of(*OPERATIONS))):
        after = as_map(at.spec.get("runAfter"))
        following = picture.mine(as_text(after.get("kind")), as_text(after.get("name")))
        if following is None:
            return []
        names.append(following.name)
        if following is start:
            return names
        at = following
    return []


@rule("unsupported", "An operation that the runtime cannot do")
def unsupported(picture: Picture) -> Iterator[Found]:
    for operation in _open(picture):
        seen = picture.said(operation, reason="DataOperationNotSupport")
        if seen:
            summary = f"{_named(operation)} never runs: the dataset's runtime has no {operation.kind}."
            yield Found(summary, seen, command("delete", operation))


@rule("no-target", "An operation without its dataset")
def no_target(picture: Picture) -> Iterator[Found]:
    for operation in _open(picture):
        seen = [said for reason in _NO_TARGET for said in picture.said(operation, reason=reason)]
        if seen:
            lacks = operation.kind != "DataBackup" and not operation.at("spec", "dataset", "namespace")
            why = "spec.dataset names no namespace" if lacks else "its dataset is not there"
            yield Found(f"{_named(operation)} does not begin: {why}.", seen, command("edit", operation))


@rule("not-valid", "An operation that Fluid refuses")
def not_valid(picture: Picture) -> Iterator[Found]:
    for operation in _open(picture):
        seen = [said for reason in _REFUSED for said in picture.said(operation, reason=reason)]
        seen += [said for reason, said in _conditions(operation) if reason in _REFUSED]
        if seen:
            yield Found(f"{_named(operation)} is refused by Fluid.", seen, command("describe", operation))


def _conditions(operation: Subject) -> list[tuple[str, str]]:
    found = (as_map(each) for each in as_list(operation.at("status", "conditions")))
    return [
        (as_text(each.get("reason")), f"{each.get('reason') or each.get('type')}: {as_text(each.get('message'))}")
        for each in found
    ]


@rule("on-event", "Policy OnEvent")
def on_event(picture: Picture) -> Iterator[Found]:
    for operation in _open(picture):
        if operation.spec.get("policy") == "OnEvent":
            phase = phase_of(operation)
            summary = f"{_named(operation)} shows Executing for ever: policy OnEvent does nothing in Fluid."
            yield Found(summary, [f"policy OnEvent, phase {phase or 'none'}"], command("delete", operation))


@rule("backup-crash", "A DataBackup that stops Fluid")
def backup_crash(picture: Picture) -> Iterator[Found]:
    for operation in picture.operations:
        if operation.kind == "DataBackup" and phase_of(operation) in (
            "Executing",
            "Failed",
            "Complete",
        ):
            down = [each for each in picture.of("apps/v1/Deployment") if each.name == "dataset-controller"]
            stopped = [each for each in down if not each.at("status", "availableReplicas")]
            seen = [f"DataBackup {operation.name}: {operation.at('status', 'phase')}"]
            seen += [f"Deployment {each.name} has no available replica" for each in stopped]
            summary = f"{_named(operation)} crashes Fluid's dataset controller, which then serves no dataset at all."
            yield Found(summary, seen, command("delete", operation), certain=bool(stopped))


@rule("failed", "An operation that failed")
def failed(picture: Picture) -> Iterator[Found]:
    for operation in picture.operations:
        if phase_of(operation) != "Failed" or picture.about(operation, reason="DataOperationNotSupport"):
            continue
        if is_made_good(picture, operation):
            continue
        seen = [said for _, said in _conditions(operation) if not said.endswith(": ")]
        seen += [str(each) for each in as_list(operation.at("status", "progress", "errors"))]
        job = _job(operation)
        jobs = picture.told("batch/v1/Job", warning=True)
        seen += [line(each) for each in jobs if job and each.subject.name.startswith(job)][-1:]
        seen += picture.said(operation, reason="DataOperationFailed")
        yield Found(f"{_named(operation)} failed.", seen or ["phase Failed"], _logs(picture, operation))


def _logs(picture: Picture, operation: Subject) -> str:
    job = _job(operation)
    if not picture.cluster or job is None or operation.spec.get("policy") == "Cron":
        return quoted("datafluid", "describe", operation.kind.lower(), operation.name, "-n", operation.namespace)
    return quoted("kubectl", "logs", f"job/{job}", "-n", operation.namespace, "--tail=50")


def _job(operation: Subject) -> str | None:
    return OperationNames.of(operation.kind, operation.name).job


@rule("not-bound-yet", "An operation whose dataset is not bound")
def not_bound_yet(picture: Picture) -> Iterator[Found]:
    for operation in _open(picture):
        if picture.unbound and phase_of(operation) in ("", "Pending"):
            seen = picture.said(operation, reason="RuntimeNotReady") or [
                f"the dataset's phase: {picture.phase or 'none'}"
            ]
            look = quoted("datafluid", "describe", "dataset", picture.ref.name, "-n", picture.namespace)
            yield Found(f"{_named(operation)} waits until the dataset is Bound.", seen, look, certain=False)


def _named(operation: Subject) -> str:
    return f"{operation.kind} {show(operation.name)}"


def _get(kind: str, name: str, namespace: str) -> str:
    return quoted("kubectl", "get", kind.lower(), name, "-n", namespace)
