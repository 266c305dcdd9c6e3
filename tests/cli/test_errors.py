"""From an exception to words and an exit code."""

from __future__ import annotations

import errno

import pytest
import typer

from datafluid import errors
from datafluid.cli.errors import Terminated, complain, exit_code, guarded
from datafluid.model.lint import Finding


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DatafluidError("x"), 1),
        (errors.OperationFailed("x"), 1),
        (errors.Unavailable("x"), 1),
        (errors.Invalid("x"), 2),
        (errors.NotFound("x"), 3),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x.yaml"), 3),
        (errors.Timeout("x"), 4),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), 4),
        (OSError(errno.ENOSPC, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
        (Terminated(), 143),
        (ZeroDivisionError(), 1),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: BaseException, code: int) -> None:
    """Scripts can tell not found from timeout from wrong input."""
    assert exit_code(error) == code


def test_an_error_is_one_sentence_and_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback: message, hint."""
    complain(errors.NotFound("there is no dataset default/x.", hint="Run `datafluid get dataset`."))
    assert capsys.readouterr().err == ("Error: there is no dataset default/x.\nTry:   Run `datafluid get dataset`.\n")


def test_an_error_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Messages may quote what a server said."""
    complain(errors.Unavailable("server said \x1b[2J\nError: forged [/x]"))
    assert capsys.readouterr().err == "Error: server said \\x1b[2J\\nError: forged [/x]\n"


def test_all_findings_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The first is in the message, the others follow."""
    first, second = (
        Finding(code="DF011", severity="error", path=f"spec.{name}", message=f"{name} is wrong.", hint="Mend it.")
        for name in ("one", "two")
    )
    complain(errors.Invalid("first", findings=(first, second)))
    assert capsys.readouterr().err == "Error: first\n       spec.two: two is wrong. Mend it.\n"


def test_an_os_error_says_what_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    """The file's name, and a hint by errno."""
    complain(OSError(errno.ENOSPC, "No space left on device", "/tier"))
    assert capsys.readouterr().err.splitlines()[0] == "Error: No space left on device: /tier."


def test_a_bug_is_one_line_and_where_the_trace_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unexpected errors show no trace unless it is asked for."""
    monkeypatch.delenv("DATAFLUID_DEBUG", raising=False)
    complain(ZeroDivisionError("division by zero"))
    told = capsys.readouterr().err
    assert "this is a bug in datafluid: ZeroDivisionError: division by zero" in told
    assert "DATAFLUID_DEBUG=1" in told
    assert "Traceback" not in told


def test_debugging_shows_the_trace(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """DATAFLUID_DEBUG=1 prints it before the sentence."""
    monkeypatch.setenv("DATAFLUID_DEBUG", "1")

    def crash() -> None:
        raise ZeroDivisionError("inside")

    with pytest.raises(typer.Exit):
        guarded(crash)
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "in crash" in told


def test_usage_errors_pass_the_boundary() -> None:
    """typer words those itself."""

    def refuse() -> None:
        raise typer.BadParameter("no")

    with pytest.raises(typer.BadParameter):
        guarded(refuse)
