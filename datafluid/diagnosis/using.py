"""Why pods that use a dataset are refused, not injected, or slow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from datafluid.diagnosis.cause import Found, command, quoted, rule
from datafluid.diagnosis.picture import NODE, WEBHOOK, Picture, condition, labels_of, line, phase_of
from datafluid.model.lint import Finding, lint
from datafluid.model.lint.facts import mount_points
from datafluid.model.lint.subject import Subject, as_list, as_map, as_text, show
from datafluid.model.podlabels import DONE, ENABLED, INJECT, SERVERLESS
from datafluid.model.quantity import format_size, parse_percent
from datafluid.model.relations import reference_target
from datafluid.model.status import DatasetStatus
from datafluid.placement.labels import labels

_DENIED = re.compile(r'admission webhook "[^"]*fluid\.io" denied the request: (?P<why>.*)', re.DOTALL)
_DOWN = re.compile(r'failed calling webhook "[^"]*fluid\.io"')
_IN_USE = "fluid.io/datasets-in-use"
_SWITCHED_OFF = {"DF404", "DF411", "DF414", "DF216"}
_REQUIRED = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
_LOW = Fraction(1, 2)  # reads that the cache should answer, at the least


@rule("webhook-denied", "Pods that Fluid's webhook refuses")
def webhook_denied(picture: Picture) -> Iterator[Found]:
    for told in reversed(picture.happenings):
        denied = _DENIED.search(told.event.message)
        if told.event.reason == "FailedCreate" and denied and _concerns(picture, denied["why"]):
            seen = [line(told)]
            past = "not bound" in denied["why"] and picture.phase == "Bound"
            if "not bound" in denied["why"]:
                why = "the dataset was not Bound" if past else "the dataset is not Bound"
            elif "failed to get the following PVCs" in denied["why"]:
                why = "the claim of the dataset is not there"
            else:
                why = " ".join(denied["why"].split())[:160]
            summary = f"Fluid's webhook refuses the pods of {told.subject.bare_kind} {show(told.subject.name)}: {why}."
            look = quoted("datafluid", "get", "dataset", picture.ref.name, "-n", picture.namespace)
            yield Found(summary, seen, look, certain=not past)
            return


def _concerns(picture: Picture, why: str) -> bool:
    full = f"{picture.namespace}/{picture.ref.name}"
    lists = " ".join(re.findall(r"\[([^\]]*)\]", why)).replace(",", " ").split()
    return f'"{full}"' in why or picture.ref.name in lists


@rule("webhook-down", "A webhook that does not answer")
def webhook_down(picture: Picture) -> Iterator[Found]:
    told = [each for each in picture.happenings if _DOWN.search(each.event.message)]
    if told:
        seen = [line(told[-1])]
        summary = "Fluid's webhook does not answer, so labelled pods cannot be created in any namespace."
        yield Found(summary, seen, "kubectl get pods -n fluid-system -l control-plane=fluid-webhook")


@rule("webhook-missing", "A webhook that is not installed")
def webhook_missing(picture: Picture) -> Iterator[Found]:
    known = picture.cluster and WEBHOOK in picture.objects
    asking = [pod for pod in picture.users if _asks(pod)]
    if known and not picture.of(WEBHOOK) and asking:
        seen = [f'Pod {pod.name} carries {_asks(pod)}: "true"' for pod in asking]
        seen.append("there is no MutatingWebhookConfiguration fluid-pod-admission-webhook")
        summary = "Pods ask for injection, and no webhook of Fluid is installed."
        yield Found(summary, seen, "kubectl get mutatingwebhookconfigurations")


@rule("not-injected", "Pods that were let through untouched")
def not_injected(picture: Picture) -> Iterator[Found]:
    for pod in picture.users:
        if not _asks(pod) or _touched(pod) or labels_of(pod).get(ENABLED) == "false":
            continue
        findings = _findings(picture, pod)
        seen = [f'Pod {pod.name} carries {_asks(pod)}: "true", and nothing of Fluid was put into it']
        seen += [f"{each.code} {each.path}: {each.message}" for each in findings]
        why = findings[0].message if findings else "the webhook swallowed an error; its log has it."
        summary = f"Pod {show(pod.name)} passed the webhook without injection: {why}"
        log = "kubectl logs -n fluid-system -l control-plane=fluid-webhook --tail=100"
        yield Found(summary, seen, command("get", pod, "-o", "yaml") if findings else log, certain=bool(findings))
        return


def _asks(pod: Subject) -> str:
    """The label by which a pod asks for injection; empty when it does not."""
    found = labels_of(pod)
    if found.get(ENABLED) == "false":
        return ""
    return next((label for label in INJECT if found.get(label) == "true"), "")


def _touched(pod: Subject) -> bool:
    annotations, found = as_map(pod.at("metadata", "annotations")), labels_of(pod)
    return _IN_USE in annotations or found.get(DONE) == "true"


def _findings(picture: Picture, pod: Subject) -> list[Finding]:
    """What lint says of a pod that explains why nothing was injected."""
    around = [each.data for each in (picture.dataset, *picture.runtimes) if each is not None]
    return [each for each in lint([pod.data, *around], plane="kubernetes") if each.code in _SWITCHED_OFF]


@rule("required-nowhere", "A required dataset that no node has")
def required_nowhere(picture: Picture) -> Iterator[Found]:
    key, nodes = _key(picture), picture.of(NODE)
    if not nodes or any(labels_of(each).get(key) == "true" for each in nodes):
        return
    for pod in picture.users:
        if key in _required_keys(pod) and phase_of(pod) == "Pending":
            why = "it is a reference dataset" if picture.is_reference else "it has no workers yet"
            seen = [f"Pod {pod.name} requires the label {key}", f"none of {len(nodes)} nodes has it: {why}"]
            summary = f"Pod {show(pod.name)} stays Pending: it may run only where the dataset is cached: nowhere."
            yield Found(summary, seen, quoted("kubectl", "get", "nodes", "-L", key))
            return


@rule("required-full", "A required dataset whose nodes take no pods")
def required_full(picture: Picture) -> Iterator[Found]:
    key, near = _key(picture), _near(picture)
    for pod in picture.users:
        told = condition(pod, "PodScheduled")
        if near and key in _required_keys(pod) and told.get("reason") == "Unschedulable":
            closed = [each.name for each in picture.of(NODE) if each.name in near and each.spec.get("unschedulable")]
            seen = [f"Pod {pod.name}: {as_text(told.get('message'))}", f"cached on {', '.join(sorted(near))}"]
            seen += [f"node {name} is cordoned" for name in closed]
            summary = f"Pod {show(pod.name)} stays Pending: it may run only where the dataset is cached: full."
            yield Found(summary, seen, quoted("kubectl", "describe", "node", *sorted(near)[:3]))
            return


def _required_keys(pod: Subject) -> set[str]:
    """The labels that a pod requires of its node."""
    return {
        as_text(as_map(each).get("key"))
        for term in as_list(pod.at(*_REQUIRED, "nodeSelectorTerms"))
        for each in as_list(as_map(term).get("matchExpressions"))
    }


def _near(picture: Picture) -> set[str]:
    """The nodes that hold the dataset's cache: of a reference, that of the dataset it refers to."""
    key = _cache_key(picture)
    return {each.name for each in picture.of(NODE) if labels_of(each).get(key) == "true"}


