"""Rules about autoscalers of runtimes."""

from __future__ import annotations

from datafluid.model.kinds import GROUP, KINDS
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_text

_TARGET = ("spec", "scaleTargetRef", "kind")


@rule("DF418", "An autoscaler of a runtime", "warning", source="transcripts/README.md point 18", plane="kubernetes")
def autoscaler(subject: Subject, scope: Scope) -> Hits:
    kind = KINDS.get(as_text(subject.at(*_TARGET)))
    ours = as_text(subject.at("spec", "scaleTargetRef", "apiVersion")).startswith(GROUP)
    if subject.kind != "HorizontalPodAutoscaler" or kind is None or not ours:
        return
    if not kind.scalable:
        yield Hit(_TARGET, f"a {kind.kind} cannot be scaled.", "Take the autoscaler away.")
    elif not kind.selectable:
        yield Hit(_TARGET, f"a {kind.kind} names no pods to measure.", "Scale it with `datafluid scale`.")
    else:
        yield Hit(
            _TARGET,
            f"a {kind.kind} often has no status.selector, and the autoscaler then measures nothing.",
            "Look at status.selector before you rely on it, or scale with `datafluid scale`.",
        )
