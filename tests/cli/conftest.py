"""Running the command line, in process and as a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner, Result

import datafluid
from datafluid.client import Client

COMMAND = [sys.executable, "-m", "datafluid.cli"]


class Run(Protocol):
    """Runs a command in this process."""

    def __call__(self, *args: str, code: int = 0, input: str | None = None) -> Result:
        """Run it; it must end with exit code ``code``."""


@pytest.fixture
def run() -> Run:
    """The command line in this process; stdout and stderr apart."""
    from datafluid.cli.app import app

    def invoke(*args: str, code: int = 0, input: str | None = None) -> Result:
        result = CliRunner().invoke(app, args, input=input)
        assert result.exit_code == code, f"{args} ended with {result.exit_code}:\n{result.output}"
        return result

    return invoke


@pytest.fixture
def client() -> Client:
    """The embedded plane in this test's own home."""
    return datafluid.connect()


class Start(Protocol):
    """Starts a real process."""

    def __call__(self, *args: str, **settings: Any) -> subprocess.Popen[str]:
        """Start ``datafluid …`` with pipes for stdin, stdout and stderr."""


@pytest.fixture
def start() -> Iterator[Start]:
    """The command line as a process of its own; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def popen(*args: str, **settings: Any) -> subprocess.Popen[str]:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(
            [*COMMAND, *args],
            text=True,
            env=os.environ.copy(),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
            **{**pipes, **settings},
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
