"""One watch, as a state machine without a wire: which request comes next, what an answer means.

A watch lists first (page by page) unless it knows a version, then follows changes from there. A stream ends all the
time: by the server's clock, by a proxy, by a crash; the next one goes on from the last version that was seen. A
version that the server has forgotten (410 Gone) makes it list again, and tell only what is new, what changed and
what is gone.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator
from typing import Any, Literal

from datafluid.errors import DatafluidError, Unavailable
from datafluid.plane.kubernetes.errors import answer_of, error_of, not_kubernetes
from datafluid.plane.kubernetes.reading import plain
from datafluid.plane.kubernetes.requests import Request, Resource, Response
from datafluid.plane.kubernetes.steps import ATTEMPTS, Pause, Renew, backoff, delay_after
from datafluid.plane.patience import nothing
from datafluid.plane.port import Manifest, WatchEvent

__all__ = ["SILENCE", "Watcher"]

#: Seconds without a byte after which a connection is taken for dead: the server sends a bookmark each minute.
SILENCE = 150.0
#: Seconds that a server which was reached before may be away.
OUTAGE = 300.0

_LIFE = (240, 300)  # seconds that the server keeps a stream open; not the same for all that a restart brought together
_STRANGE = 5  # streams in a row that end without a word before the server is left alone for a while

_Key = tuple[str | None, str]


class Watcher:
    """The state of one watch.

    Args:
        resource: The kind.
        namespace: None for all.
        name: Only the object of this name.
        since: The version to go on from; None lists first.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        name: str | None = None,
        since: str | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._resource = resource
        self._namespace = namespace
        self._fields = {"metadata.name": name} if name else None
        self._version = since
        self._seen = since or "0"  # whatever the server has
        self._clock = clock
        self._after = ""
        self._known: dict[_Key, tuple[str, str]] = {}  # where an object is -> its uid and version
        self._listed: set[_Key] = set()
        self._failures = 0
        self._mute = 0
        self._renewed = False
        self._reached: float | None = None
        self._last_error: DatafluidError | None = None

    @property
    def is_listing(self) -> bool:
        """Whether the next request is for a page; else it is for a stream."""
        return self._version is None

    @property
    def owes_list(self) -> bool:
        """Whether what exists has not been told yet: that comes first, however little time there is."""
        return self._version is None and self._failures == 0

    def request(self, left: float = math.inf) -> Request:
        """The next request, with so many seconds left."""
        if self._version is None:
            return self._resource.page(self._namespace, fields=self._fields, after=self._after)
        life = random.randint(*_LIFE)  # noqa: S311  # no secret hangs on it
        seconds = int(min(life, left + 1))
        return self._resource.watch(self._namespace, fields=self._fields, since=self._version, seconds=seconds)

    def page(self, response: Response) -> Iterator[WatchEvent]:
        """What a page of the list tells."""
        body = answer_of(self.request(), response)
        self._has_answered()
        metadata = body["metadata"]
        self._after = metadata.get("continue", "")
        named = {"apiVersion": self._resource.api_version, "kind": self._resource.kind}
        if not self._after:
            self._version = self._seen = metadata["resourceVersion"]
        for each in body.get("items", ()):
            if event := self._told({**named, **each}, metadata["resourceVersion"]):
                yield event
        if not self._after:
            yield from self._vanished(metadata["resourceVersion"])

    def line(self, line: bytes) -> WatchEvent | None:
        """What a line of the stream tells; None when the stream is at its end."""
        try:
            told = json.loads(line)
        except ValueError as error:
            raise not_kubernetes(self._resource.plural) from error
        type, manifest = told["type"], told["object"]
        if type == "ERROR":
            self._refused_in_stream(manifest)
            return None
        self._mute = 0
        metadata = manifest["metadata"]
        metadata.pop("managedFields", None)
        self._version = self._seen = version = metadata["resourceVersion"]
        if type == "DELETED":
            self._known.pop((metadata.get("namespace"), metadata["name"]), None)
        elif type != "BOOKMARK":
            self._known[metadata.get("namespace"), metadata["name"]] = (metadata["uid"], version)
        return WatchEvent(type=type, object=manifest, version=version)

    def quiet(self) -> WatchEvent:
        """What is told of silence.

        Raises:
            Unavailable: it is that of a server that is away, and who knows what is not told.
        """
        if self._last_error is not None:
            raise self._last_error
        return nothing("QUIET", self._resource.name, self._seen)

    def opened(self) -> None:
        """The server has begun to answer with a stream."""
        self._has_answered()
        self._mute += 1

    def ended(self) -> Pause | None:
        """A stream has ended as streams do. Nothing but such ends is no reason to ask without a breath."""
        return Pause(backoff(self._mute - _STRANGE)) if self._mute > _STRANGE else None

    def refused(self, response: Response) -> Pause | Renew | None:
        """The server answered with an error: what to do before the next request.

        Raises:
            DatafluidError: it is final.
        """
        if response.status == 401 and not self._renewed:
            self._renewed = True
            return Renew()
        self._failures += 1
        request = self.request()
        if response.status == 410:
            self._forget()
            return Pause(backoff(self._failures)) if self._failures > 1 else None
        delay = delay_after(request, response, self._failures)
        error = error_of(request, response)
        if delay is None:
            raise error
        return self._patiently(error, delay)

    def finish(self) -> None:
        """The time is up.

        Raises:
            DatafluidError: the server has never answered, so that nothing was seen is no news.
        """
        if self._reached is None and self._last_error is not None:
            raise self._last_error

    def failed(self, error: Unavailable) -> Pause:
        """There was no answer, or it broke off: how long to wait before the next request.

        Raises:
            Unavailable: it has been like that for too long.
        """
        self._failures += 1
        return self._patiently(error, backoff(max(self._failures, self._mute) - 1))

    def _patiently(self, error: DatafluidError, delay: float) -> Pause:
        """A server that answered before is waited for; one that never did only as any request waits."""
        self._last_error = error
        never = self._reached is None
        if self._failures >= ATTEMPTS if never else self._clock() - (self._reached or 0.0) > OUTAGE:
            raise error
        return Pause(delay)

    def _has_answered(self) -> None:
        self._failures = 0
        self._renewed = False
        self._reached = self._clock()
        self._last_error = None

    def _forget(self) -> None:
        self._version, self._after = None, ""
        self._listed.clear()

    def _refused_in_stream(self, status: Any) -> None:
        """A stream's own error. Only a version that is too old means more than: ask again."""
        if status.get("code") == 410 or status.get("reason") in ("Expired", "Gone"):
            self._forget()

    def _told(self, manifest: Manifest, version: str) -> WatchEvent | None:
        """What a listed object is, compared with what was told of it before."""
        metadata = manifest["metadata"]
        key = (metadata.get("namespace"), metadata["name"])
        self._listed.add(key)
        before, now = self._known.get(key), (metadata["uid"], metadata["resourceVersion"])
        self._known[key] = now
        if before == now:
            return None
        type: Literal["ADDED", "MODIFIED"] = "MODIFIED" if before and before[0] == now[0] else "ADDED"
        return WatchEvent(type=type, object=plain(manifest), version=version)

    def _vanished(self, version: str) -> Iterator[WatchEvent]:
        """Objects that were told of and are not listed any more: what is left of them is their name."""
        for key in self._known.keys() - self._listed:
            uid, last = self._known.pop(key)
            metadata = {"name": key[1], "uid": uid, "resourceVersion": last}
            if key[0]:
                metadata["namespace"] = key[0]
            manifest = {
                "apiVersion": self._resource.api_version,
                "kind": self._resource.kind,
                "metadata": metadata,
            }
            yield WatchEvent(type="DELETED", object=manifest, version=version)
        self._listed.clear()
