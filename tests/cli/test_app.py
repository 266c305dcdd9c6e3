"""The command line as a whole: help, version, options, usage errors, what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.conftest import COMMAND, Run

COMMANDS = (  # one line reads better
    "apply get describe delete wait watch scale load refresh export ls cat du cache explain lint crds preview serve "
    "run-due doctor contexts rbac"
).split()


def test_help_names_every_command(run: Run) -> None:
    """Each command is in one section of the help, with a line about it."""
    lines = run("--help").stdout.splitlines()
    told = [line.split()[0] for line in lines if line.startswith("  ") and line.split()]
    assert [name for name in COMMANDS if name not in told] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_the_shared_options(name: str, run: Run) -> None:
    """--namespace, --context and -v are everywhere; no help loads the engine or fails."""
    told = run(name, "--help").stdout
    if name != "cache":
        assert "--namespace" in told
        assert "--context" in told


def test_help_loads_nothing_heavy() -> None:
    """`datafluid --help` stays quick because it loads no models, no stores, no database and no rich."""
    heavy = {
        "pydantic",
        "obstore",
        "apsw",
        "yaml",
        "rich.console",
        "fsspec",
        "kubernetes",
        "pandas",
        "pyarrow",
    }
    program = (
        "import sys\n"
        "sys.argv = ['datafluid', '--help']\n"
        "from datafluid.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"


def test_importing_the_package_loads_nothing() -> None:
    """The entry point's import is free: typer comes with the first call."""
    program = "import sys, datafluid.cli; print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


def test_version(run: Run) -> None:
    """--version is the installed version."""
    assert run("--version").stdout.startswith("datafluid 0.")


def test_wrong_usage_is_exit_code_2_without_a_traceback(run: Run) -> None:
    """Unknown commands and options are typer's usage errors."""
    assert "No such command" in run("applly", code=2).stderr
    assert "No such option" in run("get", "--colour", code=2).stderr


def test_an_unknown_context_is_not_found_and_says_what_there_is(run: Run) -> None:
    """Exit code 3, one sentence and what to try."""
    told = run("get", "dataset", "--context", "moon", code=3).stderr
    assert told.startswith("Error: there is no context 'moon'.\nTry:   There are embedded, from the kubeconfig and /")
    assert told.endswith(".toml.\n")


def test_an_unknown_kind_suggests_one(run: Run) -> None:
    """Exit code 2: invalid input."""
    assert "Did you mean 'dataset'?" in run("get", "datset", code=2).stderr


def test_nothing_declared_yet(run: Run) -> None:
    """An empty home is no error; stdout stays empty for programs."""
    result = run("get")
    assert result.stdout == ""
    assert result.stderr == "No object found in namespace default.\n"


def test_the_namespace_may_be_given_before_or_after_the_command(run: Run) -> None:
    """As with kubectl."""
    for args in (("-n", "team", "get", "dataset"), ("get", "dataset", "-n", "team")):
        assert run(*args).stderr == "No dataset found in namespace team.\n"


def test_a_reader_that_leaves_is_no_error_worth_words() -> None:
    """`datafluid crds | head -1`: 141 as the shell has it for SIGPIPE, and nothing on stderr."""
    process = subprocess.Popen([*COMMAND, "crds"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), told) == (141, "")


def test_a_bug_shows_no_traceback_unless_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The boundary holds for whole commands."""
    from datafluid.local import checkup

    def crash(context: str | None) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(checkup, "check_all", crash)
    told = run("doctor", code=1).stderr
    assert "this is a bug in datafluid" in told
    assert "Traceback" not in told
    monkeypatch.setenv("DATAFLUID_DEBUG", "1")
    assert "Traceback" in run("doctor", code=1).stderr
