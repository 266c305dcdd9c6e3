"""Requests to a web server that stay where they were sent.

A redirect may lead to another host: that is how web servers hand large files on. It never changes the scheme, no
credentials go along (there are none), and neither it nor a name that resolves so reaches a link-local address. Those
are why this is not obstore's client, which follows redirects wherever they lead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from datafluid.engine.understore.addresses import is_link_local, refuse_link_local
from datafluid.errors import Forbidden, Unavailable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

__all__ = ["Broken", "HttpClient"]

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_TRIES = 5
_TRY_AGAIN = (429, 500, 502, 503, 504)
_LONGEST_PAUSE = 5.0
_CONNECTIONS = 16


class Broken(Unavailable):
    """An answer that ended before it was whole; another request can go on from there."""


class HttpClient:
    """Sends requests. A forked child gets connections of its own.

    Args:
        connect: Seconds for a connection.
        silent: Seconds without a byte after which an answer is given up.
        proxy: The proxy's URL; None takes the environment's.
        proxy_ca: PEM of the certificate authority of the proxy.
        insecure: Believe any certificate.
    """

    def __init__(
        self,
        *,
        connect: float,
        silent: float,
        proxy: str | None = None,
        proxy_ca: str | None = None,
        insecure: bool = False,
    ) -> None:
        self._connect = connect
        self._silent = silent
        self._proxy = proxy
        self._proxy_ca = proxy_ca
        self._insecure = insecure
        self._pools: dict[tuple[int, str | None], PoolManager] = {}

    @contextmanager
    def requested(self, method: str, url: str, headers: Mapping[str, str], *, shown: str) -> Iterator[BaseHTTPResponse]:
        """The answer to a request, whatever its status but a redirect.

        Args:
            shown: What messages call the URL.

        Raises:
            Forbidden: a redirect leads where none may.
            Unavailable: there is no answer.
            Broken: it ends before it is whole.
        """
        from urllib3.exceptions import HTTPError

        try:
            answer = self._followed(method, url, headers, shown)
        except HTTPError as error:
            raise Unavailable(
                f"{shown} cannot be reached{_why(error)}.", hint="Check the address and the network."
            ) from None
        try:
            yield answer
        except HTTPError as error:
            raise Broken(f"{shown}: the line broke{_why(error)}.", hint="Try again later.") from None
        finally:
            answer.close()
            answer.release_conn()

    def _followed(self, method: str, url: str, headers: Mapping[str, str], shown: str) -> BaseHTTPResponse:
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._manager(url).request(
                method, url, headers=dict(headers), redirect=False, preload_content=False, decode_content=False
            )
            if answer.status not in _REDIRECTS:
                return answer
            location = answer.headers.get("Location", "")
            answer.close()
            url = _target(url, location, shown)
        raise Forbidden(f"{shown} redirects again and again.", hint="Mount the address where the files are.")

    def _manager(self, url: str) -> PoolManager:
        """The connections to use, through a proxy where one is wanted."""
        from urllib.request import getproxies, proxy_bypass

        parts = urlsplit(url)
        proxy = self._proxy
        if proxy is None and parts.hostname and not proxy_bypass(parts.hostname):
            proxy = getproxies().get(parts.scheme)
        key = (os.getpid(), proxy)
        if key not in self._pools:
            self._pools = {each: pool for each, pool in self._pools.items() if each[0] == os.getpid()}
            self._pools[key] = self._new_manager(proxy)
        return self._pools[key]

    def _new_manager(self, proxy: str | None) -> PoolManager:
        import ssl

        from urllib3 import PoolManager, ProxyManager, Retry, Timeout

        retries = Retry(
            _TRIES,
            redirect=0,
            status_forcelist=_TRY_AGAIN,
            backoff_factor=0.1,
            backoff_max=_LONGEST_PAUSE,
            backoff_jitter=0.1,
            raise_on_status=False,
            respect_retry_after_header=False,  # who answers decides whether we wait, not for how long
        )
        timeout = Timeout(connect=self._connect, read=self._silent)
        check = "CERT_NONE" if self._insecure else "CERT_REQUIRED"
        if proxy is None:
            manager = PoolManager(_CONNECTIONS, maxsize=_CONNECTIONS, retries=retries, timeout=timeout, cert_reqs=check)
            manager.pool_classes_by_scheme = _checked_pools()
            return manager
        context = ssl.create_default_context(cadata=self._proxy_ca) if self._proxy_ca else None
        return ProxyManager(
            proxy,
            _CONNECTIONS,
            maxsize=_CONNECTIONS,
            retries=retries,
            timeout=timeout,
            cert_reqs=check,
            proxy_ssl_context=context,
        )


def _why(error: BaseException) -> str:
    """What is at the bottom of it, as a clause; empty where nothing is known that a reader could use."""
    from urllib3.exceptions import LocationValueError, NameResolutionError, ProxyError, SSLError, TimeoutError

    causes = [*_causes(error)]
    words = (
        (NameResolutionError, "no such host"),
        (ConnectionRefusedError, "connection refused"),
        (TimeoutError, "timed out"),
        (SSLError, "its certificate is not trusted"),
        (ProxyError, "the proxy does not answer"),
        (LocationValueError, "the URL names no host"),
    )
    return next((f": {said}" for kind, said in words if any(isinstance(each, kind) for each in causes)), "")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = getattr(found, "reason", None) or found.__cause__ or found.__context__
        found = found if isinstance(found, BaseException) else None


def _target(url: str, location: str, shown: str) -> str:
    """Where a redirect leads, if it may."""
    target = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(target)
    if not location or after.scheme != before.scheme:
        raise Forbidden(
            f"{shown} redirects from {before.scheme}:// to {after.scheme or 'nowhere'}://.",
            hint="Mount the address where the files are.",
        )
    refuse_link_local(after.hostname)
    if after.username or after.password:
        raise Forbidden(f"{shown} redirects to an address with credentials.", hint="Ask who runs the server.")
    return target


def _checked_pools() -> dict[str, type]:
    """Pools whose connections look at where a name has led before anything is sent."""
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.exceptions import NewConnectionError

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            if is_link_local(self.sock.getpeername()[0]):
                self.close()
                raise NewConnectionError(self, "a link-local address")

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            if self.sock is not None and is_link_local(self.sock.getpeername()[0]):
                self.close()
                raise NewConnectionError(self, "a link-local address")

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
