"""The synchronous transport: the official client's configuration and connections, our own requests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from io import BufferedReader
from socket import socket
from ssl import SSLCertVerificationError, SSLWantReadError
from threading import Lock
from typing import Any, TypeVar

from datafluid.errors import DatafluidError, Unavailable, Unsupported
from datafluid.plane.kubernetes.access import Access
from datafluid.plane.kubernetes.following import Following
from datafluid.plane.kubernetes.requests import Request, Response, agent
from datafluid.plane.kubernetes.steps import Flow, Open, Pause, Piece, Renew, Step, Talk
from datafluid.plane.kubernetes.timing import CONNECT, READ, Boundary, distrusted, silent, unreachable
from datafluid.plane.patience import Patience
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
        talk = Talk(flow)
        for _ in self._drive(talk):
            raise AssertionError("only watches tell anything on the way")
        return talk.result

    def follow(self, following: Following) -> Iterator[WatchEvent]:
        """What a watch tells."""
        yield from self._drive(Talk(following))

    def _drive(self, talk: Talk[Any]) -> Iterator[WatchEvent]:
        """Do step by step what a conversation asks for; what it tells comes out."""
        stream: Any = None
        with ExitStack() as stack:
            while (step := talk.step) is not None:
                try:
                    match step:
                        case WatchEvent():
                            yield step
                            answer: Any = None
                        case Piece(seconds):
                            answer = stream.piece(seconds)
                        case Open(request, seconds):
                            stack.close()
                            stream = stack.enter_context(closing(self._ask(request, read=seconds)))
                            answer = stream.beginning()
                        case _:
                            stack.close()
                            answer = self._perform(step)
                except Unavailable as error:
                    talk.fail(error)
                else:
                    talk.answer(answer)

    def _perform(self, step: Step) -> Response | None:
        match step:
            case Request():
                with closing(self._ask(step, read=READ)) as answer:
                    return answer.whole()
            case Pause(seconds):
                time.sleep(seconds)
            case Renew():
                with self._lock:
                    self._api = None
        return None

    def _ask(self, request: Request, *, read: float) -> _Answer:
        """Send a request.

        Args:
            request: The request.
            read: Seconds to wait for each part of the answer.

        Raises:
            Unavailable: there is no answer.
            Invalid: there are no credentials to send it with.
        """
        from kubernetes.config import ConfigException
        from urllib3 import Timeout

        api = self._connected()
        headers = {"Accept": request.accept, "Content-Type": request.content_type, "User-Agent": agent()}
        with self._access.used(ConfigException):
            api.update_params_for_auth(headers, [], ["BearerToken"])
        host = api.configuration.host
        boundary = Boundary(_meaning, request, host)
        with boundary:
            raw = api.rest_client.pool_manager.request(
                request.method,
                host + request.target,
                body=request.payload,
                headers=headers,
                timeout=Timeout(connect=CONNECT, read=read),
                retries=False,
                preload_content=False,
            )
        return _Answer(raw, boundary)

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
    except ImportError as error:
        raise Unsupported(
            "the Kubernetes plane needs the official client, which is not installed.",
            hint="pip install 'datafluid[k8s]'",
        ) from error

    configuration = client.Configuration()
    with access.used(config.ConfigException):
        if access.in_cluster:
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(access.file, context=access.context, client_configuration=configuration)
    configuration.connection_pool_maxsize = _CONNECTIONS
    return client.ApiClient(configuration)


class _Answer:
    """An answer of which only the head has been read."""

    def __init__(self, raw: Any, boundary: Boundary) -> None:
        self._raw, self._boundary = raw, boundary
        self._pieces = raw.stream(_PIECE)

    def close(self) -> None:
        """Let go of it. What was not read to its end is not worth to be read."""
        self._raw.close()

    def whole(self) -> Response:
        """All of it; its connection can be used again."""
        with self._boundary:
            return self._told(self._raw.read())

    def beginning(self) -> Response:
        """The head, of a refusal all."""
        return self._told(b"") if self._raw.status == 200 else self.whole()

    def piece(self, seconds: float) -> bytes | None:
        """See `datafluid.plane.kubernetes.steps.Piece`."""
        with self._boundary:
            return next(self._pieces, b"") if self._has_come(seconds) else None

    def _told(self, body: bytes) -> Response:
        headers = {name.lower(): value for name, value in self._raw.headers.items()}
        return Response(status=self._raw.status, headers=headers, body=body)

    def _has_come(self, seconds: float) -> bool:
        """Whether more of it comes in time. To read until a timeout would spoil the connection."""
        connection, buffer = self._raw.connection, self._raw._fp.fp  # noqa: SLF001  # as urllib3 reads its pieces
        if connection is None or connection.sock is None or buffer is None:
            return True  # it has been read to its end
        sock = connection.sock
        sock.settimeout(0)
        try:
            return _is_readable(buffer, sock, seconds)
        finally:
            sock.settimeout(READ)


def _is_readable(buffer: BufferedReader, sock: socket, seconds: float) -> bool:
    """Whether there is something in the buffer, or comes to the socket below it."""
    from urllib3.util import wait_for_read

    patience, has_come = Patience(seconds), False
    while True:
        with suppress(SSLWantReadError):  # what came was none of ours, or not all of it
            if buffer.peek(1) or has_come:
                return True
        has_come = wait_for_read(sock, patience.left)
        if not has_come:
            return False


def _meaning(error: Exception, request: Request, host: str) -> DatafluidError | None:
    """What the client library's errors mean."""
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError, SSLError

    match error:
        case ReadTimeoutError():
            return silent(request)
        case SSLError():
            is_final = any(isinstance(each, SSLCertVerificationError) for each in error.args)
            return (distrusted if is_final else unreachable)(request, host, error)
        case NewConnectionError() | ConnectTimeoutError():
            return unreachable(request, host, error, sent=False)
        case HTTPError() | OSError():
            return unreachable(request, host, error)
    return None
