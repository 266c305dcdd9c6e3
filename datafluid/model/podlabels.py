"""The labels by which a pod speaks to Fluid's webhook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.names import LABEL_PREFIX

__all__ = ["DONE", "ENABLED", "INJECT", "SERVERFUL", "SERVERLESS", "is_seen", "sched_labels"]

#: With one of these, value ``true``, the webhook sees a pod.
SERVERFUL, SERVERLESS = f"fuse.serverful.{LABEL_PREFIX}inject", f"serverless.{LABEL_PREFIX}inject"
INJECT = (SERVERFUL, SERVERLESS)
#: With ``false`` in the first, or ``true`` in the second, it does nothing.
ENABLED, DONE = f"{LABEL_PREFIX}enable-injection", f"done.sidecar.{LABEL_PREFIX}inject"
_SCHED = re.compile(r"fluid\.io/dataset\.([A-Za-z0-9.-]*)\.sched", re.ASCII)


def is_seen(labels: Mapping[Any, Any]) -> bool:
    """Whether Fluid's webhook is called for a pod with these labels.

    Example:
        >>> is_seen({"serverless.fluid.io/inject": "true"}), is_seen({"app": "a"})
        (True, False)
    """
    return any(labels.get(label) == "true" for label in INJECT)


def sched_labels(labels: Mapping[Any, Any]) -> Iterator[tuple[str, str, Any]]:
    """The labels ``fluid.io/dataset.<claim>.sched``: each with its claim and its value; ``required`` means something.

    Example:
        >>> list(sched_labels({"fluid.io/dataset.flights.sched": "required"}))
        [('fluid.io/dataset.flights.sched', 'flights', 'required')]
    """
    for key, value in labels.items():
        if matched := _SCHED.fullmatch(str(key)):
            yield str(key), matched[1], value
