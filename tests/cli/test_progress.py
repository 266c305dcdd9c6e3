"""Plain progress lines."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator

import pytest

from datafluid.cli.progress import LINE_INTERVAL, meter


def ticking(*moments: float) -> Iterator[float]:
    yield from moments
    while True:
        yield moments[-1]


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_lines_have_bytes_rate_and_eta(capsys: pytest.CaptureFixture[str]) -> None:
    """What the worker measured is shown; nothing but ASCII text, no carriage returns."""
    with meter("DataLoad default/x") as report:
        report(1 << 20, 4 << 20, note="1/4 files", rate=1 << 20, eta=3)
    assert told(capsys) == ["DataLoad default/x: 1.00MiB of 4.00MiB, 25.0%, 1/4 files, 1.00MiB/s, ETA 3s"]


def test_rate_and_eta_are_measured_when_nobody_else_did(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes over the time since the start."""
    clock = ticking(0.0, 2.0)
    with meter("x", clock=lambda: next(clock)) as report:
        report(2048, 4096)
    assert told(capsys) == ["x: 2.00KiB of 4.00KiB, 50.0%, 1.00KiB/s, ETA 2s"]


def test_lines_are_few_and_the_last_state_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """One at once, one an interval, one at the end."""
    clock = ticking(0.0, 0.0, 1.0, 2.0, LINE_INTERVAL + 0.1, LINE_INTERVAL + 0.2)
    with meter("x", clock=lambda: next(clock)) as report:
        for done in range(5):
            report(done, 4, note=f"step {done}", rate=0.0, eta=0.0)
    assert [line.rpartition(" ")[2] for line in told(capsys)] == ["0", "3", "4"]


def test_words_are_told_at_once_and_not_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A state may last for ever: why it lasts cannot wait for the next report."""
    clock = ticking(0.0)
    with meter("x", clock=lambda: next(clock)) as report:
        for note in ("waiting", "waiting; the mount is wrong", "waiting; the mount is wrong"):
            report(None, None, note=note)
        assert told(capsys) == ["x: waiting", "x: waiting; the mount is wrong"]


def test_unknown_figures_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """No total, no percentage; nothing at all is `waiting`."""
    with meter("x") as report:
        report(None, None)
    with meter("y") as report:
        report(100, None, note="2 files", rate=0)
    assert told(capsys) == ["x: waiting", "y: 100.00B, 2 files"]


def test_titles_and_notes_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """Names come from outside."""
    with meter("a\x1b[2J") as report:
        report(None, None, note="[/x]\n")
    assert told(capsys) == ["a\\x1b[2J: [/x]\\n"]


def test_on_a_terminal_there_is_a_bar_and_names_cannot_steer_it() -> None:
    """A pseudo-terminal sees the title literally, a bar with rate and ETA, and no escape sequence of the name."""
    program = (
        "from datafluid.cli.progress import meter\n"
        "with meter('a\\x1b]0;owned\\x07[/x]') as report:\n"
        "    report(1 << 20, 4 << 20, note='[bold]1/4 files[/y]')\n"
    )
    leader, follower = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "40"}
    process = subprocess.Popen([sys.executable, "-c", program], stderr=follower, env=environ)
    os.close(follower)
    seen = b"".join(iter(lambda: _read(leader), b"")).decode()
    os.close(leader)
    assert process.wait(timeout=30) == 0
    assert "\x1b]0;owned" not in seen
    assert r"a\x1b]0;owned\x07[/x]" in seen
    assert "[bold]1/4 files[/y]" in seen
    assert "1.0/4.0 MiB" in seen


def _read(leader: int) -> bytes:
    """What a terminal has to say; empty when its program has left (Linux answers EIO then)."""
    try:
        return os.read(leader, 65536)
    except OSError:
        return b""
