"""How a call of the webhook can end early."""

from __future__ import annotations

__all__ = ["Denied", "Swallowed", "missing"]


class Denied(Exception):
    """The webhook answers that the pod may not be created."""


class Swallowed(Exception):
    """The webhook only logs it and admits the pod as far as it has been changed."""


def missing(resource: str, name: str) -> str:
    """What Kubernetes says of an object that is not there."""
    return f'{resource} "{name}" not found'
