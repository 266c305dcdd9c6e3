"""Every error that datafluid raises.

    DatafluidError
    ├── NotFound            (FileNotFoundError)   the object, dataset or path does not exist
    ├── AlreadyExists       (FileExistsError)     create found something in the way
    ├── NotADirectory       (NotADirectoryError)  a file where a directory was needed
    ├── IsADirectory        (IsADirectoryError)   a directory where a file was needed
    ├── Forbidden           (PermissionError)     credentials or RBAC do not allow it
    ├── ReadOnly            (OSError, EROFS)      the dataset's accessModes allow no writes
    ├── StaleVersion        (OSError, ESTALE)     the object changed under its reader
    ├── CacheFull           (OSError, ENOSPC)     quota or disk is used up and nothing can be evicted
    ├── Corrupt             (OSError, EIO)        bytes do not match what they should be
    ├── Unsupported         (OSError, ENOTSUP)    this plane, store or runtime cannot do it
    ├── Unavailable         (ConnectionError)     a server or store cannot be reached now
    ├── Timeout             (TimeoutError)        waited long enough; says what was seen last
    ├── Invalid             (ValueError)          the input is wrong; carries every lint finding
    ├── Conflict            (RuntimeError)        somebody else changed or owns it
    ├── Unschedulable       (RuntimeError)        no node fits what was to run; counts why, node by node
    └── OperationFailed     (RuntimeError)        a DataLoad, DataMigrate, ... ended in Failed

The leaves are builtin errors too, so code that knows nothing of datafluid catches what it expects.
Errors that are OSErrors carry the right ``errno``. This module imports nothing of the package, so that
every layer may raise from it.
"""

from __future__ import annotations

import errno as _errno
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

__all__ = [
    "AlreadyExists",
    "CacheFull",
    "Conflict",
    "Corrupt",
    "DatafluidError",
    "Forbidden",
    "Invalid",
    "IsADirectory",
    "NotADirectory",
    "NotFound",
    "OperationFailed",
    "ReadOnly",
    "StaleVersion",
    "Timeout",
    "Unavailable",
    "Unschedulable",
    "Unsupported",
]


class DatafluidError(Exception):
    """The root of all errors raised by datafluid.

    Args:
        message: What happened, one sentence.
        hint: What to try next, one sentence; shown after the message.

    Example:
        >>> str(DatafluidError("no dataset default/x.", hint="Run `datafluid get`."))
        'no dataset default/x. Run `datafluid get`.'
    """

    #: The errno of the leaves that are OSErrors; None for the others.
    code: ClassVar[int | None] = None

    def __init__(self, message: str, *, hint: str = "") -> None:
        arguments = (message,) if self.code is None else (self.code, message)
        super().__init__(*arguments)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.hint, self._details())

    def _details(self) -> dict[str, Any]:
        """What a subclass carries besides message and hint; it must survive pickling."""
        return {}


def _rebuild(kind: type[DatafluidError], message: str, hint: str, details: dict[str, Any]) -> DatafluidError:
    return kind(message, hint=hint, **details)


class NotFound(DatafluidError, FileNotFoundError):
    """The object, dataset or path does not exist."""

    code = _errno.ENOENT


class AlreadyExists(DatafluidError, FileExistsError):
    """Create found something in the way."""

    code = _errno.EEXIST


class NotADirectory(DatafluidError, NotADirectoryError):
    """A file stands where a directory was needed."""

    code = _errno.ENOTDIR


class IsADirectory(DatafluidError, IsADirectoryError):
    """A directory stands where a file was needed."""

    code = _errno.EISDIR


class Forbidden(DatafluidError, PermissionError):
    """Credentials or RBAC do not allow it.

    Args:
        rule: The permission that is missing, where it is known.
    """

    code = _errno.EACCES

    def __init__(self, message: str, *, hint: str = "", rule: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule

    def _details(self) -> dict[str, Any]:
        return {"rule": self.rule}


class ReadOnly(DatafluidError, OSError):
    """The dataset's accessModes allow no writes."""

    code = _errno.EROFS


class StaleVersion(DatafluidError, OSError):
    """The object changed under its reader; open it again to read the new version."""

    code = _errno.ESTALE


class CacheFull(DatafluidError, OSError):
    """The quota or the disk is used up and nothing can be evicted."""

    code = _errno.ENOSPC


class Corrupt(DatafluidError, OSError):
    """Bytes do not match what they should be, and fetching them again did not help."""

    code = _errno.EIO


class Unsupported(DatafluidError, OSError):
    """This plane, under-store or runtime cannot do it."""

    code = _errno.ENOTSUP


class Unavailable(DatafluidError, ConnectionError):
    """A server or an under-store cannot be reached now; trying again later may help."""

    code = _errno.EHOSTUNREACH


class Timeout(DatafluidError, TimeoutError):
    """It took longer than the caller allowed.

    Args:
        last_seen: The last state that was observed, for the message and for programs.
    """

    code = _errno.ETIMEDOUT

    def __init__(self, message: str, *, hint: str = "", last_seen: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.last_seen = last_seen

    def _details(self) -> dict[str, Any]:
        return {"last_seen": self.last_seen}


class Invalid(DatafluidError, ValueError):
    """The input is wrong.

    Args:
        findings: Every lint finding (``datafluid.model.lint.Finding``), the first one told in the message.
    """

    def __init__(self, message: str, *, hint: str = "", findings: Sequence[Any] = ()) -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)

    def _details(self) -> dict[str, Any]:
        return {"findings": self.findings}


class Conflict(DatafluidError, RuntimeError):
    """Somebody else changed it, or owns the field."""


class Unschedulable(DatafluidError, RuntimeError):
    """No node fits what was to run.

    Args:
        reasons: What is in the way, and on how many nodes.
    """

    def __init__(self, message: str, *, hint: str = "", reasons: Mapping[str, int] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reasons = dict(reasons or {})

    def _details(self) -> dict[str, Any]:
        return {"reasons": self.reasons}


class OperationFailed(DatafluidError, RuntimeError):
    """A DataLoad, DataMigrate, DataBackup or DataProcess ended in phase Failed."""
