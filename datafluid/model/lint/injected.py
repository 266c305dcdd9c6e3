"""Rules about what Fluid's webhook does to pods that reach it, beside what they asked for."""

from __future__ import annotations

from typing import Any

from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_list, as_map, as_text
from datafluid.model.podlabels import SERVERLESS, is_seen


@rule(
    "DF416", "A pod field that the webhook removes", "warning", source="golden/README.md point 14", plane="kubernetes"
)
def removed_field(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if not is_seen(template.labels):
            continue
        found: list[Path] = [("spec", field) for field in ("resources", "hostnameOverride") if template.spec.get(field)]
        volumes = enumerate(as_list(template.spec.get("volumes")))
        found += [("spec", "volumes", index, "image") for index, each in volumes if as_map(each).get("image")]
        for path in found:
            yield Hit(
                (*template.path, *path),
                "Fluid's webhook is older than this field and takes it away from the pod.",
                "Leave it out, or use datafluid.wrap, which needs no webhook.",
            )


@rule(
    "DF417",
    "An init container that reads through a sidecar",
    "warning",
    source="golden/README.md point 15",
    plane="kubernetes",
)
def early_reader(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if template.labels.get(SERVERLESS) != "true":
            continue
        names = {as_text(as_map(each).get("name")) for each in as_list(template.spec.get("volumes")) if _is_claim(each)}
        for index, container in enumerate(as_list(template.spec.get("initContainers"))):
            if any(
                as_text(as_map(each).get("name")) in names for each in as_list(as_map(container).get("volumeMounts"))
            ):
                yield Hit(
                    (*template.path, "spec", "initContainers", index),
                    "nobody waits for the mount of an init container's sidecar: it sees an empty directory at first.",
                    "Wait in its command until the files are there, or read in a container.",
                )


def _is_claim(volume: Any) -> bool:
    return bool(as_map(volume).get("persistentVolumeClaim"))
