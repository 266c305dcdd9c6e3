"""What must be right about this machine for the embedded plane to work: ``datafluid doctor`` asks here.

Each check is one function that returns one `Check` and never raises. They look only at the machine; what the
registry holds (datasets, schedules) is looked at by `datafluid.local.checkup`.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from datafluid.agent.mounts import filesystem_type
from datafluid.engine.cache.quota import minimum_free
from datafluid.engine.home import is_network_filesystem
from datafluid.engine.reconcile.tiers import DEFAULT_FLOOR
from datafluid.model.quantity import format_size

__all__ = ["Check", "check_directory", "check_disk", "check_machine"]

#: Below this a WAL with several writers can be corrupted (https://sqlite.org/wal.html#walresetbug).
_SQLITE_NEEDED = (3, 51, 3)
_FILES_WANTED = 1024
_CLOCK_TOLERANCE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding about the machine.

    Args:
        name: What was looked at, a few words.
        status: ``ok``; ``warn``: works, but not as well as it could; ``fail``: something will not work.
        message: What was seen.
        hint: What to do about it.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    message: str
    hint: str = ""


def check_machine(home: Path) -> list[Check]:
    """All that can be said without opening the home directory's databases.

    Args:
        home: The home directory; it need not exist yet.
    """
    return [
        check_versions(),
        check_sqlite(),
        check_directory("home", home),
        check_disk("home", home, needed=DEFAULT_FLOOR),
        check_processes(),
        check_fork(),
        check_open_files(),
        check_clock(home),
        check_time_zones(),
    ]


def check_versions() -> Check:
    """The versions that a bug report needs."""
    from importlib.metadata import version

    parts = [f"datafluid {version('datafluid')}", f"Python {platform.python_version()}"]
    parts += [f"{name} {version(name)}" for name in ("obstore", "fsspec")]
    return Check(name="versions", status="ok", message=", ".join([*parts, f"{platform.system()} {platform.release()}"]))


def check_sqlite() -> Check:
    """Whether the bundled SQLite is safe with several writers."""
    import apsw

    text = apsw.sqlite_lib_version()
    if tuple(int(part) for part in text.split(".")[:3]) < _SQLITE_NEEDED:
        return Check(
            name="sqlite",
            status="fail",
            message=f"SQLite {text} can corrupt a database that several processes write.",
            hint="Run `pip install --upgrade apsw`.",
        )
    return Check(name="sqlite", status="ok", message=f"SQLite {text}, apsw {apsw.apsw_version()}")


def check_directory(name: str, path: Path) -> Check:
    """Whether a directory is ours, private, writable, and on a local filesystem."""
    where = _existing(path)
    kind = filesystem_type(where)
    if is_network_filesystem(kind):
        return Check(
            name=name,
            status="fail",
            message=f"{path} is on {kind}, where kernel locks and SQLite are not reliable.",
            hint="Choose a local disk: set DATAFLUID_HOME, or the path of the tier.",
        )
    if not where.is_dir():
        hint = "Set DATAFLUID_HOME to a directory of your own." if name == "home" else "Choose another path."
        return Check(name=name, status="fail", message=f"{path} cannot be: {where} is no directory.", hint=hint)
    if not os.access(where, os.W_OK | os.X_OK):
        return Check(
            name=name,
            status="fail",
            message=f"{where} cannot be written.",
            hint="Set DATAFLUID_HOME to a directory of your own, or mend this one."
            if name == "home"
            else "Change its permissions, or the path.",
        )
    if where != path:
        return Check(name=name, status="ok", message=f"{path} will be made on {kind}")
    facts = path.stat()
    if facts.st_uid != os.geteuid():
        return Check(
            name=name,
            status="fail",
            message=f"{path} belongs to uid {facts.st_uid}, not to you ({os.geteuid()}).",
            hint="Run `chown` on it, or choose another path.",
        )
    mode = stat.S_IMODE(facts.st_mode)
    if name == "home" and mode & 0o077:
        status: Literal["warn", "fail"] = "fail" if mode & 0o022 else "warn"
        what = "others may write to it" if mode & 0o022 else "others can look in"
        return Check(
            name=name,
            status=status,
            message=f"{path} has mode {mode:04o}: {what}.",
            hint=f"Run `chmod 700 {path}`.",
        )
    return Check(name=name, status="ok", message=f"{path} on {kind}")


def check_disk(name: str, path: Path, *, needed: int = 0) -> Check:
    """Whether there is room.

    Args:
        needed: Bytes that may still be written there, such as what a quota leaves; 0 when there is no figure.
    """
    usage = shutil.disk_usage(_existing(path))
    kept = minimum_free(usage.total)
    message = f"{format_size(usage.free)} free of {format_size(usage.total)}"
    if usage.free <= kept:
        return Check(
            name=f"{name} space",
            status="fail",
            message=f"{message}: nothing more can be cached.",
            hint="Free some space, or move it to a larger disk.",
        )
    if needed > usage.free - kept:
        return Check(
            name=f"{name} space",
            status="warn",
            message=f"{message}: the quota allows {format_size(needed)} more.",
            hint="Lower the quota; reads bypass the cache when the disk is full.",
        )
    return Check(name=f"{name} space", status="ok", message=message)


def check_processes() -> Check:
    """Whether Python can start itself: loads, and cache misses of forked children, run in executed processes."""
    command = [sys.executable, "-c", "import datafluid"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name="processes", status="fail", message=f"{sys.executable!r} does not start: {error}.")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return Check(
            name="processes",
            status="fail",
            message=f"a new {sys.executable} cannot import datafluid: {last}",
            hint="Install datafluid into that interpreter rather than on sys.path by hand.",
        )
    return Check(name="processes", status="ok", message=f"{sys.executable} starts and imports datafluid")


def check_fork() -> Check:
    """Whether worker processes of multiprocessing are forked: HTTP clients hang in a forked child."""
    method = multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]
    told = "forked workers read cached files directly, and misses through a helper" if method == "fork" else "no hazard"
    return Check(name="fork", status="ok", message=f"multiprocessing starts workers by {method}: {told}")


def check_open_files() -> Check:
    """Whether enough files may be open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES_WANTED:
        return Check(
            name="open files",
            status="warn",
            message=f"only {soft} files may be open at once.",
            hint=f"Run `ulimit -n {min(hard, 4096)}`.",
        )
    return Check(name="open files", status="ok", message=f"{soft} may be open at once")


