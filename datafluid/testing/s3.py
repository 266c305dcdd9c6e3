"""A real S3 server on loopback, for tests, examples and demos.

versitygw where Go is found (built once, cached), moto otherwise. The server's own log tells which requests
it saw, so a test can prove that a read made none.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datafluid.errors import Unavailable

__all__ = ["Request", "S3Server", "find_versitygw", "serve_s3"]

_VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
_START_SECONDS = 30.0
_QUIET_LOOKS = 5
_LOG_LINE = re.compile(r"\| *(?P<status>\d{3}) *\|[^|]*\|[^|]*\| *(?P<method>[A-Z]+) *\| (?P<path>/.*?) \| ")
_MOTO_LINE = re.compile(r'"(?P<method>[A-Z]+) (?P<path>/\S*) HTTP/[\d.]+" (?P<status>\d{3})')


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that the server logged. ``path`` is ``/bucket/key``, without the query."""

    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """A running server.

    Args:
        kind: ``versitygw`` or ``moto``.
        endpoint: ``http://127.0.0.1:<port>``.
        root: With versitygw the directory whose sub-directories are the buckets; files put there are objects.
    """

    kind: str
    endpoint: str
    access_key: str
    secret_key: str
    root: Path
    log: Path
    process: subprocess.Popen[bytes]
    region: str = "us-east-1"

    def create_bucket(self, name: str) -> str:
        """Make an empty bucket; returns its name."""
        from obstore.store import S3Store

        if self.kind == "versitygw":
            (self.root / name).mkdir()
            return name
        # obstore cannot create buckets; a signed URL of the bucket itself can.
        from datetime import timedelta

        import obstore

        store = S3Store(name, **self.obstore_options())  # type: ignore[arg-type]  # its keys differ in type
        url = obstore.sign(store, "PUT", "", timedelta(minutes=1))
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10).close()
        return name

    def obstore_options(self) -> dict[str, str | bool]:
        """Keyword arguments for ``obstore.store.S3Store``."""
        return {
            "endpoint": self.endpoint,
            "access_key_id": self.access_key,
            "secret_access_key": self.secret_key,
            "region": self.region,
            "allow_http": True,
            "virtual_hosted_style_request": False,
        }

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Store one object through the S3 protocol."""
        import obstore
        from obstore.store import S3Store

        obstore.put(S3Store(bucket, **self.obstore_options()), key, data)  # type: ignore[arg-type]  # likewise

    def requests(self, method: str | None = None, *, below: str = "/") -> list[Request]:
        """The requests logged so far whose path starts with ``below``, oldest first."""
        pattern = _LOG_LINE if self.kind == "versitygw" else _MOTO_LINE
        text = self.log.read_text(encoding="utf-8", errors="replace")
        found = (pattern.search(line) for line in text.splitlines())
        seen = [_request(match, quoted=self.kind == "moto") for match in found if match]
        return [r for r in seen if r.path.startswith(below) and (method is None or r.method == method)]

    def settle(self) -> None:
        """Wait until the log has everything that was answered so far: the server writes it a moment later.

        Raises:
            Unavailable: the server does not answer, or writes no log.
        """
        mark = f"/settle-{secrets.token_hex(8)}"
        try:
            urllib.request.urlopen(self.endpoint + mark, timeout=10).close()
        except urllib.error.HTTPError as error:
            error.close()
        end = time.monotonic() + _START_SECONDS
        while mark not in self.log.read_text(encoding="utf-8", errors="replace"):
            if time.monotonic() > end:
                raise Unavailable(f"the S3 server ({self.kind}) has not logged a request.")
            time.sleep(0.002)
        seen, quiet = -1, 0  # requests are logged side by side: what was answered before may come a moment after
        while quiet < _QUIET_LOOKS:
            size = self.log.stat().st_size
            seen, quiet = size, quiet + 1 if size == seen else 0
            time.sleep(0.005)

    def kill(self) -> None:
        """Take the server away at once, as a crash would."""
        self.process.kill()
        self.process.wait()


def _request(match: re.Match[str], *, quoted: bool) -> Request:
    path = match["path"].partition("?")[0] if quoted else match["path"]
    return Request(
        method=match["method"], path=urllib.parse.unquote(path) if quoted else path, status=int(match["status"])
    )


def find_versitygw(cache: Path | None = None) -> Path | None:
    """The versitygw binary: on PATH, in the cache, or built now with Go; None where Go is missing.

    Args:
        cache: Where built binaries are kept; None takes ``DATAFLUID_TOOLS`` or ``.cache/bin`` below the
            current directory.
    """
    if found := shutil.which("versitygw"):
        return Path(found)
    cache = (cache or Path(os.environ.get("DATAFLUID_TOOLS", ".cache/bin"))).absolute()
    binary = cache / "versitygw"
    if not binary.exists() and shutil.which("go"):
        cache.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"GOBIN": str(cache), "CGO_ENABLED": "0"}
        subprocess.run(["go", "install", _VERSITYGW], env=environment, check=True, capture_output=True)
    return binary if binary.exists() else None


@contextmanager
def serve_s3(directory: Path, *, moto: bool = False, port: int | None = None) -> Iterator[S3Server]:
    """Run a server below ``directory`` until the block ends.

    Args:
        directory: Where it keeps its objects and its log; must exist.
        moto: Use moto even where versitygw is found.
        port: The loopback port; None takes a free one.

    Raises:
        Unavailable: the server did not come up; the message has the end of its log.
    """
    binary = None if moto else find_versitygw()
    root = directory / "buckets"
    root.mkdir(parents=True, exist_ok=True)
    log = directory / "s3.log"
    port = port or _free_port()
    access, secret = "datafluid-test", secrets.token_hex(20)
    if binary is not None:
        command = [str(binary), "--port", f"127.0.0.1:{port}", "--keep-alive", "posix", str(root)]
    else:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = os.environ | {"ROOT_ACCESS_KEY_ID": access, "ROOT_SECRET_ACCESS_KEY": secret}
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    server = S3Server(
        kind="moto" if binary is None else "versitygw",
        endpoint=f"http://127.0.0.1:{port}",
        access_key=access,
        secret_key=secret,
        root=root,
        log=log,
        process=process,
    )
    try:
        _wait_until_up(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # it waits for connections that clients keep open
            server.kill()


def _wait_until_up(server: S3Server) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            urllib.request.urlopen(server.endpoint, timeout=1).close()
        except urllib.error.HTTPError:
            return  # it answers: refusing an unsigned request is right
        except OSError:
            time.sleep(0.05)
        else:
            return
    tail = server.log.read_text(errors="replace")[-500:]
    raise Unavailable(f"the S3 server ({server.kind}) did not come up: {tail}", hint="Is the port free?")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
