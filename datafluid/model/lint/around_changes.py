"""Rules about changes to what is there already: some of them Fluid takes and never acts upon."""

from __future__ import annotations

from typing import Any

from datafluid.model.lint.facts import OPERATIONS, runtimes_of
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_list, as_map, as_text, show

_SCHEDULED = tuple(kind for kind in OPERATIONS if kind != "DataBackup")


@rule(
    "DF540",
    "Access modes of a dataset that is there",
    "warning",
    kinds=("Dataset",),
    source="transcripts/README.md point 6",
    plane="kubernetes",
)
def access_modes(subject: Subject, scope: Scope) -> Hits:
    there = _there(subject, scope)
    wanted = as_list(subject.at("spec", "accessModes")) or ["ReadOnlyMany"]
    if there is not None and wanted != (as_list(there.at("spec", "accessModes")) or ["ReadOnlyMany"]):
        yield Hit(
            ("spec", "accessModes") if subject.spec.get("accessModes") else ("spec",),
            "the dataset is there with other access modes, and Fluid ignores a change of them.",
            "Delete the dataset, wait until its claim is gone, and apply it anew.",
        )


@rule(
    "DF541",
    "A schedule of an operation that is there",
    "warning",
    kinds=_SCHEDULED,
    source="transcripts/README.md point 11",
    plane="kubernetes",
)
def schedule(subject: Subject, scope: Scope) -> Hits:
    there = _there(subject, scope)
    before = as_text(there.spec.get("schedule")) if there is not None else ""
    wanted = as_text(subject.spec.get("schedule"))
    if before and wanted and wanted != before:
        yield Hit(
            ("spec", "schedule"),
            f"the {subject.kind} is there with the schedule {show(before)}, and its CronJob keeps that.",
            f"Delete the {subject.kind} and apply it anew.",
        )


@rule(
    "DF542",
    "Mounts of a thin dataset that is there",
    "warning",
    kinds=("Dataset",),
    source="transcripts/README.md point 6",
    plane="kubernetes",
)
def thin_mounts(subject: Subject, scope: Scope) -> Hits:
    there = _there(subject, scope)
    thin = any(each.kind == "ThinRuntime" for each in runtimes_of(subject, scope))
    if there is not None and thin and as_text(there.at("status", "phase")) == "Bound":
        before = [_point(mount) for mount in as_list(there.at("spec", "mounts"))]
        if before != [_point(mount) for mount in as_list(subject.at("spec", "mounts"))]:
            yield Hit(
                ("spec", "mounts") if subject.spec.get("mounts") else ("spec",),
                "the dataset is Bound with other mounts, and a ThinRuntime never takes new ones in.",
                "Delete the dataset, wait until its claim is gone, and apply it anew.",
            )


def _there(subject: Subject, scope: Scope) -> Subject | None:
    """The object as the cluster has it."""
    namespace = scope.home(subject)
    return scope.around.one(subject.kind, subject.name, namespace) if scope.around and namespace else None


def _point(mount: Any) -> list[str]:
    return [as_text(as_map(mount).get(field)) for field in ("mountPoint", "name", "path")]
