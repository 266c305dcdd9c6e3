"""A real Trino server, put together from its jars: the engine itself, its Hive connector, Hadoop's filesystems."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from tests.engines.maven import jars

__all__ = ["running_trino"]

VERSION = "483"
_START_SECONDS = 240.0
_MAIN = f"""
public class Start {{
    public static void main(String[] arguments) {{ new io.trino.server.Server().start("{VERSION}"); }}
}}
"""
_PLUGIN = "io.trino.plugin.hive.HivePlugin"
_JVM = (
    "-Xmx1g", "-XX:+UseSerialGC", "-Djdk.attach.allowAttachSelf=true", "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow", "--add-modules=jdk.incubator.vector", "-Dnode.environment=test",
    "-Dnode.id=n1", "-Dnode.internal-address=127.0.0.1", "-Dnode.bind-ip=127.0.0.1",
)  # fmt: skip


@contextmanager
def running_trino(base: Path, catalogs: Mapping[str, str]) -> Iterator[str]:
    """Start one and stop it at the end. Without a JDK 25 or Maven the test is skipped.

    Args:
        base: Where its files go.
        catalogs: Contents of ``<name>.properties`` by name.

    Yields:
        ``http://127.0.0.1:port``.
    """
    java = _java_25()
    home = _installed(java)
    port = _free_port()
    catalog = base / "catalog"
    for directory in (catalog, base / "data"):
        directory.mkdir(parents=True)
    for name, text in catalogs.items():
        (catalog / f"{name}.properties").write_text(text)
    (base / "config.properties").write_text(_config(port, home / "plugin", catalog))
    command = [
        str(java / "java"), *_JVM, f"-Dnode.data-dir={base / 'data'}", f"-Dconfig={base / 'config.properties'}",
        "-cp", f"{home / 'main'}:{home / 'lib'}/*", "Start",
    ]  # fmt: skip
    with open(base / "trino.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=base)
    try:
        _until_up(f"http://127.0.0.1:{port}", process, base / "trino.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _java_25() -> Path:
    for place in sorted(Path("/usr/lib/jvm").glob("*25*/bin")):
        if (place / "javac").exists():
            return place
    pytest.skip("needs a JDK 25 below /usr/lib/jvm for Trino")


def _installed(java: Path) -> Path:
    """The server's directories: ``lib``, ``plugin/hive`` with its ``hdfs``, and the class that starts it."""
    engine = jars(f"io.trino:trino-main:{VERSION}")
    hive = jars(f"io.trino:trino-hive:{VERSION}")
    hdfs = jars(f"io.trino:trino-hdfs:{VERSION}")
    home = user_cache_path("datafluid-tests") / f"trino-{VERSION}"
    if home.is_dir():
        return home
    work = home.with_name(f"{home.name}.{time.monotonic_ns()}")
    _links(engine, work / "lib", but="none")
    _links(hive, work / "plugin" / "hive", but="trino-spi-")
    _links(hdfs, work / "plugin" / "hive" / "hdfs", but="trino-spi-")
    services = work / "services" / "META-INF" / "services"
    services.mkdir(parents=True)
    (services / "io.trino.spi.Plugin").write_text(_PLUGIN)
    jar = ["jar", "cf", str(work / "plugin" / "hive" / "services.jar"), "-C", str(work / "services"), "META-INF"]
    subprocess.run([str(java / jar[0]), *jar[1:]], check=True)
    (work / "main").mkdir()
    (work / "main" / "Start.java").write_text(_MAIN)
    javac = [str(java / "javac"), "-cp", f"{work / 'lib'}/*", str(work / "main" / "Start.java")]
    subprocess.run(javac, check=True)
    try:
        work.rename(home)
    except OSError:  # another process was first
        shutil.rmtree(work)
    return home


def _links(source: Path, target: Path, *, but: str) -> None:
    target.mkdir(parents=True)
    for jar in source.iterdir():
        if not jar.name.startswith(but):
            (target / jar.name).symlink_to(jar)


def _config(port: int, plugins: Path, catalogs: Path) -> str:
    settings = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "http-server.http.port": str(port),
        "discovery.uri": f"http://127.0.0.1:{port}",
        "query.max-memory-per-node": "256MB",
        "memory.heap-headroom-per-node": "256MB",
        "plugin.dir": str(plugins),
        "catalog.config-dir": str(catalogs),
        "catalog.management": "static",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/v1/info", timeout=5) as answer:
                if b'"starting":false' in answer.read():
                    return
        except OSError:
            pass
        time.sleep(0.5)  # nothing tells when a server of another process listens
    raise AssertionError(f"Trino did not come up.\n{log.read_text(errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
