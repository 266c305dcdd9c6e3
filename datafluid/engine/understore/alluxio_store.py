"""Files of a running Alluxio, through the REST proxy that a runtime with ``apiGateway`` has."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from datafluid.engine.understore.alluxio_api import AlluxioApi
from datafluid.engine.understore.levels import walk_levels
from datafluid.engine.understore.port import Fetch, HostedRange, Listing, ObjectInfo
from datafluid.errors import AlreadyExists, Corrupt, NotFound, StaleVersion

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["AlluxioStore"]

_PIECE = 1 << 20
_IN_MEMORY = 8 << 20
_TEMPORARY = ".datafluid-"


class AlluxioStore:
    """A directory of an Alluxio as an under-store.

    Args:
        endpoint: ``http://host:port`` of the proxy.
        root: The directory; ``""`` for all of it.
    """

    atomic_move = True
    real_directories = True
    streams = 8

    def __init__(self, endpoint: str, root: str = "") -> None:
        self.display_url = f"{endpoint}/{root}".rstrip("/")
        self._api = AlluxioApi(endpoint)
        self._root = root.strip("/")

    def probe(self) -> None:
        """Look at the directory."""
        self._status("")

    def stat(self, key: str) -> ObjectInfo:
        """See `datafluid.engine.understore.port.UnderStore.stat`."""
        found = self._status(key)
        if found["folder"]:
            raise NotFound(f"{self.display_url}: {key!r} is not a file.")
        return _info(key, found)

    def is_directory(self, key: str) -> bool:
        """Whether a directory is there."""
        try:
            return bool(self._status(key)["folder"])
        except NotFound:
            return False

    def list(self, prefix: str) -> Listing:
        """See `datafluid.engine.understore.port.UnderStore.list`."""
        try:
            found = self._ask(prefix, "list-status")
        except NotFound:
            return Listing(objects=(), prefixes=())
        start = f"{prefix}/" if prefix else ""
        named = sorted((start + each["name"], each) for each in found if not each["name"].startswith(_TEMPORARY))
        return Listing(
            objects=tuple(_info(key, each) for key, each in named if not each["folder"] and key != prefix),
            prefixes=tuple(key for key, each in named if each["folder"]),
        )

    def walk(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        """See `datafluid.engine.understore.port.UnderStore.walk`."""
        return walk_levels(self, prefix)

    def read(self, fetch: Fetch) -> Buffer:
        """See `datafluid.engine.understore.port.UnderStore.read`."""
        return b"".join(self.stream(fetch))

    def stream(self, fetch: Fetch) -> Iterator[bytes]:
        """See `datafluid.engine.understore.port.UnderStore.stream`. Alluxio knows no conditional reads, but gives every
        file that it is told of a number of its own: a look afterwards tells whether it was the same one all along.
        """
        came = 0
        if fetch.length:
            with self._api.opened(self._path(fetch.info.key), fetch.start, fetch.length, piece=_PIECE) as pieces:
                for data in pieces:
                    came += len(data)
                    yield data
        try:
            now = self.stat(fetch.info.key)
        except NotFound:
            raise StaleVersion(f"{self.display_url}: {fetch.info.key!r} is gone.", hint="List it again.") from None
        if now.version != fetch.info.version:
            raise StaleVersion(f"{self.display_url}: {fetch.info.key!r} has changed.", hint="Open it again.")
        if came != fetch.length:
            raise Corrupt(f"{self.display_url}: {fetch.info.key!r} gave {came} of {fetch.length} bytes.")

    def hosts(self, key: str) -> Sequence[HostedRange]:
        """See `datafluid.engine.understore.port.TellsHosts.hosts`."""
        blocks = self._status(key)["fileBlockInfos"]
        return [_hosted(block["offset"], block["blockInfo"]) for block in blocks]

    def close(self) -> None:
        """Let go of connections."""
        self._api.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def put(self, key: str, source: BinaryIO, *, create: bool = False) -> ObjectInfo:
        """See `datafluid.engine.understore.port.WritableUnderStore.put`."""
        parent, _, name = key.rpartition("/")
        temporary = "/".join(part for part in (parent, f"{_TEMPORARY}{secrets.token_hex(8)}-{name[:64]}") if part)
        if create:
            self._must_be_free(key)
        try:
            self._api.create(self._path(temporary), iter(lambda: source.read(_PIECE), b""))
            return self.move(temporary, key, overwrite=not create)
        except BaseException:
            self.delete([temporary])
            raise

    def delete(self, keys: Sequence[str]) -> None:
        """See `datafluid.engine.understore.port.WritableUnderStore.delete`."""
        for key in keys:
            try:
                self._ask(key, "delete")
            except NotFound:
                continue

    def copy(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """See `datafluid.engine.understore.port.WritableUnderStore.copy`; the bytes come here and go back."""
        from tempfile import SpooledTemporaryFile

        info = self.stat(source)
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            for data in self.stream(Fetch(info=info, start=0, length=info.size)):
                spool.write(data)
            spool.seek(0)
            return self.put(target, spool, create=not overwrite)  # type: ignore[arg-type]  # it is a binary file

    def move(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """See `datafluid.engine.understore.port.WritableUnderStore.move`. A rename is atomic, but Alluxio renames onto
        nothing: what is to be replaced is deleted just before.
        """
        destination = quote(self._path(target), safe="")
        self.make_directory(target.rpartition("/")[0])
        try:
            self._ask(source, f"rename?dst={destination}")
        except AlreadyExists:
            if not overwrite:
                raise
            self.delete([target])
            self._ask(source, f"rename?dst={destination}")
        return self.stat(target)

    def make_directory(self, key: str) -> None:
        """See `datafluid.engine.understore.port.WritableUnderStore.make_directory`."""
        if key:
            self._ask(key, "create-directory", {"recursive": True, "allowExists": True, "writeType": "CACHE_THROUGH"})

    def _must_be_free(self, key: str) -> None:
        try:
            self._status(key)
        except NotFound:
            return
        raise AlreadyExists(f"{self.display_url}: {key!r} exists already.", hint="Choose another name.")

    def _path(self, key: str) -> str:
        return "/" + "/".join(part for part in (self._root, key) if part)

    def _ask(self, key: str, verb: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._api.ask(self._path(key), verb, body)

    def _status(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self._ask(key, "get-status")
        return found


def _info(key: str, found: Mapping[str, Any]) -> ObjectInfo:
    modified = found["lastModificationTimeMs"]
    version = f"{found['fileId']:x}-{modified:x}-{found['length']:x}"
    return ObjectInfo(key=key, size=found["length"], version=version, mtime=modified / 1000)


def _hosted(offset: int, block: Mapping[str, Any]) -> HostedRange:
    places = block["locations"]
    return HostedRange(
        start=offset,
        length=block["length"],
        hosts=tuple(place["workerAddress"]["host"] for place in places),
        tier=places[0]["mediumType"] if places else None,
    )
