"""Rules about a dataset as a whole."""

from __future__ import annotations

import re

from datafluid.model.lint.credentials import show_url
from datafluid.model.lint.facts import ACCESS_MODES, RUNTIMES, closest, is_reference, runtimes_of
from datafluid.model.lint.pods import claims_wanted_writable
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_list, as_text, show
from datafluid.model.names import LABEL_PREFIX, is_dns1035_label, label_key

_DATASET = ("Dataset",)
_RESTORE = re.compile(r"(local://|pvc://[a-z0-9]).*", re.DOTALL)
_NODE_LABEL_LIMIT = 63
_SHORT_MODES = {
    "ROX": "ReadOnlyMany",
    "RWX": "ReadWriteMany",
    "RWO": "ReadWriteOnce",
    "RWOP": "ReadWriteOncePod",
}


@rule(
    "DF101",
    "A dataset or runtime name that no Service could have",
    "error",
    kinds=("Dataset", *RUNTIMES),
    source="Fluid: DNS1035 checked by the controller",
)
def name(subject: Subject, scope: Scope) -> Hits:
    if subject.name and not is_dns1035_label(subject.name):
        yield Hit(
            ("metadata", "name"),
            f"Fluid's controller refuses the name {show(subject.name)}.",
            "Use at most 63 lower case letters, digits and dashes, a letter first and no dash last.",
        )


@rule("DF102", "A dataset without mounts", "warning", kinds=_DATASET, source="Fluid")
def no_mounts(subject: Subject, scope: Scope) -> Hits:
    engines = {runtime.kind for runtime in runtimes_of(subject, scope)}
    if not as_list(subject.at("spec", "mounts")) and "VineyardRuntime" not in engines:
        yield Hit(("spec",), "the dataset mounts nothing.", "Add spec.mounts with a mountPoint and a name.")


@rule("DF116", "An access mode spelled wrong", "error", kinds=_DATASET, source="Fluid: accessModes")
def access_modes(subject: Subject, scope: Scope) -> Hits:
    for index, mode in enumerate(as_list(subject.at("spec", "accessModes"))):
        if mode in ACCESS_MODES:
            continue
        meant = _SHORT_MODES.get(as_text(mode).upper()) or closest(as_text(mode), ACCESS_MODES)
        hint = f"Write {meant}." if meant else f"Use one of {', '.join(ACCESS_MODES)}."
        yield Hit(("spec", "accessModes", index), f"{show(mode)} is no access mode.", hint)


@rule(
    "DF117",
    "Writes wanted on a dataset that allows none",
    "warning",
    kinds=_DATASET,
    source="Fluid",
)
def writes_wanted(subject: Subject, scope: Scope) -> Hits:
    modes = as_list(subject.at("spec", "accessModes"))
    if any(as_text(mode).startswith("ReadWrite") for mode in modes):
        return
    hint = "Set spec.accessModes to [ReadWriteMany] before the dataset is created; later changes are ignored."
    path = ("spec", "accessModes") if modes else ("spec",)
    for place, mount in subject.maps("spec", "mounts"):
        if mount.get("readOnly") is False:
            yield Hit((*place, "readOnly"), "the mount asks for writes, but the dataset is ReadOnlyMany.", hint)
    for workload in claims_wanted_writable(subject, scope):
        yield Hit(path, f"{show(workload)} wants to write to the dataset, but the dataset is ReadOnlyMany.", hint)


@rule(
    "DF119",
    "Label keys that carry the UID",
    "info",
    kinds=_DATASET,
    source="golden/README.md point 11",
    plane="kubernetes",
)
def long_label_keys(subject: Subject, scope: Scope) -> Hits:
    if not (subject.namespace and subject.name):
        return
    types = [RUNTIMES[runtime.kind] for runtime in runtimes_of(subject, scope)]
    kinds = ["s-", "f-", *(f"s-{each}-" for each in types), *(f"s-h-{each}-t-" for each in types)]
    long = [kind for kind in kinds if len(label_key(kind, subject.namespace, subject.name)) >= _NODE_LABEL_LIMIT]
    if long:
        keys = ", ".join(f"{LABEL_PREFIX}{kind}<uid>" for kind in long)
        yield Hit(
            ("metadata", "name"),
            f"namespace and name are so long that nodes are labelled {keys}.",
            "Take label keys from datafluid.placement.labels(…, uid=…), or shorten the name.",
        )


@rule(
    "DF122",
    "A restore location spelled wrong",
    "error",
    kinds=_DATASET,
    source="golden/names.json, backup_paths",
    plane="kubernetes",
)
def restore_location(subject: Subject, scope: Scope) -> Hits:
    path = subject.at("spec", "dataRestoreLocation", "path")
    if isinstance(path, str) and not _RESTORE.fullmatch(path):
        yield Hit(
            ("spec", "dataRestoreLocation", "path"),
            f"{show_url(path)} is no place to restore from.",
            "Write local:///path (and nodeName) or pvc://<claim>/path.",
        )


@rule("DF121", "A dataset without a runtime", "info", kinds=_DATASET, source="Fluid: phase NotBound")
def no_runtime(subject: Subject, scope: Scope) -> Hits:
    if subject.name and not is_reference(subject) and not runtimes_of(subject, scope):
        yield Hit(
            (),
            f"no runtime called {show(subject.name)} is in the source.",
            "On a cluster it stays NotBound until there is one; on one machine it gets a default cache.",
        )