def check_clock(home: Path) -> Check:
    """Whether the clock is sane: signatures, schedules and ages rest on it."""
    installed = Path(__file__).stat().st_mtime
    if time.time() < installed - 86400:
        return Check(
            name="clock",
            status="fail",
            message=f"it is {time.strftime('%Y-%m-%d')} by this clock, before datafluid was installed.",
            hint="Set the clock, or start a time service.",
        )
    where = _existing(home)
    if not (where.is_dir() and os.access(where, os.W_OK)):
        return Check(name="clock", status="ok", message=time.strftime("%Y-%m-%d %H:%M:%S %z"))
    with tempfile.TemporaryFile(dir=where) as file:
        skew = os.fstat(file.fileno()).st_mtime - time.time()
    if abs(skew) > _CLOCK_TOLERANCE:
        return Check(
            name="clock",
            status="warn",
            message=f"files in {where} are stamped {skew:+.0f} s off this clock.",
            hint="Use a local disk; synchronise the clocks.",
        )
    return Check(name="clock", status="ok", message=time.strftime("%Y-%m-%d %H:%M:%S %z"))


def check_time_zones() -> Check:
    """Whether schedules can name time zones."""
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Check(
            name="time zones",
            status="fail",
            message="this machine has no time zone database.",
            hint="Run `pip install tzdata`.",
        )
    return Check(name="time zones", status="ok", message="the time zone database is there")


def _existing(path: Path) -> Path:
    """The path itself, or the nearest directory above it that exists."""
    while not path.exists():
        path = path.parent
    return path
