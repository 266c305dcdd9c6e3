"""The command line: the root command, its help, and the table of the modules that hold the commands."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from datafluid.cli import (
    agent,
    apply,
    cache,
    contexts,
    copy,
    delete,
    describe,
    diagnose,
    doctor,
    export,
    files,
    get,
    lint,
    load,
    preview,
    rbac,
    scale,
    schedule,
    serve,
    submit,
    watch,
    wrap,
)
from datafluid.cli.bash_words import mend_environment
from datafluid.cli.errors import Terminated
from datafluid.cli.session import ContextOption, NamespaceOption, Session, VerboseOption

__all__ = ["app", "run"]

_SECTIONS = {
    "Declare and observe": ("apply", "get", "describe", "diagnose", "delete", "wait", "watch", "scale", "copy", "flow"),
    "Warm": ("load", "submit", "suspend", "resume", "serve", "run-due"),
    "Read": ("ls", "cat", "du", "explain", "refresh", "export"),
    "Cache and machine": ("cache", "doctor", "agent"),
    "Manifests": ("wrap", "lint", "crds", "preview"),
    "Clusters": ("contexts", "rbac"),
}


class Root(TyperGroup):
    """The root command: its help lists commands by what they are for."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section for each group of commands."""
        for title, names in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(90)) for name in names])


app = typer.Typer(
    cls=Root,
    name="datafluid",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failure, 2 usage or invalid input, 3 not found, 4 timeout, 130 interrupted.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"datafluid {version('datafluid')}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    context: ContextOption = None,
    namespace: NamespaceOption = None,
    verbose: VerboseOption = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Fluid datasets on this machine: declare them, warm them, read them at fluid://NAMESPACE/DATASET/PATH."""
    ctx.obj = Session(context=context, namespace=namespace, verbosity=verbose)


for module in (
    apply,
    get,
    describe,
    diagnose,
    delete,
    load,
    submit,
    watch,
    scale,
    copy,
    schedule,
    serve,
    files,
    export,
    cache,
):
    module.register(app)
for module in (doctor, agent, lint, wrap, preview, contexts, rbac):
    module.register(app)


def run() -> NoReturn:
    """Run ``sys.argv`` and leave the process with the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    mend_environment(os.environ)
    _mend_streams()
    typer.main.get_command(app).main(prog_name="datafluid")
    raise AssertionError("a command always leaves the process")


def _mend_streams() -> None:
    """Output that was closed before we began goes nowhere; what a terminal cannot show is escaped."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # it is the process's
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise Terminated