@rule("cache-too-small", "A cache smaller than its dataset")
def cache_too_small(picture: Picture) -> Iterator[Found]:
    status = _status(picture)
    if status and status.total and status.capacity is not None and status.capacity < status.total:
        seen = [f"cacheCapacity {format_size(status.capacity)}, ufsTotal {format_size(status.total)}"]
        summary = "The cache is smaller than the dataset: it cannot become 100 % cached."
        scale = command("scale", picture.runtimes[0], "--replicas=N") if picture.runtimes else ""
        yield Found(summary, seen, scale)


@rule("low-hits-placement", "Reads that miss the cache because of where pods run")
def low_hits_placement(picture: Picture) -> Iterator[Found]:
    hits, local = _ratio(picture, "cacheHitRatio"), _ratio(picture, "localHitRatio")
    if not _low(local if local is not None else hits) or not picture.of(NODE) or not picture.users:
        return
    near = _near(picture)
    far = [pod for pod in picture.users if as_text(pod.at("spec", "nodeName")) not in ("", *near)]
    if far:
        seen = [f"cacheHitRatio {_shown(hits)}, localHitRatio {_shown(local)}"]
        seen.append(f"cached on {', '.join(sorted(near)) or 'no node'}")
        seen += [f"Pod {pod.name} runs on {pod.at('spec', 'nodeName')}, {_unasked(pod)}" for pod in far]
        summary = f"Pods run on nodes without cache and read over the network: {len(far)} of {len(picture.users)}."
        use = f"{picture.namespace}/{picture.ref.name}"
        yield Found(summary, seen, f"datafluid wrap POD.yaml --use {quoted(use)}")


def _unasked(pod: Subject) -> str:
    if not _asks(pod):
        return "and carries no injection label"
    return "in serverless mode, which places nothing" if _asks(pod) == SERVERLESS else "though it asked for injection"


@rule("low-hits-cold", "Reads that miss the cache because little is in it")
def low_hits_cold(picture: Picture) -> Iterator[Found]:
    status, hits = _status(picture), _ratio(picture, "cacheHitRatio")
    if status and _low(hits) and status.fraction is not None and status.fraction < 1:
        seen = [f"cacheHitRatio {_shown(hits)}, cached {status.fraction:.1%}"]
        load = quoted("datafluid", "load", f"{picture.namespace}/{picture.ref.name}", "--wait")
        yield Found("Little of the dataset is cached, so most reads go to its store.", seen, load)


def _status(picture: Picture) -> DatasetStatus | None:
    return DatasetStatus.parse(picture.dataset.data) if picture.dataset and picture.phase == "Bound" else None


def _ratio(picture: Picture, name: str) -> float | None:
    if picture.dataset is None or picture.phase != "Bound":
        return None
    return parse_percent(as_text(picture.dataset.at("status", "cacheStates", name)))


def _low(ratio: float | None) -> bool:
    return ratio is not None and ratio < _LOW


def _shown(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{ratio:.1%}"


def _key(picture: Picture) -> str:
    """The label that Fluid's webhook asks nodes for; no node ever has that of a reference."""
    return _label_of(picture.dataset, picture.namespace, picture.ref.name)


def _cache_key(picture: Picture) -> str:
    targets = (reference_target(point) for point in (mount_points(picture.dataset) if picture.dataset else ()))
    for namespace, name, _ in filter(None, targets):
        return _label_of(picture.one("Dataset", name, namespace), namespace, name)
    return _key(picture)


def _label_of(dataset: Subject | None, namespace: str, name: str) -> str:
    uid = as_text(dataset.at("metadata", "uid")) if dataset else ""
    return labels(namespace, name, uid=uid or None).dataset
