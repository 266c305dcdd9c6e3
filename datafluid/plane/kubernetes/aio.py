"""The asynchronous transport: our own requests over the connections of a `Session`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, TypeVar

from datafluid.errors import Unavailable
from datafluid.plane.kubernetes.access import Access
from datafluid.plane.kubernetes.following import Following
from datafluid.plane.kubernetes.session import Clients, Session
from datafluid.plane.kubernetes.steps import Flow, Open, Piece, Talk
from datafluid.plane.port import WatchEvent

__all__ = ["AsyncTransport"]

T = TypeVar("T")


class AsyncTransport:
    """Drives flows and watches in an event loop. Outside of ``async with`` each call has connections of its own.

    Args:
        access: Where the cluster is and who asks.
    """

    def __init__(self, access: Access) -> None:
        self._clients = Clients(access)
        self._shared: Session | None = None

    async def __aenter__(self) -> AsyncTransport:
        self._shared = await Session.open(self._clients)
        return self

    async def __aexit__(self, *exception: object) -> None:
        shared, self._shared = self._shared, None
        if shared is not None:
            await shared.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Take a flow to its end."""
        talk = Talk(flow)
        async for _ in self._drive(talk):
            raise AssertionError("only watches tell anything on the way")
        return talk.result

    async def follow(self, following: Following) -> AsyncGenerator[WatchEvent, None]:
        """What a watch tells."""
        async with aclosing(self._drive(Talk(following))) as told:
            async for event in told:
                yield event

    async def _drive(self, talk: Talk[Any]) -> AsyncGenerator[WatchEvent, None]:
        """Do step by step what a conversation asks for; what it tells comes out."""
        stream: Any = None
        async with self._session() as session, AsyncExitStack() as stack:
            while (step := talk.step) is not None:
                try:
                    match step:
                        case WatchEvent():
                            yield step
                            answer: Any = None
                        case Piece(seconds):
                            answer = await stream.piece(seconds)
                        case Open(request, seconds):
                            await stack.aclose()
                            stream = await stack.enter_async_context(session.asked(request, read=seconds))
                            answer = await stream.beginning()
                        case _:
                            await stack.aclose()
                            answer = await session.perform(step)
                except Unavailable as error:
                    talk.fail(error)
                else:
                    talk.answer(answer)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        if self._shared is not None:
            yield self._shared
            return
        async with aclosing(await Session.open(self._clients)) as own:
            yield own
