"""Jars of real engines, fetched once by Maven and kept below the user's cache directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from platformdirs import user_cache_path

__all__ = ["jars"]

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_SECONDS = 900


def jars(*coordinates: str, exclude: Sequence[str] = ()) -> Path:
    """A directory with the jars of some artifacts and all that they need at run time.

    Args:
        coordinates: ``group:artifact:version``, exact.
        exclude: ``group:artifact`` of what is not wanted.

    Returns:
        The directory. Where there is no Maven, or no network, the test is skipped with the reason.
    """
    if shutil.which("mvn") is None or shutil.which("java") is None:
        pytest.skip("needs Maven and Java 17: apt-get install maven openjdk-17-jdk-headless")
    pom = _pom(coordinates, exclude)
    place = user_cache_path("datafluid-tests") / "jars" / hashlib.sha256(pom.encode()).hexdigest()[:16]
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        _fetch(pom, place)
    return place


def _fetch(pom: str, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent) as work:
        (Path(work) / "pom.xml").write_text(pom)
        command = ["mvn", "-q", "-B", _PLUGIN, "-DincludeScope=runtime", "-DoutputDirectory=lib"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, timeout=_SECONDS)
        if done.returncode:
            pytest.skip(f"Maven cannot fetch the jars: {done.stdout[-500:]}")
        try:
            os.rename(Path(work) / "lib", place)
        except OSError:  # another process was first
            if not place.is_dir():
                raise


def _pom(coordinates: Sequence[str], exclude: Sequence[str]) -> str:
    exclusions = "".join(
        f"<exclusion><groupId>{group}</groupId><artifactId>{artifact}</artifactId></exclusion>"
        for group, artifact in (each.split(":") for each in map(escape, exclude))
    )
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        f"<exclusions>{exclusions}</exclusions></dependency>"
        for group, artifact, version in (each.split(":") for each in map(escape, coordinates))
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>test</groupId><artifactId>test</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
