"""Rules about runtimes, and about what ties them to their datasets."""

from __future__ import annotations

from datafluid.model.lint.facts import RUNTIMES, closest, is_reference
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_map, as_text, show

_RUNTIMES = tuple(RUNTIMES)
_COMPONENTS = ("master", "worker", "jobMaster", "jobWorker", "apiGateway", "fuse", "client")
_CLEAN_POLICIES = ["OnDemand", "OnRuntimeDeleted"]
_ZONE_KEYS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")
_SCRAPE_TARGETS = ("MountPod", "Sidecar", "All", "None")


@rule(
    "DF202",
    "A runtime named unlike its dataset",
    "warning",
    kinds=_RUNTIMES,
    source="Fluid: same name and namespace",
)
def no_dataset(subject: Subject, scope: Scope) -> Hits:
    datasets = scope.of_kind("Dataset")
    if scope.dataset(subject.namespace, subject.name) is not None:
        return
    lonely = [each for each in datasets if not scope.named(RUNTIMES, each.namespace, each.name)]
    if lonely:
        other = lonely[0]
        place = f" in namespace {show(other.namespace)}" if other.namespace else ""
        yield Hit(
            ("metadata", "name"),
            f"no dataset called {show(subject.name)} is in this namespace.",
            f"A runtime serves the dataset of its own name and namespace: call it {show(other.name)}{place}.",
        )


@rule(
    "DF203",
    "A second runtime for one dataset",
    "error",
    kinds=_RUNTIMES,
    source="Fluid: as its controllers were seen to behave",
)
def second_runtime(subject: Subject, scope: Scope) -> Hits:
    others = [each for each in scope.named(_RUNTIMES, subject.namespace, subject.name) if each.kind != subject.kind]
    earlier = [each for each in others if each.document < subject.document]
    if scope.around is not None:
        there = scope.around.of(*_RUNTIMES, namespace=scope.home(subject) or None)
        earlier += [each for each in there if each.name == subject.name and each.kind != subject.kind]
    if subject.name and earlier:
        yield Hit(
            ("kind",),
            f"the dataset {show(subject.name)} already has a {show(earlier[0].kind)}; both would write its status.",
            "Keep one runtime for each dataset; a second cache wants a second dataset.",
        )


@rule(
    "DF213",
    "An unknown clean policy",
    "error",
    kinds=_RUNTIMES,
    source="Fluid: cleanPolicy free string",
)
def clean_policy(subject: Subject, scope: Scope) -> Hits:
    known = _CLEAN_POLICIES + (["OnFuseChanged"] if subject.kind == "JuiceFSRuntime" else [])
    for part in ("fuse", "client"):
        policy = subject.at("spec", part, "cleanPolicy")
        if policy in (None, "", *known):
            continue
        meant = closest(as_text(policy), known)
        hint = f"Write {meant}." if meant else f"Use one of {', '.join(known)}."
        yield Hit(("spec", part, "cleanPolicy"), f"{show(policy)} is no clean policy of {subject.kind}.", hint)


@rule(
    "DF215",
    "A ThinRuntime without a profile",
    "warning",
    kinds=("ThinRuntime",),
    source="Fluid: profileName",
)
def no_profile(subject: Subject, scope: Scope) -> Hits:
    dataset = scope.dataset(subject.namespace, subject.name)
    if subject.spec.get("profileName") or subject.at("spec", "fuse", "image") or dataset is None:
        return
    if not is_reference(dataset):
        yield Hit(
            ("spec",),
            "a ThinRuntime without profileName serves reference datasets only, and this one mounts a store.",
            "Set profileName to a ThinRuntimeProfile, or mount dataset://<namespace>/<name>.",
        )


@rule(
    "DF216",
    "A FUSE bound to a zone",
    "warning",
    kinds=_RUNTIMES,
    source="golden/README.md point 4",
    plane="kubernetes",
)
def fuse_zone(subject: Subject, scope: Scope) -> Hits:
    for key in as_map(subject.at("spec", "fuse", "nodeSelector")):
        if key in _ZONE_KEYS:
            yield Hit(
                ("spec", "fuse", "nodeSelector", key),
                "a zone or region here switches cache locality off for every pod of the dataset.",
                "Constrain the dataset with spec.nodeAffinity instead.",
            )


@rule(
    "DF217",
    "Several workers on one machine",
    "info",
    kinds=_RUNTIMES,
    source="issue 3, what one machine cannot mean",
    plane="embedded",
)
def replicas(subject: Subject, scope: Scope) -> Hits:
    for path in (("spec", "replicas"), ("spec", "worker", "replicas"), ("spec", "master", "replicas")):
        count = subject.at(*path)
        if isinstance(count, int) and count > 1:
            yield Hit(
                path,
                f"one machine has one of them, not {show(count)}.",
                "Nothing to do; it counts on a cluster.",
            )


@rule(
    "DF218",
    "Network modes on one machine",
    "info",
    kinds=_RUNTIMES,
    source="issue 3, what one machine cannot mean",
    plane="embedded",
)
def network_mode(subject: Subject, scope: Scope) -> Hits:
    paths = [("spec", "networkmode"), *(("spec", part, "networkMode") for part in _COMPONENTS)]
    for path in paths:
        if subject.at(*path) in ("HostNetwork", "ContainerNetwork"):
            yield Hit(path, "one machine has one network.", "Nothing to do; it counts on a cluster.")


@rule(
    "DF219",
    "A scrape target that denies every pod",
    "error",
    kinds=("JindoRuntime",),
    source="golden/README.md point 16",
    plane="kubernetes",
)
def scrape_target(subject: Subject, scope: Scope) -> Hits:
    target = subject.at("spec", "fuse", "metrics", "scrapeTarget")
    words = as_text(target).split(",")
    if target not in (None, "") and not all(word in _SCRAPE_TARGETS for word in words):
        yield Hit(
            ("spec", "fuse", "metrics", "scrapeTarget"),
            f"{show(target)} makes the webhook deny every pod of the dataset.",
            "Use MountPod or Sidecar.",
        )
