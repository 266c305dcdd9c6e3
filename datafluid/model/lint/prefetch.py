"""Rules about the file prefetcher's annotations on pods."""

from __future__ import annotations

from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject
from datafluid.model.prefetch import PREFETCH, prefetch_problems


@rule("DF411", "A prefetch annotation that stops all injection", "error", source="golden/README.md point 1")
def prefetch(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if template.annotations.get(f"{PREFETCH}inject") != "true":
            continue
        for name, problem, hint in prefetch_problems(template.annotations):
            yield Hit(
                (*template.path, "metadata", "annotations", f"{PREFETCH}{name}"),
                f"{problem}, so nothing at all is injected into the pod.",
                hint,
            )
