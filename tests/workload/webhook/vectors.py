"""What Fluid's webhook was recorded to do, and how an answer of ours is compared with it."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from datafluid.workload.webhook import Preview, preview_webhook
from tests.shared import FLUID

__all__ = ["Vector", "recorded"]

_OBJECTS = ("datasets", "runtimes", "pvcs", "pvs", "daemonsets", "configmaps")
#: What stands in our answers for what Fluid draws at random.
_RANDOM = {"0000000000000000-00000000": "<RANDOM>", "fluid-000": "fluid-<RANDOM>"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One recorded call: what the handler was given and what it answered.

    Args:
        input: The pod and all that was around it.
        output: The answer.
    """

    input: dict[str, Any]
    output: dict[str, Any]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The manifests around the pod."""
        return [each for kind in _OBJECTS for each in self.input[kind]]

    def answer(self) -> Preview:
        """What we say to it."""
        profile = self.input["pluginsProfile"]
        return preview_webhook(
            self.input["pod"],
            namespace=self.input["namespace"],
            objects=self.objects,
            profile=None if profile == "default" else profile,
            env=self.input["env"],
        )

    def check(self) -> None:
        """Assert that we say the same, pods letter by letter but for what Fluid does in an order of its own."""
        answer, output = self.answer(), self.output
        assert (answer.allowed, answer.message) == (output["allowed"], output["message"])
        assert answer.ignored == output.get("swallowed_error", "")
        assert answer.seen == self.input["labels_match_webhook_selector"]
        if not self.input["configmaps"]:  # else they are there already, and only brought up to date
            assert list(answer.config_maps) == sorted((e["namespace"], e["name"]) for e in output["created_configmaps"])
        ours, theirs = _ordered(_named(answer.pod), output), _ordered(output["pod"], output)
        assert ours == theirs


def recorded() -> dict[str, Vector]:
    """The recorded calls, by their ids; empty when the recordings are not there."""
    path = FLUID / "golden" / "webhook.jsonl"
    if not path.is_file():
        return {}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["id"]: Vector(input=row["input"], output=row["output"]) for row in rows}


def _named(pod: dict[str, Any] | None) -> Any:
    text = json.dumps(pod)
    for ours, theirs in _RANDOM.items():
        text = text.replace(ours, theirs)
    return json.loads(text)


def _ordered(pod: Any, output: dict[str, Any]) -> Any:
    """The pod with Fluid's unordered lists sorted, and with one of the values where Fluid has several."""
    pod, loose = copy.deepcopy(pod), output.get("nondeterministic") or {}
    for path in loose.get("varying_values", ()):
        parent, last = _at(pod, path)
        observed = [_at(each, path) for each in (output["pod"], *output["alternatives"])]
        if parent[last] in [above[key] for above, key in observed]:
            parent[last] = "one of those observed"
    for path in loose.get("reordered_lists", ()):
        parent, last = _at(pod, path)
        parent[last].sort(key=lambda each: json.dumps(each, sort_keys=True))
    return pod


def _at(document: Any, pointer: str) -> tuple[Any, Any]:
    *above, last = (int(step) if step.isdigit() else step for step in pointer.split("/")[1:])
    for step in above:
        document = document[step]
    return document, last
