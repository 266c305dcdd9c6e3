"""Rules about pods, and about everything that makes pods, that read datasets."""

from __future__ import annotations

from datafluid.model.lint.facts import closest, is_reference, labels_no_node, runtimes_of
from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_map, show
from datafluid.model.pinning import pinned
from datafluid.model.podlabels import INJECT, SERVERFUL, SERVERLESS, is_seen, sched_labels

_DEPRECATED = "fuse.sidecar.fluid.io/inject"
_LOCALITY = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region", "fluid.io/node")
_NO_SIDECAR = {"EFCRuntime", "CacheRuntime", "VineyardRuntime"}


@rule("DF401", "A scheduling label of unknown value", "warning", source="Fluid: value exactly required")
def sched_value(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        for label, (_, value) in template.sched.items():
            if value != "required":
                yield Hit(
                    template.at_label(label),
                    f"the value {show(value)} means nothing here.",
                    'Write "required", or take the label away to prefer nodes with cache.',
                )


@rule("DF402", "Two required datasets in one pod", "warning", source="Fluid", plane="kubernetes")
def required_is_or(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if len(template.required) > 1:
            yield Hit(
                (*template.path, "metadata", "labels"),
                "with several required datasets Fluid takes a node that has any one of them.",
                "Use datafluid.wrap(…, locality='require'), which asks for a node that has all.",
            )


@rule(
    "DF403",
    "A scheduling label without injection",
    "warning",
    source="Fluid",
    plane="kubernetes",
)
def sched_without_inject(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if is_seen(template.labels):
            continue
        for label in template.sched:
            yield Hit(
                template.at_label(label),
                "no webhook looks at this pod, so the label does nothing.",
                f'Add the label {SERVERFUL}: "true".',
            )


@rule("DF404", "A pinned zone beside a required dataset", "warning", source="Fluid", plane="kubernetes")
def locality_switched_off(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if not template.required:
            continue
        for path in pinned(template.spec, _LOCALITY):
            yield Hit(
                (*template.path, "spec", *path),
                "a zone or region pinned here switches Fluid's scheduling off, the required label included.",
                "Use datafluid.wrap, which merges both, or take the constraint away.",
            )


@rule("DF405", "A scheduling label for no volume", "warning", source="golden/README.md point 9")
def sched_without_volume(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        for label, (claim, _) in template.sched.items():
            if claim not in template.claims:
                meant = closest(claim, template.claims)
                hint = f"Did you mean {show(meant)}?" if meant else "Mount the claim, or take the label away."
                yield Hit(template.at_label(label), f"no volume of the pod uses the claim {show(claim)}.", hint)


@rule(
    "DF406",
    "A required dataset that labels no node",
    "error",
    source="Fluid: reference",
    plane="kubernetes",
)
def required_nowhere(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        for label, (claim, value) in template.sched.items():
            dataset = scope.dataset(subject.namespace, claim)
            why = labels_no_node(dataset, scope) if dataset and value == "required" else None
            if why and is_seen(template.labels):
                yield Hit(
                    template.at_label(label),
                    f"the pod stays Pending for ever: no node has the label of {show(claim)}, because {why}.",
                    "Use datafluid.wrap, which asks for the right label, or take this one away.",
                )


@rule("DF407", "An injection label of unknown value", "warning", source="Fluid", plane="kubernetes")
def inject_value(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        for label in INJECT:
            value = template.labels.get(label)
            if value not in (None, "true", "false"):
                yield Hit(
                    template.at_label(label),
                    f"the webhook does not see {show(value)}.",
                    'Write "true" in quotes.',
                )


@rule("DF408", "The old injection label", "warning", source="Fluid", plane="kubernetes")
def deprecated_label(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if _DEPRECATED in template.labels:
            yield Hit(
                template.at_label(_DEPRECATED),
                "Fluid no longer looks at this label.",
                f"Write {SERVERLESS} instead.",
            )


@rule("DF409", "Fluid's labels on the workload", "warning", source="Fluid: pod label", plane="kubernetes")
def label_on_workload(subject: Subject, scope: Scope) -> Hits:
    if subject.kind == "Pod" or not any(True for _ in templates(subject)):
        return
    for label in as_map(subject.at("metadata", "labels")):
        if label in INJECT or any(sched_labels({label: ""})):
            yield Hit(
                ("metadata", "labels", str(label)),
                "the webhook looks at pods, and a workload does not hand its own labels down.",
                "Move it to the labels of the pod template.",
            )


@rule(
    "DF410",
    "A required dataset in serverless mode",
    "warning",
    source="Fluid: as its controllers were seen to behave",
    plane="kubernetes",
)
def serverless_required(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if template.required and template.labels.get(SERVERLESS) == "true":
            label = next(key for key, (_, value) in template.sched.items() if value == "required")
            yield Hit(
                template.at_label(label),
                "serverless injection does not look at scheduling labels.",
                f"Use {SERVERFUL}, or datafluid.wrap(…, locality='require').",
            )


@rule("DF413", "A claim of another namespace", "warning", source="datafluid: PVCs are namespaced")
def claim_elsewhere(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        for claim in template.claims:
            if scope.dataset(subject.namespace, claim) is not None:
                continue
            others = [each for each in scope.of_kind("Dataset") if each.name == claim]
            if others:
                yield Hit(
                    (*template.path, "spec", "volumes"),
                    f"the dataset {show(claim)} and its claim are in namespace {show(others[0].namespace)}.",
                    f"Make a dataset here that mounts {show(f'dataset://{others[0].namespace}/{claim}')}.",
                )


@rule(
    "DF414",
    "A sidecar that cannot be injected",
    "warning",
    source="golden sidecar-runtime-05, -07",
    plane="kubernetes",
)
def sidecar_impossible(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if template.labels.get(SERVERLESS) != "true":
            continue
        for claim in template.claims:
            dataset = scope.dataset(subject.namespace, claim)
            kinds = {each.kind for each in runtimes_of(dataset, scope)} if dataset else set()
            if dataset and not is_reference(dataset) and kinds & _NO_SIDECAR:
                yield Hit(
                    template.at_label(SERVERLESS),
                    f"the runtime of {show(claim)} has no sidecar, and the pod passes unchanged.",
                    f"Use {SERVERFUL} on nodes with Fluid's CSI plugin.",
                )


@rule("DF415", "A pod that no webhook looks at", "info", source="Fluid: webhook", plane="kubernetes")
def no_inject_label(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        placed = "fluid.io/" in str(template.spec.get("affinity") or "") + str(template.spec.get("nodeSelector") or "")
        if placed or template.sched or any(label in template.labels for label in (*INJECT, _DEPRECATED)):
            continue
        datasets = [claim for claim in template.claims if scope.dataset(subject.namespace, claim) is not None]
        if datasets:
            yield Hit(
                (*template.path, "spec", "volumes"),
                f"the pod mounts {show(datasets[0])} and may be placed far from its cache.",
                f'Add the label {SERVERFUL}: "true", or use datafluid.wrap.',
            )
