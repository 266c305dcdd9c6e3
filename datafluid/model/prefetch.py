"""The annotations of Fluid's file prefetcher, and what is wrong with them: one bad one stops all injection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.golang import parse_bool, parse_int32
from datafluid.model.plain import as_text, show

__all__ = ["PREFETCH", "prefetch_problems"]

#: What their names begin with.
PREFETCH = "file-prefetcher.fluid.io/"


def prefetch_problems(annotations: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each bad annotation: its name after the prefix, what is wrong as a clause, what to write.

    Example:
        >>> list(prefetch_problems({"file-prefetcher.fluid.io/prefetch-timeout-seconds": "10m"}))[0][1]
        "'10m' is no number of seconds"
    """
    timeout = annotations.get(f"{PREFETCH}prefetch-timeout-seconds")
    if timeout is not None and parse_int32(as_text(timeout))[1]:
        yield (
            "prefetch-timeout-seconds",
            f"{show(timeout)} is no number of seconds",
            'Write seconds, such as "600".',
        )
    waiting = annotations.get(f"{PREFETCH}async-prefetch")
    if waiting is not None and parse_bool(as_text(waiting)) is None:
        yield "async-prefetch", f"{show(waiting)} is neither true nor false", 'Write "true" or "false".'
    extra = annotations.get(f"{PREFETCH}extra-envs")
    if extra and not all(part.count("=") == 1 for part in as_text(extra).split(" ")):
        yield (
            "extra-envs",
            "the list is not NAME=value with one blank between",
            "Write A=1 B=2; no = in a value.",
        )
