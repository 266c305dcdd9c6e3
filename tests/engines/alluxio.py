"""A real Alluxio on this machine: master, worker and REST proxy, with a directory as its under-store."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines.maven import jars

__all__ = ["CLIENT", "Alluxio", "running_alluxio"]

VERSION = "2.9.4"
CLIENT = "org.alluxio:alluxio-shaded-client:2.9.3"
_SERVERS = ("core-server-master", "core-server-worker", "core-server-proxy", "underfs-local")
_DAEMONS = ("master.AlluxioMaster", "worker.AlluxioWorker", "proxy.AlluxioProxy")
_START_SECONDS = 120.0
_PORTS = ("master.rpc", "master.web", "worker.rpc", "worker.web", "proxy.web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alluxio:
    """A running Alluxio.

    Args:
        root: The under-store: what lies here is in Alluxio's root.
        tier: The directory of the worker's only tier.
        ports: By ``master.rpc``, ``proxy.web``, and so on.
    """

    root: Path
    tier: Path
    ports: Mapping[str, int]

    @property
    def gateway(self) -> str:
        """``host:port`` of the REST proxy, as ``status.apiGateway.endpoint`` has it."""
        return f"127.0.0.1:{self.ports['proxy.web']}"

    @property
    def uri(self) -> str:
        """``alluxio://host:port``."""
        return f"alluxio://127.0.0.1:{self.ports['master.rpc']}"


@contextmanager
def running_alluxio(base: Path) -> Iterator[Alluxio]:
    """Start one below ``base`` and stop it at the end. Without Maven or Java the test is skipped."""
    library = jars(*(f"org.alluxio:alluxio-{name}:{VERSION}" for name in _SERVERS))
    found = Alluxio(root=base / "ufs", tier=base / "tier", ports=_free_ports())
    for directory in (found.root, found.tier, base / "conf", base / "journal", base / "logs"):
        directory.mkdir(parents=True)
    (base / "conf" / "alluxio-site.properties").write_text(_site(found, base))
    wanted = (jar for jar in sorted(library.iterdir()) if "tests.jar" not in jar.name and "log4j-slf4j" not in jar.name)
    java = [
        "java", "-Xmx384m", "-cp", ":".join([str(base / "conf"), *map(str, wanted)]),
        f"-Dalluxio.site.conf.dir={base / 'conf'}", f"-Dalluxio.conf.dir={base / 'conf'}", f"-Dalluxio.home={base}",
        f"-Dalluxio.logs.dir={base / 'logs'}",
    ]  # fmt: skip
    for what in ("master", "worker"):
        subprocess.run([*java, "alluxio.cli.Format", what], check=True, capture_output=True, timeout=_START_SECONDS)
    processes = []
    try:
        for daemon in _DAEMONS:
            with open(base / "logs" / f"{daemon}.out", "wb") as log:
                processes.append(subprocess.Popen([*java, f"alluxio.{daemon}"], stdout=log, stderr=log))
        _until_up(found, processes, base / "logs")
        yield found
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def _until_up(found: Alluxio, processes: list[subprocess.Popen[bytes]], logs: Path) -> None:
    """Until a file can be written through the proxy: only then are master, worker and proxy there."""
    end = time.monotonic() + _START_SECONDS
    while True:
        dead = [process for process in processes if process.poll() is not None]
        if dead or time.monotonic() > end:
            told = "\n".join(log.read_text(errors="replace")[-1000:] for log in sorted(logs.glob("*.out")))
            raise AssertionError(f"Alluxio did not come up.\n{told}")
        try:
            _write_and_delete(f"http://{found.gateway}/api/v1", f".up-{time.monotonic_ns()}")
            return
        except OSError:
            time.sleep(0.3)  # nothing tells when a server of another process listens


def _write_and_delete(api: str, name: str) -> None:
    stream = _post(f"{api}/paths//{name}/create-file", b'{"writeType":"MUST_CACHE"}').decode()
    _post(f"{api}/streams/{stream}/write", b"up", content="application/octet-stream")
    _post(f"{api}/streams/{stream}/close", b"")
    _post(f"{api}/paths//{name}/delete", b"{}")


def _post(url: str, body: bytes, *, content: str = "application/json") -> bytes:
    request = urllib.request.Request(url, body, {"Content-Type": content})
    with urllib.request.urlopen(request, timeout=20) as answer:
        data: bytes = answer.read()
        return data


def _free_ports() -> dict[str, int]:
    sockets = [socket.socket() for _ in _PORTS]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(_PORTS, sockets, strict=True)}
    finally:
        for each in sockets:
            each.close()


def _site(found: Alluxio, base: Path) -> str:
    here = "127.0.0.1"
    settings = {
        **{f"alluxio.{each}.hostname": here for each in ("master", "worker", "proxy", "user")},
        **{f"alluxio.{each}.bind.host": here for each in ("master", "worker", "proxy.web", "master.web", "worker.web")},
        **{f"alluxio.{name}.port": str(port) for name, port in found.ports.items()},
        "alluxio.locality.node": here,
        "alluxio.master.mount.table.root.ufs": str(found.root),
        "alluxio.master.journal.type": "UFS",
        "alluxio.master.journal.folder": str(base / "journal"),
        "alluxio.master.metastore": "HEAP",
        "alluxio.worker.ramdisk.size": "256MB",
        "alluxio.worker.tieredstore.levels": "1",
        "alluxio.worker.tieredstore.level0.alias": "MEM",
        "alluxio.worker.tieredstore.level0.dirs.path": str(found.tier),
        "alluxio.worker.tieredstore.level0.dirs.quota": "256MB",
        "alluxio.worker.register.lease.enabled": "false",
        "alluxio.security.authorization.permission.enabled": "false",
        "alluxio.master.update.check.enabled": "false",
        "alluxio.proxy.s3.v2.version.enabled": "false",
        "alluxio.user.file.metadata.sync.interval": "0",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
