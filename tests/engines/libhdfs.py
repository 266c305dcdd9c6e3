"""Hadoop's native client, built from its C sources as a Python package ships them, and the jars that it loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from tests.engines.alluxio import CLIENT
from tests.engines.maven import jars

__all__ = ["hadoop_environment"]

_SOURCES = "pydoop==2.0.0"
_BUILT_WITH = "setuptools==75.8.0"  # its set-up script knows no later ones
_HADOOP = ("org.apache.hadoop:hadoop-client-api:3.3.6", "org.apache.hadoop:hadoop-client-runtime:3.3.6")
_SECONDS = 600


def hadoop_environment() -> Mapping[str, str]:
    """The environment in which PyArrow finds libhdfs, Hadoop 3.3 and Alluxio's client."""
    java = shutil.which("javac")
    if java is None or shutil.which("gcc") is None:
        pytest.skip("needs gcc and a JDK: apt-get install gcc openjdk-17-jdk-headless")
    home = Path(java).resolve().parents[1]
    library = user_cache_path("datafluid-tests") / "libhdfs"
    if not (library / "libhdfs.so").exists():
        _build(library, home)
    classpath = ":".join(f"{jar}" for place in (jars(*_HADOOP), jars(CLIENT)) for jar in sorted(place.iterdir()))
    return os.environ | {"ARROW_LIBHDFS_DIR": str(library), "CLASSPATH": classpath, "JAVA_HOME": str(home)}


def _build(library: Path, home: Path) -> None:
    library.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library) as work:
        sources = _sources(Path(work)) / "src" / "libhdfs"
        folders = (".", "include", "common", "os", "os/posix", f"{home}/include", f"{home}/include/linux")
        names = ("exception.c", "hdfs.c", "jni_helper.c", "common/htable.c")
        posix = sorted(str(each) for each in (sources / "os" / "posix").glob("*.c"))
        machine = f"{home}/lib/server"
        command = [
            "gcc", "-shared", "-fPIC", "-O1", "-w", *(f"-I{each}" for each in folders), "-o", f"{work}/libhdfs.so",
            *names, *posix, f"-L{machine}", "-ljvm", f"-Wl,-rpath,{machine}", "-lpthread",
        ]  # fmt: skip
        subprocess.run(command, cwd=sources, check=True, timeout=_SECONDS)
        os.replace(f"{work}/libhdfs.so", library / "libhdfs.so")


def _sources(work: Path) -> Path:
    (work / "constraints").write_text(_BUILT_WITH)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d", str(work)]
    environment = os.environ | {"PIP_CONSTRAINT": str(work / "constraints")}
    done = subprocess.run([*pip, _SOURCES], env=environment, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        pytest.skip(f"pip cannot fetch the sources of libhdfs: {done.stderr[-300:]}")
    (archive,) = work.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(work, filter="data")
    return archive.with_name(archive.name.removesuffix(".tar.gz"))
