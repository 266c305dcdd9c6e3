"""Rules about other objects in the cluster: claims, Secrets, references, datasets that take the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datafluid.model.lint.facts import RUNTIMES, mount_points, runtimes_of
from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_list, as_map, as_text, show
from datafluid.model.names import label_key
from datafluid.model.parts import parts_of
from datafluid.model.podlabels import is_seen
from datafluid.model.relations import reference_target

_PVC = "v1/PersistentVolumeClaim"


@rule("DF510", "A claim of the dataset's name", "error", kinds=("Dataset",), source="Fluid: PVC", plane="kubernetes")
def claim_taken(subject: Subject, scope: Scope) -> Hits:
    claim = scope.around.one(_PVC, subject.name, scope.home(subject) or None) if scope.around else None
    if claim is None or not scope.home(subject) or _is_fluids(claim):
        return
    yield Hit(
        ("metadata", "name"),
        f"the namespace has a claim {show(subject.name)} that is not Fluid's, and Fluid makes one of that name.",
        "Give the dataset another name, or remove the claim.",
    )


def _is_fluids(claim: Subject) -> bool:
    labels = as_map(claim.at("metadata", "labels"))
    return claim.at("metadata", "annotations", "CreatedBy") == "fluid" or any(
        str(key).startswith("fluid.io/") for key in labels
    )


@rule(
    "DF511",
    "A Secret that is not there",
    "warning",
    kinds=("Dataset", "DataMigrate", "JindoRuntime"),
    source="names only: values are never read",
    plane="kubernetes",
)
def no_secret(subject: Subject, scope: Scope) -> Hits:
    known = scope.around.secrets if scope.around else None
    if known is None or not scope.home(subject):
        return
    for path, name in named_secrets(subject):
        if f"{scope.home(subject)}/{name}" not in known and not scope.named(["Secret"], scope.home(subject), name):
            yield Hit(
                path,
                f"namespace {show(scope.home(subject))} has no Secret {show(name)}; pods wait for it and say little.",
                f"Make it first: kubectl create secret generic {show(name)} -n {show(scope.home(subject))}.",
            )


def named_secrets(subject: Subject) -> Iterator[tuple[Path, str]]:
    """The Secrets that an object names, and where."""
    places: list[tuple[Path, Any]] = [(("spec", "sharedEncryptOptions"), subject.spec.get("sharedEncryptOptions"))]
    places += [
        ((*path, "encryptOptions"), mount.get("encryptOptions")) for path, mount in subject.maps("spec", "mounts")
    ]
    for side in ("from", "to"):
        below = ("spec", side, "externalStorage", "encryptOptions")
        places.append((below, subject.at(*below)))
    for place, options in places:
        for index, option in enumerate(as_list(options)):
            key = as_map(as_map(as_map(option).get("valueFrom")).get("secretKeyRef"))
            if name := as_text(key.get("name")):
                yield (*place, index, "valueFrom", "secretKeyRef", "name"), name
    alone: list[Path] = [("spec", "secret"), ("spec", "parallelOptions", "sshSecretName")]
    for place in alone:
        if name := as_text(subject.at(*place)):
            yield place, name


@rule(
    "DF512",
    "A reference to a dataset that is not bound",
    "warning",
    kinds=("Dataset",),
    source="Fluid: reference datasets",
    plane="kubernetes",
)
def unbound_reference(subject: Subject, scope: Scope) -> Hits:
    if scope.around is None or not scope.around.knows("Dataset"):
        return
    for index, point in enumerate(mount_points(subject)):
        target = reference_target(point)
        if target is None or not target[1] or scope.named(["Dataset"], target[0], target[1]):
            continue
        found = scope.around.one("Dataset", target[1], target[0])
        phase = as_text(found.at("status", "phase")) if found else ""
        if phase != "Bound":
            state = f"is {show(phase or 'not bound yet')}" if found else "is not there"
            yield Hit(
                ("spec", "mounts", index, "mountPoint"),
                f"the dataset {show(f'{target[0]}/{target[1]}')} {state}; this one stays NotBound until it is.",
                "Apply that dataset and its runtime first, and wait until it is Bound.",
            )


@rule(
    "DF513",
    "Nodes that other datasets take",
    "warning",
    kinds=("Dataset",),
    source="Fluid: placement",
    plane="kubernetes",
)
def nodes_taken(subject: Subject, scope: Scope) -> Hits:
    around = scope.around
    if around is None or not scope.home(subject) or not around.knows("v1/Node", "Dataset"):
        return
    wanted = max((_workers(runtime) for runtime in runtimes_of(subject, scope)), default=0)
    others = [each for each in around.of("Dataset", namespace=scope.home(subject)) if each.name != subject.name]
    if not _is_exclusive(subject):
        others = [each for each in others if _is_exclusive(each)]
    taken = {label_key("s-", each.namespace, each.name, uid=_uid(each)): each.name for each in others}
    ready = [each for each in around.of("v1/Node") if not each.spec.get("unschedulable")]
    nodes = [as_map(each.at("metadata", "labels")) for each in ready]
    free = sum(not any(labels.get(key) == "true" for key in taken) for labels in nodes)
    if nodes and wanted > free and free < len(nodes):
        holders = sorted({name for labels in nodes for key, name in taken.items() if labels.get(key) == "true"})
        yield Hit(
            ("spec", "placement") if subject.spec.get("placement") else ("spec",),
            f"it wants {wanted} workers; free of {', '.join(map(show, holders[:3]))} are {free} of {len(nodes)} nodes.",
            "Set placement: Shared on all of them, or ask for fewer workers.",
        )


@rule(
    "DF516", "More workers than nodes", "warning", kinds=tuple(RUNTIMES), source="Fluid: one a node", plane="kubernetes"
)
def more_than_nodes(subject: Subject, scope: Scope) -> Hits:
    nodes = scope.around.of("v1/Node") if scope.around and scope.around.knows("v1/Node") else []
    able = [each for each in nodes if not each.spec.get("unschedulable")]
    wanted = _workers(subject)
    if able and wanted > len(able):
        yield Hit(
            ("spec", "replicas") if "replicas" in subject.spec else ("spec",),
            f"it wants {show(wanted)} workers, one on each node, and {len(able)} nodes take pods.",
            "The rest stays Pending: ask for fewer, or add nodes.",
        )


def _workers(runtime: Subject) -> int:
    return sum(part.replicas or 0 for part in parts_of(runtime.data) if part.name == "worker")


def _is_exclusive(dataset: Subject) -> bool:
    return dataset.spec.get("placement") != "Shared"


def _uid(subject: Subject) -> str | None:
    return as_text(subject.at("metadata", "uid")) or None


@rule("DF514", "A claim that is not there", "warning", source="Fluid: webhook, failed to get PVCs", plane="kubernetes")
def no_claim(subject: Subject, scope: Scope) -> Hits:
    around = scope.around
    if around is None or not scope.home(subject) or not around.knows(_PVC, "Dataset"):
        return
    for template in templates(subject):
        asks = is_seen(template.labels)
        for claim in template.claims:
            made = scope.named(["PersistentVolumeClaim", "Dataset"], scope.home(subject), claim)
            if not made and around.one(_PVC, claim, scope.home(subject)) is None:
                dataset = around.one("Dataset", claim, scope.home(subject))
                what = "the webhook refuses the pod" if asks else "the pod stays Pending"
                why = "its dataset is not Bound" if dataset else "there is neither a claim nor a dataset of that name"
                yield Hit(
                    (*template.path, "spec", "volumes"),
                    f"{what} while {show(claim)} has no claim: {why}.",
                    "Wait until the dataset is Bound, or use `datafluid submit`, which does.",
                )


@rule(
    "DF515", "A runtime for no dataset", "warning", kinds=tuple(RUNTIMES), source="Fluid: same name", plane="kubernetes"
)
def no_dataset(subject: Subject, scope: Scope) -> Hits:
    around = scope.around
    if around is None or not around.knows("Dataset") or not scope.home(subject) or scope.of_kind("Dataset"):
        return
    if scope.dataset(scope.home(subject), subject.name) is None:
        yield Hit(
            ("metadata", "name"),
            f"the namespace has no dataset {show(subject.name)}, and a runtime serves that of its own name.",
            "Apply the dataset too.",
        )
