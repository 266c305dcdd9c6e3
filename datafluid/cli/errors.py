"""The one boundary between exceptions and the terminal.

A command raises; this module says it in one sentence, adds what to try, and picks the exit code:

| code | meaning |
|---|---|
| 0 | done |
| 1 | failure: the operation, the machine or a server said no |
| 2 | wrong usage or invalid input |
| 3 | the object, dataset, path or file does not exist |
| 4 | waited long enough |
| 130 | interrupted by Ctrl-C (143: by SIGTERM) |
| 141 | whoever read our output went away |
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import typer

from datafluid.cli.escape import safe
from datafluid.errors import DatafluidError, Invalid

__all__ = ["DEBUG_VARIABLE", "ExitCode", "Terminated", "complain", "exit_code", "guarded"]

DEBUG_VARIABLE = "DATAFLUID_DEBUG"


class ExitCode(IntEnum):
    """What the process answers to its caller; scripts rely on these numbers."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    TIMEOUT = 4
    INTERRUPTED = 130
    PIPE = 141
    TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: the same clean-up as Ctrl-C, another exit code."""


_HINTS = {
    errno.ENOENT: "Check the spelling; the file may have been moved.",
    errno.EACCES: "Check who owns it and its permissions.",
    errno.EPERM: "Check who owns it and its permissions.",
    errno.ENOSPC: "Free some disk space, or run `datafluid cache evict`.",
    errno.EDQUOT: "Free some of your disk quota, or run `datafluid cache evict`.",
    errno.EROFS: "Choose a place that can be written.",
    errno.EISDIR: "Name a file.",
    errno.ENOTDIR: "Name a directory.",
    errno.EEXIST: "Choose another name, or remove what is there.",
    errno.EADDRINUSE: "Choose another port, or stop who has it.",
    errno.EADDRNOTAVAIL: "Give an address of this machine, or none.",
    errno.EMFILE: "Raise the limit of open files: `ulimit -n 4096`.",
    errno.ECONNREFUSED: "Check the endpoint and that the server is up.",
}


def exit_code(error: BaseException) -> ExitCode:
    """The exit code for an error.

    Example:
        >>> exit_code(FileNotFoundError(2, "No such file", "x.yaml")).name
        'NOT_FOUND'
    """
    if isinstance(error, Terminated):
        return ExitCode.TERMINATED
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, Invalid):
        return ExitCode.USAGE
    if isinstance(error, FileNotFoundError):
        return ExitCode.NOT_FOUND
    if isinstance(error, TimeoutError):
        return ExitCode.TIMEOUT
    return ExitCode.FAILURE


def describe(error: BaseException) -> tuple[str, str]:
    """What happened and what to try next, both fit for a terminal; the second may be empty."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted.", ""
    if isinstance(error, DatafluidError):
        return safe(error.message), safe(error.hint)
    if isinstance(error, OSError):
        what = error.strerror or str(error) or type(error).__name__
        where = f": {error.filename}" if error.filename is not None else ""
        return safe(f"{what}{where}."), _HINTS.get(error.errno or 0, "")
    message = f"this is a bug in datafluid: {type(error).__name__}: {error}"
    return safe(message[:500]), f"Run it again with {DEBUG_VARIABLE}=1 for the full trace, and report it."


def complain(error: BaseException, aim: Callable[[str], str] = str) -> ExitCode:
    """Tell an error on stderr and return the exit code for it; ``aim`` makes proposed commands fit the context."""
    if os.environ.get(DEBUG_VARIABLE, "") not in {"", "0"}:
        traceback.print_exception(error, file=sys.stderr)
    message, hint = describe(error)
    print(f"Error: {message}", file=sys.stderr)
    for finding in getattr(error, "findings", ())[1:]:
        print(f"       {safe(finding.placed())} {safe(aim(finding.hint))}", file=sys.stderr)
    if hint:
        print(f"Try:   {safe(aim(hint))}", file=sys.stderr)
    return exit_code(error)


def guarded(body: Callable[[], Any], aim: Callable[[str], str] = str) -> Any:
    """Run a command; whatever it raises becomes words on stderr and an exit code.

    Args:
        body: The command.
        aim: Makes proposed commands fit the context.

    Raises:
        typer.Exit: the command ended with a code other than 0.
    """
    try:
        answer = body()
        sys.stdout.flush()
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except BrokenPipeError:
        _forget_stdout()
        raise typer.Exit(ExitCode.PIPE) from None
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one boundary of the command line
        raise typer.Exit(complain(error, aim)) from None
    return answer


def _forget_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, sys.stdout.fileno())
    finally:
        os.close(nothing)
