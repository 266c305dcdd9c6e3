"""Rules about DataLoad, DataMigrate, DataProcess and DataBackup: names, targets, and what they run on."""

from __future__ import annotations

import re

from datafluid.model.lint.credentials import show_url
from datafluid.model.lint.facts import (
    OPERATIONS,
    RUNTIMES,
    SUPPORTED,
    closest,
    is_reference,
    runtimes_of,
    target_dataset,
)
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_map, as_text, may_be_same, show
from datafluid.model.names import OperationNames, name_budget

#: The annotation by which a DataBackup is sent although it crashes Fluid's dataset-controller.
ACCEPT_BACKUP = "datafluid.io/accept-backup"
_BACKUP = re.compile(r"(local://.+|pvc://[a-z0-9].*)", re.DOTALL)


@rule(
    "DF301",
    "An operation name too long for what it creates",
    "error",
    kinds=OPERATIONS,
    source="Fluid",
    plane="kubernetes",
)
def name_too_long(subject: Subject, scope: Scope) -> Hits:
    cron = subject.spec.get("policy") == "Cron"
    budget = name_budget(subject.kind, cron=cron)
    if len(subject.name) > budget:
        names = OperationNames.of(subject.kind, "…")
        yield Hit(
            ("metadata", "name"),
            f"the name has {len(subject.name)} characters, too many for {names.job or names.release}.",
            f"Use at most {budget} characters for a {subject.kind}{' with policy Cron' if cron else ''}.",
        )


@rule("DF302", "An operation on no dataset", "error", kinds=OPERATIONS, source="Fluid")
def no_dataset(subject: Subject, scope: Scope) -> Hits:
    if subject.kind == "DataMigrate" or target_dataset(subject)[1]:
        return
    path = ("spec", "dataset") if subject.spec.get("dataset") else ("spec",)
    field = "dataset" if subject.kind == "DataBackup" else "dataset.name"
    yield Hit(path, "the operation names no dataset.", f"Set spec.{field}.")


@rule(
    "DF303",
    "A dataset without its namespace",
    "error",
    kinds=("DataLoad", "DataProcess"),
    source="Fluid",
    plane="kubernetes",
)
def no_namespace(subject: Subject, scope: Scope) -> Hits:
    dataset = as_map(subject.spec.get("dataset"))
    own = show(subject.namespace) if subject.namespace else "that of the operation"
    if as_text(dataset.get("name")) and not dataset.get("namespace"):
        yield Hit(
            ("spec", "dataset"),
            "without the dataset's namespace the operation never starts and says nothing.",
            f"Set spec.dataset.namespace to {own}.",
        )


@rule(
    "DF304",
    "A dataset of another namespace",
    "error",
    kinds=OPERATIONS,
    source="Fluid: as its controllers were seen to behave",
)
def other_namespace(subject: Subject, scope: Scope) -> Hits:
    paths: list[Path] = [("spec", "dataset")]
    if subject.kind == "DataMigrate":
        paths = [("spec", "from", "dataset"), ("spec", "to", "dataset")]
    for path in paths:
        namespace = as_text(subject.at(*path, "namespace"))
        if not may_be_same(namespace, subject.namespace):
            yield Hit(
                (*path, "namespace"),
                f"an operation in {show(subject.namespace)} on one in {show(namespace)} fails and vanishes.",
                f"Create the {subject.kind} in the namespace of its dataset.",
            )


@rule(
    "DF319",
    "A DataBackup",
    "error",
    kinds=("DataBackup",),
    source="Fluid",
    plane="kubernetes",
)
def backup(subject: Subject, scope: Scope) -> Hits:
    if not _is_accepted(subject):
        yield Hit(
            (),
            "a DataBackup crashes Fluid's dataset-controller, for the whole cluster, until it is deleted.",
            f'Copy the data with a DataMigrate; where Fluid is known to be mended, annotate {ACCEPT_BACKUP}: "true".',
        )


@rule("DF346", "A DataBackup at your own risk", "warning", kinds=("DataBackup",), source="Fluid", plane="kubernetes")
def backup_accepted(subject: Subject, scope: Scope) -> Hits:
    if _is_accepted(subject):
        yield Hit(
            ("metadata", "annotations"),
            "it is sent because it says so; if it crashes Fluid's dataset-controller, all operations stand still.",
            "Have `datafluid delete databackup` at hand: the controller starts again once it is gone.",
        )


def _is_accepted(subject: Subject) -> bool:
    return bool(subject.at("metadata", "annotations", ACCEPT_BACKUP) == "true")


@rule(
    "DF320",
    "A backup path spelled wrong",
    "error",
    kinds=("DataBackup",),
    source="golden/names.json, backup_paths",
)
def backup_path(subject: Subject, scope: Scope) -> Hits:
    path = subject.spec.get("backupPath")
    if path is not None and not _BACKUP.fullmatch(as_text(path)):
        yield Hit(
            ("spec", "backupPath"),
            f"{show_url(as_text(path))} is no place for a backup.",
            "Write local:///path or pvc://<claim>/path.",
        )


@rule(
    "DF333",
    "An operation that the runtime cannot do",
    "error",
    kinds=OPERATIONS,
    source="Fluid: support matrix",
    plane="kubernetes",
)
def unsupported(subject: Subject, scope: Scope) -> Hits:
    dataset = scope.dataset(*target_dataset(subject))
    if dataset is None:
        return
    if is_reference(dataset):
        yield Hit(
            ("kind",),
            f"a reference dataset takes no {subject.kind}.",
            "Run it on the dataset that it refers to.",
        )
        return
    for runtime in runtimes_of(dataset, scope):
        able = SUPPORTED[runtime.kind]
        if subject.kind not in able:
            others = [kind for kind in RUNTIMES if subject.kind in SUPPORTED[kind]]
            yield Hit(
                ("kind",),
                f"{runtime.kind} cannot do a {subject.kind}: it ends in Failed.",
                f"It can do {', '.join(able) or 'none'}; {subject.kind} works on {', '.join(others)}.",
            )


@rule(
    "DF339",
    "An operation on a dataset that is not there",
    "warning",
    kinds=OPERATIONS,
    source="Fluid: phase",
)
def misspelled_dataset(subject: Subject, scope: Scope) -> Hits:
    namespace, name = target_dataset(subject)
    if not name or scope.dataset(namespace, name) is not None:
        return
    names = [each.name for each in scope.of_kind("Dataset") if may_be_same(each.namespace, namespace)]
    meant = closest(name, names)
    sure = scope.around is not None and scope.around.knows("Dataset")
    if meant or sure:
        path = ("spec", "dataset") if subject.kind != "DataMigrate" else ("spec",)
        where = "in the source nor in the cluster" if sure else "in the source"
        hint = f"Did you mean {show(meant)}?" if meant else "Apply the dataset first."
        yield Hit(path, f"no dataset called {show(name)} is {where}.", hint)


@rule(
    "DF343",
    "An operation that one machine does not run",
    "warning",
    kinds=("DataProcess", "DataBackup"),
    source="issue 3, the plane port and the embedded plane",
    plane="embedded",
)
def not_on_one_machine(subject: Subject, scope: Scope) -> Hits:
    yield Hit(
        ("kind",),
        f"this machine runs no {subject.kind}: it ends in Failed.",
        "Apply it to a cluster, or do the work in a program of your own.",
    )
