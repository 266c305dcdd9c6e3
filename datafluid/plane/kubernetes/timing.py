"""How long either transport waits, and what it says when there is no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from datafluid.errors import DatafluidError, Invalid, Unavailable
from datafluid.plane.kubernetes.requests import Request
from datafluid.plane.kubernetes.steps import NotSent
from datafluid.redaction import redact_url

__all__ = ["CONNECT", "READ", "Boundary", "distrusted", "silent", "unreachable"]

CONNECT, READ = 10.0, 60.0  # seconds

Meaning: TypeAlias = Callable[[Exception, Request, str], DatafluidError | None]


class Boundary:
    """Around what a client library does for one request: where its errors end. Costs nothing while there is none.

    Args:
        meaning: What an error means here, given the request and the server's address; None for one that is not the
            library's.
        request: What is asked.
        host: Whom.
    """

    def __init__(self, meaning: Meaning, request: Request, host: str) -> None:
        self._meaning, self._request, self._host = meaning, request, host

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and (meant := self._meaning(error, self._request, self._host)) is not None:
            raise meant from error


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
