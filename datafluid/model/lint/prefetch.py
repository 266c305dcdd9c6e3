"""Rules about the file prefetcher's annotations on pods."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_text, show

_PREFETCH = "file-prefetcher.fluid.io/"
_GO_TRUE_OR_FALSE = {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"}


@rule("DF411", "A prefetch annotation that stops all injection", "error", source="golden/README.md point 1")
def prefetch(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        if template.annotations.get(f"{_PREFETCH}inject") != "true":
            continue
        for name, problem, hint in _prefetch_problems(template.annotations):
            yield Hit(
                (*template.path, "metadata", "annotations", f"{_PREFETCH}{name}"),
                f"{problem}, so nothing at all is injected into the pod.",
                hint,
            )


def _prefetch_problems(annotations: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    timeout = annotations.get(f"{_PREFETCH}prefetch-timeout-seconds")
    if timeout is not None and not re.fullmatch(r"[+-]?\d{1,18}", as_text(timeout), re.ASCII):
        yield (
            "prefetch-timeout-seconds",
            f"{show(timeout)} is no number of seconds",
            'Write seconds, such as "600".',
        )
    waiting = annotations.get(f"{_PREFETCH}async-prefetch")
    if waiting is not None and as_text(waiting) not in _GO_TRUE_OR_FALSE:
        yield "async-prefetch", f"{show(waiting)} is neither true nor false", 'Write "true" or "false".'
    extra = annotations.get(f"{_PREFETCH}extra-envs")
    if extra is not None and not all(part.count("=") == 1 for part in as_text(extra).split(" ")):
        yield (
            "extra-envs",
            "the list is not NAME=value with one blank between",
            "Write A=1 B=2; no = in a value.",
        )
