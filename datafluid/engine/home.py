"""The home directory of the embedded plane: everything it keeps, below one private directory."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from datafluid.agent.mounts import filesystem_type
from datafluid.errors import CacheFull, Forbidden, Invalid, Unsupported

__all__ = ["Home", "home_path", "is_network_filesystem"]

#: SQLite's locks and mapped files cannot be trusted on these; users met it as corruption.
_NETWORK_FILESYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "glusterfs", "9p", "beegfs", "afpfs"}
)
_ELSEWHERE = "Set DATAFLUID_HOME to a directory of your own."


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below ``DATAFLUID_HOME``.

    Args:
        path: The directory, absolute.
    """

    path: Path

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None = None) -> Home:
        """The home directory, created on first use.

        Args:
            path: Where it is; None takes ``DATAFLUID_HOME``, else the platform's directory for user data.

        Raises:
            Forbidden: it belongs to somebody else, or others may write to it.
            Unsupported: it is on a network filesystem, or on one that cannot be written.
            Invalid: something else has its name.
            CacheFull: its disk is full.
        """
        home = cls(home_path(path))
        with _usable(home.path):
            home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(home.path)
        kind = filesystem_type(home.path)
        if is_network_filesystem(kind):
            raise Unsupported(
                f"the home directory {home.path} is on a network filesystem ({kind}), where locks cannot be trusted.",
                hint="Set DATAFLUID_HOME to a directory on a local disk.",
            )
        with _usable(home.path):
            for directory in (home.locks, home.secrets_directory, home.cache):
                directory.mkdir(mode=0o700, exist_ok=True)
            if not os.access(home.path, os.W_OK):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return home

    @classmethod
    def locate(cls, path: str | os.PathLike[str] | None = None) -> Home:
        """Where the home directory is or would be; nothing is created or checked.

        Args:
            path: As for `open`.
        """
        return cls(home_path(path))

    @property
    def id(self) -> str:
        """Names this home in tier directories, so that two homes may share a disk."""
        file = self.path / "id"
        try:
            return file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            fresh = file.with_name(f"id.{os.getpid()}")
            try:
                with _usable(self.path):
                    fresh.write_text(secrets.token_hex(6), encoding="ascii")
                    with suppress(FileExistsError):
                        os.link(fresh, file)  # the first of several processes wins
            finally:
                fresh.unlink(missing_ok=True)
            return file.read_text(encoding="ascii").strip()

    @property
    def registry(self) -> Path:
        """What was declared; not disposable."""
        return self.path / "registry.db"

    @property
    def cache_index(self) -> Path:
        """What is cached where; disposable."""
        return self.path / "cache.db"

    @property
    def generation(self) -> Path:
        """The counter that tells other processes to forget what they remember."""
        return self.path / "generation"

    @property
    def locks(self) -> Path:
        """Lock files; they are never removed while the home exists."""
        return self.path / "locks"

    @property
    def secrets_directory(self) -> Path:
        """``<namespace>/<name>/<key>`` files in place of Kubernetes Secrets."""
        return self.path / "secrets"

    @property
    def cache(self) -> Path:
        """The default tier, for datasets without a runtime."""
        return self.path / "cache"

    @property
    def logs(self) -> Path:
        """What the processes of loads print."""
        return self.path / "logs"


def is_network_filesystem(kind: str) -> bool:
    """Whether locks cannot be trusted on a filesystem of that type.

    Example:
        >>> is_network_filesystem("nfs4"), is_network_filesystem("ext4")
        (True, False)
    """
    return kind in _NETWORK_FILESYSTEMS or kind.startswith("fuse.")


def home_path(path: str | os.PathLike[str] | None) -> Path:
    """The home directory that a path names; None takes ``DATAFLUID_HOME``, else the platform's."""
    given = path or os.environ.get("DATAFLUID_HOME")
    if given:
        return Path(os.path.abspath(os.path.expanduser(given)))
    from platformdirs import user_data_path

    return user_data_path("datafluid")


@contextmanager
def _usable(home: Path) -> Iterator[None]:
    """What the machine refuses below the home directory, in words."""
    try:
        yield
    except OSError as error:
        told = f"datafluid's home directory {home} cannot be used: {error.strerror}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CacheFull(f"the disk of {home} is full.", hint="Free some space on it.") from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Forbidden(f"{told}.", hint=_ELSEWHERE) from error
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            raise Invalid(f"{told}: {error.filename}.", hint=_ELSEWHERE) from error
        raise Unsupported(f"{told}.", hint=_ELSEWHERE) from error


def _check_owner(path: Path) -> None:
    status = path.stat()
    if status.st_uid != os.geteuid():
        raise Forbidden(
            f"the home directory {path} belongs to user {status.st_uid}, not to you.",
            hint=_ELSEWHERE,
        )
    if stat.S_IMODE(status.st_mode) & 0o022:
        raise Forbidden(
            f"others may write to the home directory {path}.", hint=f"Run `chmod 700 {path}` or use another one."
        )
    if stat.S_IMODE(status.st_mode) != 0o700:
        path.chmod(0o700)
