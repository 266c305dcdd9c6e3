"""Rules about who lets pods in and who lets them talk: Pod Security levels, network policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_list, as_map, as_text, show
from datafluid.model.parts import parts_of
from datafluid.model.podlabels import SERVERLESS

_LEVEL = "pod-security.kubernetes.io/enforce"
_STRICT = ("baseline", "restricted")
_POLICY = "networking.k8s.io/v1/NetworkPolicy"
_UNPRIVILEGED = "unprivileged.sidecar.fluid.io/inject"
_FUSE = tuple(kind for kind in RUNTIMES if kind != "CacheRuntime")  # a class decides what its client may


@rule(
    "DF530", "A Pod Security level that refuses the FUSE", "error", kinds=_FUSE, source="Kubernetes", plane="kubernetes"
)
def pod_security(subject: Subject, scope: Scope) -> Hits:
    level = _level(subject, scope)
    if level in _STRICT and any(part.name == "fuse" for part in parts_of(subject.data)):
        yield Hit(
            ("metadata", "namespace"),
            f"namespace {show(scope.home(subject))} enforces the Pod Security level {level}: the FUSE, which is "
            "privileged and mounts paths of the node, is refused.",
            "Put the dataset into a namespace of level privileged, and refer to it from here by dataset://.",
        )


@rule("DF531", "A Pod Security level that refuses the sidecar", "error", source="Kubernetes", plane="kubernetes")
def sidecar_security(subject: Subject, scope: Scope) -> Hits:
    level = _level(subject, scope)
    for template in templates(subject) if level in _STRICT else ():
        if template.labels.get(SERVERLESS) == "true" and template.labels.get(_UNPRIVILEGED) != "true":
            yield Hit(
                template.at_label(SERVERLESS),
                f"the sidecar that is put in is privileged, and the namespace enforces the level {level}.",
                f'Add the label {_UNPRIVILEGED}: "true", or use nodes with the CSI plugin.',
            )


def _level(subject: Subject, scope: Scope) -> str:
    if scope.around is None or not scope.home(subject):
        return ""
    namespace = scope.around.one("v1/Namespace", scope.home(subject))
    return as_text(as_map(namespace.at("metadata", "labels")).get(_LEVEL)) if namespace else ""


@rule(
    "DF532",
    "A NetworkPolicy between the parts",
    "warning",
    kinds=tuple(RUNTIMES),
    source="Kubernetes",
    plane="kubernetes",
)
def network_policy(subject: Subject, scope: Scope) -> Hits:
    if scope.around is None or not scope.home(subject):
        return
    policies = [each for each in scope.around.of(_POLICY, namespace=scope.home(subject)) if _is_ingress(each)]
    for part in parts_of(subject.data):
        labels = {"release": subject.name, "role": f"{RUNTIMES[subject.kind]}-{part.name}"}
        choosing = [each for each in policies if _selects(as_map(each.spec.get("podSelector")), labels)]
        if part.name == "fuse" or part.host_network or not choosing:
            continue
        if not any(_lets_in(each, {"release": subject.name}) for each in choosing):
            yield Hit(
                part.path,
                f"the NetworkPolicy {show(choosing[0].name)} lets nobody reach the {part.name}s in the pods' network.",
                f"Allow ingress from pods with the label release: {show(subject.name)}, and from the nodes.",
            )


def _is_ingress(policy: Subject) -> bool:
    return "Ingress" in (as_list(policy.spec.get("policyTypes")) or ["Ingress"])


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector can mean a pod of which some labels are known. Expressions on other labels are left out."""
    wanted = as_map(selector.get("matchLabels"))
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return not as_list(selector.get("matchExpressions"))


def _lets_in(policy: Subject, labels: Mapping[str, str]) -> bool:
    """Whether some rule lets pods of the same runtime in; ports are not looked at."""
    for each in as_list(policy.spec.get("ingress")):
        peers = as_list(as_map(each).get("from"))
        if not peers:
            return True
        for peer in map(as_map, peers):
            if "podSelector" in peer and _selects(as_map(peer["podSelector"]), labels):
                return True
            if "ipBlock" in peer:
                return True  # nobody here knows whose addresses they are
    return False
