"""Connections of an event loop: ``kubernetes_asyncio``'s configuration and session, our own requests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any, Self

from datafluid.errors import DatafluidError, Unsupported
from datafluid.plane.kubernetes.access import Access
from datafluid.plane.kubernetes.requests import Request, Response, agent
from datafluid.plane.kubernetes.steps import Pause, Renew, Step
from datafluid.plane.kubernetes.timing import CONNECT, READ, Boundary, distrusted, silent, unreachable

__all__ = ["Answer", "Clients", "Session"]


class Clients:
    """The official client, under a configuration that is read once; its own models and retries are not used.

    Args:
        access: Where the cluster is and who asks.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self._configuration: Any = None

    async def client(self, *, anew: bool = False) -> Any:
        """One with connections of its own.

        Args:
            anew: Read the configuration again.
        """
        if anew or self._configuration is None:
            self._configuration = await _configuration(self.access)
        from kubernetes_asyncio import client

        return client.ApiClient(self._configuration)


class Session:
    """Connections to one server under one configuration, until that is renewed. Made by `open`."""

    def __init__(self, clients: Clients, api: Any) -> None:
        self._clients = clients
        self._api = api
        self._users: Counter[Any] = Counter()

    @classmethod
    async def open(cls, clients: Clients) -> Self:
        """Nothing is connected yet."""
        return cls(clients, await clients.client())

    async def aclose(self) -> None:
        """Close what is open."""
        for api in {self._api, *self._users}:
            await api.close()

    async def perform(self, step: Step) -> Response | None:
        """Do what a conversation asks for, but for streams."""
        match step:
            case Request():
                async with self.asked(step, read=READ) as answer:
                    return await answer.whole()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Renew():
                old, self._api = self._api, await self._clients.client(anew=True)
                await self._close_if_idle(old)
        return None

    @asynccontextmanager
    async def asked(self, request: Request, *, read: float) -> AsyncIterator[Answer]:
        """Send a request; inside the block there is its answer.

        Args:
            request: The request.
            read: Seconds to wait for each part of the answer.

        Raises:
            Unavailable: there is no answer.
            Invalid: there are no credentials to send it with.
        """
        api = self._api
        self._users[api] += 1
        try:
            headers = await self._headers(api, request)
            boundary = Boundary(_meaning, request, api.configuration.host)
            with boundary:
                raw = await self._sent(api, request, headers, read)
            with closing(Answer(raw, boundary)) as answer:
                yield answer
        finally:
            self._users[api] -= 1
            await self._close_if_idle(api)

    async def _headers(self, api: Any, request: Request) -> dict[str, str]:
        from kubernetes_asyncio.config import ConfigException

        headers = {"Accept": request.accept, "Content-Type": request.content_type, "User-Agent": agent()}
        with self._clients.access.used(ConfigException):
            await api.update_params_for_auth(headers, [], ["BearerToken"])
        return headers

    async def _sent(self, api: Any, request: Request, headers: dict[str, str], read: float) -> Any:
        import aiohttp

        return await api.rest_client.pool_manager.request(
            request.method,
            api.configuration.host + request.target,
            data=request.payload,
            headers=headers,
            proxy=api.configuration.proxy,
            allow_redirects=False,  # an API server sends nobody elsewhere, and credentials go nowhere else
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=read),
        )

    async def _close_if_idle(self, api: Any) -> None:
        """Let go of connections of an earlier configuration when nobody uses them any more."""
        if not self._users[api]:
            del self._users[api]
            if api is not self._api:
                await api.close()


class Answer:
    """An answer of which only the head has been read."""

    def __init__(self, raw: Any, boundary: Boundary) -> None:
        self._raw, self._boundary = raw, boundary

    def close(self) -> None:
        """Let go of it. A connection that was not read to its end is broken: nobody waits for the server's farewell."""
        if (connection := self._raw.connection) is not None and connection.transport is not None:
            connection.transport.abort()
        self._raw.close()

    async def whole(self) -> Response:
        """All of it; its connection can be used again."""
        with self._boundary:
            return self._told(await self._raw.read())

    async def beginning(self) -> Response:
        """The head, of a refusal all."""
        return self._told(b"") if self._raw.status == 200 else await self.whole()

    async def piece(self, seconds: float) -> bytes | None:
        """See `datafluid.plane.kubernetes.steps.Piece`."""
        with self._boundary:
            try:
                async with asyncio.timeout(seconds) as waiting:
                    found: bytes = await self._raw.content.readany()
            except TimeoutError:
                if waiting.expired():
                    return None
                raise
            return found

    def _told(self, body: bytes) -> Response:
        headers = {name.lower(): value for name, value in self._raw.headers.items()}
        return Response(status=self._raw.status, headers=headers, body=body)


def _meaning(error: Exception, request: Request, host: str) -> DatafluidError | None:
    """What the client library's errors mean."""
    import aiohttp

    match error:
        case TimeoutError():
            return silent(request)
        case aiohttp.ClientConnectorCertificateError():
            return distrusted(request, host, error)
        case aiohttp.ClientConnectorError():
            return unreachable(request, host, error, sent=False)
        case aiohttp.ClientError() | OSError():
            return unreachable(request, host, error)
    return None


async def _configuration(access: Access) -> Any:
    try:
        from kubernetes_asyncio import client, config
    except ImportError as error:
        raise Unsupported(
            "asking a cluster from coroutines needs kubernetes_asyncio, which is not installed.",
            hint="pip install 'datafluid[airflow]', or kubernetes_asyncio alone.",
        ) from error
    configuration = client.Configuration()
    with access.used(config.ConfigException):
        if access.in_cluster:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(access.file, context=access.context, client_configuration=configuration)
    return configuration
