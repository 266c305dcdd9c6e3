"""The asynchronous transport: ``kubernetes_asyncio``'s configuration and session, our own requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

from datafluid.errors import Unavailable, Unsupported
from datafluid.plane.kubernetes.access import MALFORMED, Access
from datafluid.plane.kubernetes.lines import Lines
from datafluid.plane.kubernetes.requests import Request, Response, agent
from datafluid.plane.kubernetes.steps import Flow, Pause, Renew, Step
from datafluid.plane.kubernetes.timing import (
    CONNECT,
    READ,
    Silence,
    distrusted,
    is_over,
    left_until,
    patience,
    unreachable,
)
from datafluid.plane.kubernetes.watching import Watcher
from datafluid.plane.port import WatchEvent

__all__ = ["AsyncTransport"]

T = TypeVar("T")


class AsyncTransport:
    """Drives flows and watches in an event loop. Outside of ``async with`` each call has connections of its own.

    Args:
        access: Where the cluster is and who asks.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._configuration: Any = None
        self._api: Any = None

    async def __aenter__(self) -> AsyncTransport:
        self._api = await self._connect()
        return self

    async def __aexit__(self, *exception: object) -> None:
        api, self._api = self._api, None
        await api.close()

    async def run(self, flow: Flow[T]) -> T:
        """Take a flow to its end."""
        async with self._session() as api:
            try:
                step = next(flow)
                while True:
                    try:
                        answer = await self._perform(api, step, None)
                    except Unavailable as error:
                        step = flow.throw(error)
                    else:
                        step = flow.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result

    async def follow(self, watcher: Watcher, *, until: float | None) -> AsyncGenerator[WatchEvent, None]:
        """Tell what a watch sees until the monotonic moment ``until``."""
        async with self._session() as api:
            while watcher.owes_list or not is_over(until):
                request = watcher.request(left_until(until))
                response = Response(status=200)
                try:
                    if watcher.is_listing:
                        response = await self._send(api, request)
                        if response.ok:
                            for event in watcher.page(response):
                                yield event
                            continue
                    else:
                        async with aclosing(self._stream(api, watcher, request, until)) as told:
                            async for each in told:
                                if isinstance(each, Response):
                                    response = each
                                else:
                                    yield each
                    step = watcher.ended() if response.ok else watcher.refused(response)
                except Unavailable as error:
                    step = watcher.failed(error)
                if step is not None:
                    await self._perform(api, step, until)
            watcher.finish()

    async def _stream(
        self, api: Any, watcher: Watcher, request: Request, until: float | None
    ) -> AsyncGenerator[WatchEvent | Response, None]:
        """Tell what one stream brings; an error that the server answered comes as it is. Silence ends a stream."""
        try:
            async with self._open(api, request, read=None) as raw:
                if raw.status != 200:
                    yield await _response(raw)
                    return
                watcher.opened()
                async for line in _lines(raw, until):
                    event = watcher.line(line)
                    if event is None:
                        return
                    yield event
        except Silence:
            return

    async def _perform(self, api: Any, step: Step, until: float | None) -> Response | None:
        match step:
            case Request():
                return await self._send(api, step)
            case Pause(seconds):
                left = left_until(until)
                await asyncio.sleep(seconds if left is None else min(seconds, left))
            case Renew():
                self._configuration = api.configuration = await _load(self._access)
        return None

    async def _send(self, api: Any, request: Request) -> Response:
        async with self._open(api, request, read=READ) as raw:
            return await _response(raw)

    @asynccontextmanager
    async def _open(self, api: Any, request: Request, *, read: float | None) -> AsyncIterator[Any]:
        """An answer whose body has not been read. This is where the client library's errors end.

        Raises:
            Unavailable: there is no answer, or it broke off.
        """
        import aiohttp

        host = api.configuration.host
        headers = {"Accept": request.accept, "Content-Type": request.content_type, "User-Agent": agent()}
        await api.update_params_for_auth(headers, [], ["BearerToken"])
        try:
            async with api.rest_client.pool_manager.request(
                request.method,
                host + request.target,
                data=request.payload,
                headers=headers,
                proxy=api.configuration.proxy,
                allow_redirects=False,  # an API server sends nobody elsewhere, and credentials go nowhere else
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=read),
            ) as raw:
                yield raw
        except TimeoutError as error:
            raise Silence(f"{request.subject}: no answer in time.", hint="Is the network slow?") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise distrusted(request, host, error) from error
        except aiohttp.ClientConnectorError as error:
            raise unreachable(request, host, error, sent=False) from error
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(request, host, error) from error

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        if self._api is not None:
            yield self._api
            return
        api = await self._connect()
        try:
            yield api
        finally:
            await api.close()

    async def _connect(self) -> Any:
        if self._configuration is None:
            self._configuration = await _load(self._access)
        from kubernetes_asyncio import client

        return client.ApiClient(self._configuration)


async def _load(access: Access) -> Any:
    """The official client's configuration."""
    try:
        from kubernetes_asyncio import client, config
        from yaml import YAMLError
    except ImportError as error:
        raise Unsupported(
            "asking a cluster from coroutines needs kubernetes_asyncio, which is not installed.",
            hint="pip install 'datafluid[airflow]', or kubernetes_asyncio alone.",
        ) from error
    configuration = client.Configuration()
    try:
        if access.in_cluster:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(access.file, context=access.context, client_configuration=configuration)
    except (config.ConfigException, YAMLError, *MALFORMED) as error:
        raise access.unusable(error) from error
    return configuration


async def _response(raw: Any) -> Response:
    body = await raw.read()
    return Response(status=raw.status, headers={name.lower(): value for name, value in raw.headers.items()}, body=body)


async def _lines(raw: Any, until: float | None) -> AsyncIterator[bytes]:
    lines = Lines()
    while True:
        async with asyncio.timeout(patience(until)):
            piece = await raw.content.readany()
        if not piece:
            return
        for line in lines.feed(piece):
            yield line
