"""Under-stores for a process that was forked after obstore was used: obstore would hang there.

Such a child (a PyTorch DataLoader worker) gets one helper, an executed process of its own, and talks to it over a
socketpair. A message is a header of two lengths, a JSON text and raw bytes: no pickle. The helper looks secrets up
itself, so none are sent and none are arguments; it ends when the child's end of the socket does.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafluid import errors
from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.home import Home
from datafluid.engine.understore.keys import without_controls
from datafluid.engine.understore.parallel import in_pieces
from datafluid.engine.understore.port import Fetch, Listing, ObjectInfo, UnderStore
from datafluid.errors import DatafluidError, Unavailable

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["HelperStore", "serve"]

_HEADER = struct.Struct("!II")


class HelperStore:
    """An under-store behind this process's helper; reads only.

    Args:
        home: The home directory.
        binding: The dataset.
        mount: The mount.
    """

    def __init__(self, home: Home, binding: Binding, mount: MountBinding) -> None:
        self._home = home
        self._binding = binding
        self._number = binding.mounts.index(mount) if mount in binding.mounts else 0
        self.display_url = mount.url

    def probe(self) -> None:
        """See `datafluid.engine.understore.port.UnderStore.probe`."""
        self._ask("probe")

    streams = 1
    can_name = staticmethod(without_controls)

    def stat(self, key: str) -> ObjectInfo:
        """See `datafluid.engine.understore.port.UnderStore.stat`."""
        return ObjectInfo(**self._ask("stat", key)[0])

    def list(self, prefix: str) -> Listing:
        """See `datafluid.engine.understore.port.UnderStore.list`."""
        return _listing(self._ask("list", prefix)[0])

    def walk(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        """See `datafluid.engine.understore.port.UnderStore.walk`; in one answer."""
        yield [ObjectInfo(**each) for each in self._ask("walk", prefix)[0]]

    def read(self, fetch: Fetch) -> Buffer:
        """See `datafluid.engine.understore.port.UnderStore.read`."""
        return self._ask("read", asdict(fetch))[1]

    def stream(self, fetch: Fetch) -> Iterator[Buffer]:
        """A read for each MiB; the helper answers one at a time."""
        return in_pieces(self.read, fetch)

    def close(self) -> None:
        """The helper ends with the process."""

    def _ask(self, verb: str, argument: Any = None) -> tuple[Any, bytes]:
        request = {"binding": self._binding.to_json(), "mount": self._number, "verb": verb, "argument": argument}
        return _helper(self._home).ask(request)


class _Helper:
    """The other end of the socketpair."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "datafluid.engine.forked", str(home.path), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def ask(self, request: dict[str, Any]) -> tuple[Any, bytes]:
        with self._lock:
            try:
                _send(self._socket, request)
                answer, data = _receive(self._socket)
            except (OSError, EOFError) as error:
                _HELPERS.clear()
                raise Unavailable("the helper of a forked process has died.", hint="Read again.") from error
        if "error" in answer:
            raise _rebuilt(answer)
        return answer["result"], data


_HELPERS: dict[tuple[int, str], _Helper] = {}
_LOCK = threading.Lock()


def _helper(home: Home) -> _Helper:
    """This process's helper; the one of the process that it was forked from is not its own."""
    key = (os.getpid(), str(home.path))
    with _LOCK:
        if key not in _HELPERS:
            _HELPERS.clear()
            _HELPERS[key] = _Helper(home)
        return _HELPERS[key]


def _renew_lock() -> None:
    global _LOCK
    _LOCK = threading.Lock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_renew_lock)


def serve(home: Home, connection: socket.socket) -> None:
    """Answer until the other end is closed."""
    stores: dict[tuple[str, int], UnderStore] = {}
    while True:
        try:
            request, _ = _receive(connection)
        except EOFError:
            return
        try:
            result, data = _answer(home, stores, request)
        except (DatafluidError, OSError) as error:
            kind = type(error).__name__ if isinstance(error, DatafluidError) else "Unavailable"
            message = error.message if isinstance(error, DatafluidError) else str(error)
            _send(connection, {"error": kind, "message": message, "hint": getattr(error, "hint", "")})
        else:
            _send(connection, {"result": result}, data)


def _answer(home: Home, stores: dict[tuple[str, int], UnderStore], request: dict[str, Any]) -> tuple[Any, Buffer]:
    from datafluid.engine.understore.factory import open_store

    where = (request["binding"], request["mount"])
    if where not in stores:
        binding = Binding.from_json(request["binding"])
        stores[where] = open_store(home, binding, binding.mounts[request["mount"]])
    store, argument = stores[where], request["argument"]
    match request["verb"]:
        case "probe":
            store.probe()
            return None, b""
        case "stat":
            return asdict(store.stat(argument)), b""
        case "list":
            return asdict(store.list(argument)), b""
        case "walk":
            return [asdict(info) for page in store.walk(argument) for info in page], b""
        case "read":
            info = ObjectInfo(**argument["info"])
            return None, store.read(Fetch(info=info, start=argument["start"], length=argument["length"]))
    raise Unavailable(f"the helper knows no {request['verb']!r}.")


def _rebuilt(answer: dict[str, Any]) -> DatafluidError:
    kind = getattr(errors, answer["error"], Unavailable)
    found: DatafluidError = kind(answer["message"], hint=answer["hint"])
    return found


def _listing(answer: dict[str, Any]) -> Listing:
    objects = tuple(ObjectInfo(**each) for each in answer["objects"])
    return Listing(objects=objects, prefixes=tuple(answer["prefixes"]))


def _send(connection: socket.socket, message: Any, data: Buffer = b"") -> None:
    text = json.dumps(message).encode()
    view = memoryview(data).cast("B")
    connection.sendall(_HEADER.pack(len(text), view.nbytes) + text)
    connection.sendall(view)


def _receive(connection: socket.socket) -> tuple[Any, bytes]:
    text, data = _HEADER.unpack(_exactly(connection, _HEADER.size))
    return json.loads(_exactly(connection, text)), _exactly(connection, data)


def _exactly(connection: socket.socket, length: int) -> bytes:
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError("the other end is closed")
        view = view[count:]
    return bytes(buffer)


if __name__ == "__main__":
    serve(Home(Path(sys.argv[1])), socket.socket(fileno=int(sys.argv[2])))
