"""Peers that may be missing: rclone and s5cmd, found on PATH or among the tools, or built; and alluxiofs."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from benchmarks.ground import BUCKET, Ground
from benchmarks.races import tell

__all__ = ["alluxio_over_files", "rclone_copy", "s5cmd_copy"]

_RCLONE = "github.com/rclone/rclone@v1.76.0"


def alluxio_over_files() -> Any | None:
    """Alluxiofs as it works without a cluster, passing calls on to local files; None where it is not installed."""
    try:
        from alluxiofs import AlluxioFileSystem
    except ImportError:
        tell("alluxiofs: not installed, left out")
        return None
    return AlluxioFileSystem(
        target_protocol="file",
        worker_hosts="localhost:28080",
        test_options={"skip_alluxio": True},
        logger=logging.getLogger("alluxiofs"),  # its own writes into the working directory
        skip_instance_cache=True,
    )


def s5cmd_copy(base: Ground, prefix: str, target: Path, *, large: bool) -> list[str] | None:
    """The command that copies a prefix of the bucket, tuned; None where s5cmd is missing."""
    scripts = Path(sysconfig.get_path("scripts")) / "s5cmd"
    program = shutil.which("s5cmd") or (str(scripts) if scripts.exists() else None)
    if program is None:
        return None
    tuned = ["--concurrency", "8", "--part-size", "16"] if large else []
    workers = "8" if large else "32"
    command = [program, "--endpoint-url", base.server.endpoint, "--log", "error", "--numworkers", workers]
    return [*command, "cp", *tuned, f"s3://{BUCKET}/{prefix}/*", f"{target}/"]


def rclone_copy(base: Ground, prefix: str, target: Path, *, large: bool) -> list[str] | None:
    """The command that copies a prefix of the bucket, tuned; None where rclone is missing."""
    program = _rclone()
    if program is None:
        return None
    remote = f":s3,provider=Other,env_auth,endpoint='{base.server.endpoint}',force_path_style:{BUCKET}/{prefix}"
    if large:
        tuned = ["--transfers", "4", "--multi-thread-streams", "4", "--multi-thread-cutoff", "64M"]
    else:
        tuned = ["--transfers", "32", "--checkers", "32"]
    return [
        program,
        "copy",
        "--config",
        os.devnull,
        "--ignore-checksum",
        "--no-check-dest",
        *tuned,
        remote,
        str(target),
    ]


def _rclone() -> str | None:
    """The rclone program: on PATH, among the tools, or built now with Go."""
    if found := shutil.which("rclone"):
        return found
    tools = Path(os.environ.get("DATAFLUID_TOOLS", ".cache/bin")).absolute()
    program = tools / "rclone"
    if not program.exists() and shutil.which("go"):
        tell("Building rclone, once …")
        environment = os.environ | {"GOBIN": str(tools), "CGO_ENABLED": "0"}
        subprocess.run(["go", "install", _RCLONE], env=environment, check=True, capture_output=True)
    return str(program) if program.exists() else None
