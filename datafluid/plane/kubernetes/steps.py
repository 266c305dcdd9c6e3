"""What a conversation with the server asks of its transport, and the one policy of trying again.

A `Flow` is a generator: it yields steps and is sent the answers. The same flow is driven by the synchronous and by
the asynchronous transport, step by step with a `Talk`, so what is said to the server is written down once.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from datafluid.errors import Unavailable
from datafluid.plane.kubernetes.errors import answer_of, is_gone
from datafluid.plane.kubernetes.requests import Request, Response

__all__ = [
    "ATTEMPTS",
    "Flow",
    "NotSent",
    "Open",
    "Pause",
    "Piece",
    "Renew",
    "Step",
    "Talk",
    "backoff",
    "call",
    "delay_after",
]

#: How often a request is sent at most.
ATTEMPTS = 5
_LOG = logging.getLogger(__name__)
_FIRST, _LONGEST = 0.2, 15.0  # seconds
_DOUBLED = 10  # times; by then it is the longest anyway, and no float is large enough for a watch of days
_LONGEST_ASKED = 60.0  # a server that asks for more is not waited for
_DONE = b'{"kind": "Status", "status": "Success"}'

T = TypeVar("T")


class NotSent(Unavailable):
    """The request never left: even one that must not be done twice may be sent again."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Renew:
    """Get new credentials: those that were sent are refused."""


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request whose answer is a stream: what comes back is its beginning, or the whole of a refusal.

    Any step but a `Piece` closes it.

    Args:
        request: The request.
        seconds: To wait for the answer to begin.
    """

    request: Request
    seconds: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Read what the open stream has next: bytes, none at its end, or None where nothing comes in so many seconds."""

    seconds: float


Step: TypeAlias = Request | Pause | Renew | Open | Piece
Flow: TypeAlias = Generator[Step, Any, T]


class Talk(Generic[T]):
    """A flow on its way: `step` is what it asks for, None at its end; then there is its `result`.

    Args:
        flow: Begins at once.
    """

    result: T

    def __init__(self, flow: Generator[Any, Any, T]) -> None:
        self._flow = flow
        self.step: Any = None
        self._go_on(flow.send, None)

    def answer(self, answer: Any) -> None:
        """Give the flow what it asked for."""
        self._go_on(self._flow.send, answer)

    def fail(self, error: Unavailable) -> None:
        """Tell the flow that there is no answer."""
        self._go_on(self._flow.throw, error)

    def _go_on(self, how: Callable[[Any], Any], what: Any) -> None:
        try:
            self.step = how(what)
        except StopIteration as end:
            self.step, self.result = None, end.value


def call(request: Request) -> Flow[Any]:
    """Send a request, again where that may help; returns the decoded answer.

    Raises:
        DatafluidError: what the server's answer means; `Unavailable` when there was none.
    """
    response = yield from exchange(request)
    return answer_of(request, response)


def exchange(request: Request) -> Flow[Response]:
    """Like `call`, but an error that is final comes back as it was answered.

    What was to be deleted and is gone when it is asked for again was deleted: the answer was lost, not the request.
    """
    renewed = maybe_done = False
    for attempt in range(ATTEMPTS):
        last = attempt == ATTEMPTS - 1
        try:
            response: Response = yield request
        except Unavailable as error:
            if last or not (request.repeatable or isinstance(error, NotSent)):
                raise
            maybe_done |= not isinstance(error, NotSent)
            yield Pause(backoff(attempt))
            continue
        if maybe_done and request.method == "DELETE" and is_gone(response):
            return Response(status=200, body=_DONE)
        if warning := response.headers.get("warning"):
            _LOG.warning("%s: the server warns: %s", request.subject, warning)
        if response.status == 401 and not renewed:
            renewed = True
            yield Renew()
            continue
        delay = delay_after(request, response, attempt)
        if delay is None or last:
            return response
        maybe_done |= response.status >= 500
        yield Pause(delay)
    raise AssertionError("the last attempt returns or raises")


def backoff(attempt: int) -> float:
    """Seconds to wait after so many failures: longer each time, never twice the same."""
    return min(_LONGEST, _FIRST * 2.0 ** min(attempt, _DOUBLED)) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret hangs on it


def delay_after(request: Request, response: Response, attempt: int) -> float | None:
    """Seconds after which the same request may get another answer; None when this one is final.

    A webhook's denial is a 500 too: without a reason it is final, and only the server's own InternalError passes.
    """
    asked = response.headers.get("retry-after", "")
    if asked.isdigit() and response.status in (429, 500, 503, 504):
        return None if float(asked) > _LONGEST_ASKED else float(asked) + backoff(0)
    passing = response.status in (429, 502, 503) or (
        response.status in (500, 504) and response.json().get("reason") in ("InternalError", "ServerTimeout", "Timeout")
    )
    return backoff(attempt) if passing and (request.repeatable or response.status == 429) else None
