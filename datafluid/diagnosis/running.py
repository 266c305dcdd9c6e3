"""What keeps the pods of a dataset from running once they have a node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.diagnosis.cause import Found, command, quoted, rule
from datafluid.diagnosis.picture import POD, Picture
from datafluid.model.lint.around_objects import named_secrets
from datafluid.model.lint.subject import Subject, as_list, as_map, as_text, show

_PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_NO_SECRET = re.compile(r'secret "(?P<name>[^"]+)" not found', re.IGNORECASE)


@rule("image-pull", "An image that cannot be pulled")
def image_pull(picture: Picture) -> Iterator[Found]:
    for pod in picture.pods:
        for container, waiting in _waiting(pod):
            if waiting.get("reason") in _PULL:
                told = f"{waiting.get('reason')}: {as_text(waiting.get('message'))}"
                seen = [f"Pod {pod.name}, container {container.get('name')}: {told}"]
                image = show(as_text(container.get("image")))
                summary = f"The image {image} of the {picture.component_of(pod)} cannot be pulled."
                yield Found(summary, [*seen, *picture.said(pod, reason="Failed")], command("describe", pod))
                return


@rule("secret-missing", "A Secret that is not there")
def secret_missing(picture: Picture) -> Iterator[Found]:
    missing: dict[str, str] = {}
    for pod in picture.pods:
        texts = [as_text(waiting.get("message")) for _, waiting in _waiting(pod)]
        texts += [each.event.message for each in picture.told(POD, name=pod.name, warning=True)]
        for found in filter(None, (_NO_SECRET.search(text) for text in texts)):
            missing.setdefault(found["name"], f"Pod {pod.name}: {found[0]}")
    if picture.secrets is not None and picture.dataset is not None:
        for name in sorted({name for _, name in named_secrets(picture.dataset)}):
            if f"{picture.namespace}/{name}" in picture.secrets:
                continue
            missing.setdefault(name, f"encryptOptions name it; namespace {picture.namespace} has no such Secret")
    for name, seen in missing.items():
        make = quoted("kubectl", "create", "secret", "generic", name, "-n", picture.namespace)
        yield Found(f"The Secret {show(name)} is not there.", [seen], f"{make} --from-literal=KEY=VALUE")


@rule("fuse-killed", "A FUSE without memory")
def fuse_killed(picture: Picture) -> Iterator[Found]:
    yield from _killed(picture, "FUSE", "Every pod that mounts the dataset there lost its files.")


@rule("worker-killed", "A worker without memory")
def worker_killed(picture: Picture) -> Iterator[Found]:
    yield from _killed(picture, "worker", "What it cached in memory is gone.")


@rule("master-killed", "A master without memory")
def master_killed(picture: Picture) -> Iterator[Found]:
    yield from _killed(picture, "master", "Nothing is read until it is back.")


def _killed(picture: Picture, part: str, consequence: str) -> Iterator[Found]:
    for pod in picture.pods:
        for container, ended in _ended(pod):
            if picture.component_of(pod) == part and ended.get("reason") == "OOMKilled":
                name = as_text(container.get("name"))
                seen = [f"Pod {pod.name}, container {name}: OOMKilled, {container.get('restartCount', 0)} restarts"]
                seen += [f"its memory limit: {_memory_limit(pod, name)}", f"on node {pod.at('spec', 'nodeName')}"]
                summary = (
                    f"The {part} ran out of memory and was killed. {consequence} Raise spec.{part.lower()}.resources."
                )
                edit = command("edit", picture.runtimes[0]) if picture.runtimes else command("describe", pod)
                yield Found(summary, seen, edit)
                return


@rule("evicted", "An evicted pod")
def evicted(picture: Picture) -> Iterator[Found]:
    for pod in picture.pods:
        if pod.at("status", "reason") == "Evicted":
            priority = as_text(pod.at("spec", "priorityClassName"))
            seen = [f"Pod {pod.name} on {pod.at('spec', 'nodeName')}: {as_text(pod.at('status', 'message'))}"]
            seen.append(f"its priority class: {priority or 'none'}")
            advice = "" if priority else " Give it requests, and Fluid's controllers CRITICAL_FUSE_POD=true."
            summary = f"The {picture.component_of(pod)} was evicted from its node.{advice}"
            yield Found(summary, seen, command("describe", pod))
            return


@rule("crash-looping", "A pod that ends again and again")
def crash_looping(picture: Picture) -> Iterator[Found]:
    for pod in picture.pods:
        last = {as_text(container.get("name")): ended for container, ended in _ended(pod)}
        for container, waiting in _waiting(pod):
            name = as_text(container.get("name"))
            ended = last.get(name, {})
            if waiting.get("reason") != "CrashLoopBackOff" or ended.get("reason") == "OOMKilled":
                continue
            told = f"exit code {ended.get('exitCode')}: {as_text(ended.get('message')) or ended.get('reason')}"
            why = told if ended else as_text(waiting.get("message"))
            seen = [f"Pod {pod.name}, container {name}: {why}, {container.get('restartCount', 0)} restarts"]
            logs = quoted("kubectl", "logs", pod.name, "-n", pod.namespace, "-c", name, "--previous")
            yield Found(f"The {picture.component_of(pod)} ends again and again.", seen, logs)
            return


def _waiting(pod: Subject) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for container in _containers(pod):
        if waiting := as_map(as_map(container.get("state")).get("waiting")):
            yield container, waiting


def _ended(pod: Subject) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for container in _containers(pod):
        for state in ("state", "lastState"):
            if ended := as_map(as_map(container.get(state)).get("terminated")):
                yield container, ended


def _containers(pod: Subject) -> list[Mapping[str, Any]]:
    fields = ("initContainerStatuses", "containerStatuses")
    return [as_map(each) for field in fields for each in as_list(pod.at("status", field))]


def _memory_limit(pod: Subject, name: str) -> str:
    declared = (as_map(each) for each in as_list(pod.at("spec", "containers")))
    found = next((each for each in declared if each.get("name") == name), {})
    return str(as_map(as_map(found.get("resources")).get("limits")).get("memory") or "none")
