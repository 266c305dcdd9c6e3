"""How long either transport waits, and what it says when there is no answer."""

from __future__ import annotations

from datafluid.errors import Invalid, Unavailable
from datafluid.plane.kubernetes.requests import Request
from datafluid.plane.kubernetes.steps import NotSent
from datafluid.redaction import redact_url

__all__ = ["CONNECT", "READ", "distrusted", "silent", "unreachable"]

CONNECT, READ = 10.0, 60.0  # seconds


def silent(request: Request) -> Unavailable:
    """The error for a server that was asked and says nothing."""
    return Unavailable(f"{request.subject}: no answer in time.", hint="Is the network slow?")


def unreachable(request: Request, host: str, error: Exception, *, sent: bool = True) -> Unavailable:
    """The error for a server that does not answer, or stops in the middle.

    Args:
        sent: False when there was not even a connection.
    """
    return (Unavailable if sent else NotSent)(
        f"{request.subject}: {redact_url(host)} cannot be reached: {_reason(error)}.",
        hint="Is the cluster up, and the network between? `datafluid contexts` says who is where.",
    )


def distrusted(request: Request, host: str, error: Exception) -> Invalid:
    """The error for a server whose certificate cannot be verified: asking again changes nothing."""
    return Invalid(
        f"{request.subject}: {redact_url(host)} cannot be trusted: {_reason(error)}.",
        hint="Is certificate-authority of the kubeconfig that of this cluster?",
    )


def _reason(error: BaseException) -> str:
    """What is at the bottom of it, without the library's own names for connections."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return str(error).rpartition("): ")[2] or type(error).__name__
