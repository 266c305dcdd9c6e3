"""Rules about what the cluster has to have: kinds, namespaces, profiles, Fluid's webhook and CSI driver."""

from __future__ import annotations

from datafluid.model.lint.facts import FLUID_KINDS, RUNTIMES, closest
from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_text, show
from datafluid.model.podlabels import INJECT, SERVERLESS

_WEBHOOK = "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration"
_DRIVER = "storage.k8s.io/v1/CSIDriver"


@rule(
    "DF501",
    "A kind that the cluster does not have",
    "error",
    kinds=FLUID_KINDS,
    source="discovery; kinds come and go with Fluid's versions",
    plane="kubernetes",
)
def not_served(subject: Subject, scope: Scope) -> Hits:
    served = scope.around.served if scope.around else frozenset()
    if not served or subject.kind in served:
        return
    if "Dataset" in served:
        hint = f"It has {', '.join(sorted(served.intersection(FLUID_KINDS)))}; another version of Fluid may have more."
        yield Hit(("kind",), f"Fluid in this cluster has no {subject.kind}.", hint)
    else:
        yield Hit(("kind",), "Fluid is not installed in this cluster.", "Install Fluid, or use another context.")


@rule("DF502", "A namespace that is not there", "error", source="Kubernetes API", plane="kubernetes")
def no_namespace(subject: Subject, scope: Scope) -> Hits:
    around, namespace = scope.around, scope.home(subject)
    if (
        around is None
        or not namespace
        or f"Namespace {namespace}" in around.unknown
        or "v1/Namespace" not in around.served
    ):
        return
    found = around.one("v1/Namespace", namespace)
    path = ("metadata", "namespace")
    first = next(each for each in scope.subjects if scope.home(each) == namespace)
    if found is None and subject is first and not scope.named(["Namespace"], "", namespace):
        yield Hit(
            path,
            f"the cluster has no namespace {show(namespace)}.",
            f"Run: kubectl create namespace {show(namespace)}.",
        )
    elif found is not None and found.at("metadata", "deletionTimestamp"):
        yield Hit(
            path, f"the namespace {show(namespace)} is being deleted.", "Wait until it is gone, and make it anew."
        )


@rule(
    "DF503",
    "A profile or class that is not there",
    "error",
    kinds=("ThinRuntime", "CacheRuntime"),
    source="Fluid: as its controllers were seen to behave",
    plane="kubernetes",
)
def no_profile(subject: Subject, scope: Scope) -> Hits:
    field, kind = {
        "ThinRuntime": ("profileName", "ThinRuntimeProfile"),
        "CacheRuntime": ("runtimeClassName", "CacheRuntimeClass"),
    }[subject.kind]
    name = as_text(subject.spec.get(field))
    if scope.around is None or not name or not scope.around.knows(kind) or scope.there([kind], "", name):
        return
    names = [each.name for each in [*scope.around.of(kind), *scope.of_kind(kind)]]
    meant = closest(name, names)
    hint = f"Did you mean {show(meant)}?" if meant else f"Apply the {kind} first."
    yield Hit(("spec", field), f"there is no {kind} {show(name)}, and the runtime is never set up.", hint)


@rule(
    "DF504",
    "An object that is being deleted",
    "warning",
    kinds=FLUID_KINDS,
    source="Kubernetes: an apply to a terminating object vanishes",
    plane="kubernetes",
)
def terminating(subject: Subject, scope: Scope) -> Hits:
    found = scope.around.one(subject.kind, subject.name, scope.home(subject) or None) if scope.around else None
    if found is not None and found.at("metadata", "deletionTimestamp"):
        hint = f"Wait; `datafluid diagnose {subject.kind.lower()} {show(subject.name)}` says who holds it."
        if subject.kind not in ("Dataset", *RUNTIMES):
            hint = "Wait until it is gone."
        yield Hit(("metadata", "name"), f"the {subject.kind} of this name is being deleted.", hint)


@rule("DF505", "Labels for a webhook that is not installed", "warning", source="Fluid: webhook", plane="kubernetes")
def no_webhook(subject: Subject, scope: Scope) -> Hits:
    around = scope.around
    if around is None or _WEBHOOK not in around.served or around.of(_WEBHOOK) or _refused(scope, _WEBHOOK):
        return
    for template in templates(subject):
        for label in INJECT:
            if template.labels.get(label) == "true":
                yield Hit(
                    template.at_label(label),
                    "the cluster has no webhook of Fluid, so nothing looks at this label.",
                    "Install Fluid's webhook, or use datafluid.wrap, which needs none.",
                )


@rule("DF506", "Datasets mounted without Fluid's CSI driver", "warning", source="Fluid: csi", plane="kubernetes")
def no_driver(subject: Subject, scope: Scope) -> Hits:
    around = scope.around
    if around is None or _DRIVER not in around.served or around.of(_DRIVER) or _refused(scope, _DRIVER):
        return
    for template in templates(subject):
        mounted = [claim for claim in template.claims if scope.dataset(scope.home(subject), claim)]
        if mounted and template.labels.get(SERVERLESS) != "true":
            yield Hit(
                (*template.path, "spec", "volumes"),
                f"the cluster has no CSI driver fuse.csi.fluid.io, so {show(mounted[0])} cannot be mounted.",
                f"Install Fluid's CSI plugin, or use the label {SERVERLESS}.",
            )


def _refused(scope: Scope, kind: str) -> bool:
    bare = kind.rpartition("/")[2]
    return scope.around is not None and any(what.startswith(f"{bare} ") for what in scope.around.unknown)
