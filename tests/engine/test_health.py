"""Is this machine fit for the embedded plane?"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from datafluid.engine import health


def test_a_private_local_directory_is_fine(tmp_path: Path) -> None:
    """Ours, 0700, local."""
    tmp_path.chmod(0o700)
    check = health.check_directory("home", tmp_path)
    assert check.status == "ok", check


def test_a_home_that_does_not_exist_yet_is_fine(tmp_path: Path) -> None:
    """The nearest directory above it decides; nothing is made."""
    assert health.check_directory("home", tmp_path / "a/b").status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_others_can_enter_is_a_warning_with_the_command_that_mends_it(tmp_path: Path) -> None:
    """chmod 700; one that they can write is a failure."""
    for mode, status in ((0o755, "warn"), (0o775, "fail")):
        tmp_path.chmod(mode)
        check = health.check_directory("home", tmp_path)
        assert (check.status, check.hint) == (status, f"Run `chmod 700 {tmp_path}`.")


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.juicefs"])
def test_a_network_filesystem_fails(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernel locks and SQLite are not reliable there."""
    monkeypatch.setattr(health, "filesystem_type", lambda path: kind)
    check = health.check_directory("home", tmp_path)
    assert check.status == "fail"
    assert kind in check.message
    assert check.hint


def test_a_directory_of_somebody_else_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its owner may cache in it."""
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert health.check_directory("tier", tmp_path).status == "fail"


@pytest.mark.parametrize(
    ("free", "needed", "status"),
    [(100 << 30, 0, "ok"), (100 << 30, 200 << 30, "warn"), (1 << 20, 0, "fail")],
)
def test_room_is_compared_with_what_the_quota_allows(
    free: int, needed: int, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full is a failure; a quota larger than the disk is a warning."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=500 << 30, free=free))
    assert health.check_disk("home", tmp_path, needed=needed).status == status


def test_a_small_disk_is_told_in_its_own_unit_and_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less is free than the smallest default cache."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=20 << 20, free=10 << 20))
    (check,) = [check for check in health.check_machine(tmp_path) if check.name == "home space"]
    assert check.status == "warn"
    assert "10.00MiB free of 20.00MiB" in check.message


def test_an_interpreter_that_cannot_start_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads run in executed processes."""
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert health.check_processes().status == "fail"


def test_a_clock_before_the_installation_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that lost its clock cannot sign requests or keep schedules."""
    monkeypatch.setattr(time, "time", lambda: 86400.0)
    check = health.check_clock(tmp_path)
    assert check.status == "fail"


def test_few_open_files_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint is the command."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, 4096))
    check = health.check_open_files()
    assert (check.status, check.hint) == ("warn", "Run `ulimit -n 4096`.")


def test_an_old_sqlite_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 3.51.3 a WAL with several writers can be corrupted."""
    import apsw

    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    assert health.check_sqlite().status == "fail"


def test_this_machine_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    """Every check answers, in a home that does not exist yet, and leaves nothing behind."""
    checks = health.check_machine(tmp_path / "home")
    assert {
        "versions",
        "sqlite",
        "home",
        "home space",
        "processes",
        "fork",
        "open files",
        "clock",
        "time zones",
    } == {check.name for check in checks}
    assert [check for check in checks if check.status == "fail"] == []
    assert list(tmp_path.iterdir()) == []
