"""The synchronous transport: the official client's configuration and connections, our own requests."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from ssl import SSLCertVerificationError
from threading import Lock
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

__all__ = ["Transport"]

T = TypeVar("T")

_CONNECTIONS = 16
_PIECE = 65536


class Transport:
    """Drives flows and watches over HTTP. Any number of threads may use one.

    Args:
        access: Where the cluster is and who asks.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = Lock()
        self._api: Any = None
        self._process = os.getpid()

    def run(self, flow: Flow[T]) -> T:
        """Take a flow to its end."""
        try:
            step = next(flow)
            while True:
                try:
                    answer = self._perform(step, None)
                except Unavailable as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def follow(self, watcher: Watcher, *, until: float | None) -> Iterator[WatchEvent]:
        """Tell what a watch sees until the monotonic moment ``until``."""
        while watcher.owes_list or not is_over(until):
            request = watcher.request(left_until(until))
            try:
                if watcher.is_listing:
                    response = self._send(request)
                    if response.ok:
                        yield from watcher.page(response)
                        continue
                else:
                    response = yield from self._stream(watcher, request, until)
                step = watcher.ended() if response.ok else watcher.refused(response)
            except Unavailable as error:
                step = watcher.failed(error)
            if step is not None:
                self._perform(step, until)
        watcher.finish()

    def _stream(self, watcher: Watcher, request: Request, until: float | None) -> Generator[WatchEvent, None, Response]:
        """Tell what one stream brings; returns how it was answered. Silence ends a stream as its server would."""
        try:
            with self._open(request, read=patience(until)) as raw:
                if raw.status != 200:
                    return _response(raw)
                watcher.opened()
                for line in _lines(raw, until):
                    event = watcher.line(line)
                    if event is None:
                        break
                    yield event
        except Silence:
            pass
        return Response(status=200)

    def _perform(self, step: Step, until: float | None) -> Response | None:
        match step:
            case Request():
                return self._send(step)
            case Pause(seconds):
                left = left_until(until)
                time.sleep(seconds if left is None else min(seconds, left))
            case Renew():
                with self._lock:
                    self._api = None
        return None

    def _send(self, request: Request) -> Response:
        with self._open(request, read=READ) as raw:
            return _response(raw)

    @contextmanager
    def _open(self, request: Request, *, read: float) -> Iterator[Any]:
        """An answer whose body has not been read. This is where the client library's errors end.

        Raises:
            Unavailable: there is no answer, or it broke off.
        """
        from urllib3 import Timeout
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError, SSLError

        api = self._connected()
        headers = {"Accept": request.accept, "Content-Type": request.content_type, "User-Agent": agent()}
        api.update_params_for_auth(headers, [], ["BearerToken"])
        raw = None
        try:
            raw = api.rest_client.pool_manager.request(
                request.method,
                api.configuration.host + request.target,
                body=request.payload,
                headers=headers,
                timeout=Timeout(connect=CONNECT, read=read),
                retries=False,
                preload_content=False,
            )
            yield raw
        except ReadTimeoutError as error:
            raise Silence(f"{request.subject}: no answer in time.", hint="Is the network slow?") from error
        except SSLError as error:
            is_final = any(isinstance(each, SSLCertVerificationError) for each in error.args)
            raise (distrusted if is_final else unreachable)(request, api.configuration.host, error) from error
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise unreachable(request, api.configuration.host, error, sent=False) from error
        except (HTTPError, OSError) as error:
            raise unreachable(request, api.configuration.host, error) from error
        finally:
            if raw is not None:
                raw.close()  # what was not read to its end is not worth to be read

    def _connected(self) -> Any:
        if (
            self._process != os.getpid()
        ):  # a forked child must not speak on its parent's connections, nor wait for its lock
            self._process, self._lock, self._api = os.getpid(), Lock(), None
        with self._lock:
            if self._api is None:
                self._api = _connect(self._access)
            return self._api


def _connect(access: Access) -> Any:
    """The official client, configured; its own models and retries are not used."""
    try:
        from kubernetes import client, config
        from yaml import YAMLError
    except ImportError as error:
        raise Unsupported(
            "the Kubernetes plane needs the official client, which is not installed.",
            hint="pip install 'datafluid[k8s]'",
        ) from error

    configuration = client.Configuration()
    try:
        if access.in_cluster:
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(access.file, context=access.context, client_configuration=configuration)
    except (config.ConfigException, YAMLError, *MALFORMED) as error:
        raise access.unusable(error) from error
    configuration.connection_pool_maxsize = _CONNECTIONS
    return client.ApiClient(configuration)


def _response(raw: Any) -> Response:
    """An answer read to its end; its connection can be used again."""
    body = raw.read()
    return Response(status=raw.status, headers={name.lower(): value for name, value in raw.headers.items()}, body=body)


def _lines(raw: Any, until: float | None) -> Iterator[bytes]:
    lines = Lines()
    pieces = raw.stream(_PIECE)
    while True:
        if until is not None and (socket := getattr(raw.connection, "sock", None)) is not None:
            socket.settimeout(patience(until))
        piece = next(pieces, None)
        if piece is None:
            return
        yield from lines.feed(piece)
