"""Pods that were created on a real cluster of Fluid: the preview of each, from what was there at that moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from datafluid.workload.webhook import preview_webhook
from tests.shared import FLUID, needs_recordings

pytestmark = needs_recordings
_MADE_BY_KUBERNETES = "kube-api-access"
_PARTS = ("20", "21", "22", "24", "25", "26")  # one story in one namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A pod that somebody tried to create.

    Args:
        pod: As it was sent.
        objects: What was there.
        stored: As it was stored, or would have been; None when it was refused.
        refusal: What the server said.
    """

    pod: dict[str, Any]
    objects: tuple[dict[str, Any], ...]
    stored: dict[str, Any] | None
    refusal: str = ""


def _told(number: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    (path,) = (FLUID / "transcripts").glob(f"{number}-webhook-*.jsonl")
    head, *events = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return head, sorted(events, key=lambda event: event["t"])


def _created() -> Iterator[Created]:
    there: dict[tuple[str, ...], dict[str, Any]] = {}
    for number in _PARTS:
        head, events = _told(number)
        stored = {
            event["object"]["metadata"]["name"]: event["object"]
            for event in reversed(events)
            if (event["kind"], event["event"]) == ("Pod", "ADDED")
        }
        waiting = iter(events)
        event = next(waiting, None)
        for step in head["inputs"]:
            while event is not None and event["t"] <= step["t"]:
                _happen(there, event)
                event = next(waiting, None)
            if (step["action"], step.get("manifest", {}).get("kind")) == ("create", "Pod"):
                pod, response = step["manifest"], step["response"]
                kept = stored.get(pod["metadata"]["name"]) or response.get("object")
                refusal = json.dumps(response) if response["code"] >= 400 else ""
                yield Created(pod=pod, objects=tuple(there.values()), stored=None if refusal else kept, refusal=refusal)


def _happen(there: dict[tuple[str, ...], dict[str, Any]], event: dict[str, Any]) -> None:
    metadata = event["object"]["metadata"]
    key = event["kind"], metadata.get("namespace", ""), metadata["name"]
    if event["event"] == "DELETED":
        there.pop(key, None)
    else:
        there[key] = {"kind": event["kind"], **event["object"]}


CREATED = list(_created()) if FLUID.is_dir() else []


def _tidy(pod: dict[str, Any]) -> dict[str, Any]:
    """What the webhook has a say in; Kubernetes adds a volume, mounts and defaults of its own."""
    spec, metadata = pod["spec"], pod["metadata"]
    mounts = {
        (container["name"], mount["name"], mount["mountPath"], mount.get("mountPropagation"))
        for where in ("containers", "initContainers")
        for container in spec.get(where, ())
        for mount in container.get("volumeMounts", ())
        if not mount["name"].startswith(_MADE_BY_KUBERNETES)
    }
    volumes = [each for each in spec.get("volumes", ()) if not each["name"].startswith(_MADE_BY_KUBERNETES)]
    return {
        "containers": [[each["name"] for each in spec.get(where, ())] for where in ("containers", "initContainers")],
        "volumes": [(each["name"], each.get("persistentVolumeClaim", {}).get("claimName")) for each in volumes],
        "mounts": mounts,
        "affinity": spec.get("affinity"),
        "labels": metadata.get("labels") or {},
        "annotations": metadata.get("annotations") or {},
    }


@pytest.mark.parametrize("created", [pytest.param(each, id=each.pod["metadata"]["name"]) for each in CREATED])
def test_a_real_pod(created: Created) -> None:
    """Stored as previewed, or refused with the same words; a pod that the webhook does not see stays as it was."""
    answer = preview_webhook(created.pod, namespace="s20", objects=created.objects)
    if created.stored is None:
        assert answer.seen
        assert not answer.allowed
        assert json.dumps(answer.message)[1:-1] in created.refusal
    else:
        assert answer.allowed or not answer.seen
        previewed = answer.pod if answer.seen else created.pod
        assert previewed is not None
        assert _tidy(created.stored) == _tidy(previewed)


def test_the_story_is_whole() -> None:
    """Every pod of it is there, those that were refused too."""
    assert len(CREATED) == 32
    assert sum(each.stored is None for each in CREATED) == 4
